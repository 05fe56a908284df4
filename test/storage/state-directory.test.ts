import t from 'tap';
import { stateDirectory } from '../../src/storage/state-directory.js';

t.test('each system has its place', async t => {
  t.equal(stateDirectory({}, 'linux', '/home/u'), '/home/u/.local/state/rarest');
  t.equal(stateDirectory({ XDG_STATE_HOME: '/s' }, 'linux', '/home/u'), '/s/rarest');
  t.equal(
    stateDirectory({ XDG_STATE_HOME: 's' }, 'freebsd', '/home/u'),
    '/home/u/.local/state/rarest',
    'relative',
  );
  t.equal(stateDirectory({ XDG_STATE_HOME: '' }, 'linux', '/home/u'), '/home/u/.local/state/rarest', 'empty');
  t.equal(stateDirectory({}, 'darwin', '/Users/u'), '/Users/u/Library/Application Support/rarest');
  const local = 'C:\\Users\\u\\AppData\\Local';
  t.equal(stateDirectory({ LOCALAPPDATA: local }, 'win32', 'C:\\Users\\u'), `${local}\\rarest`);
  t.equal(stateDirectory({}, 'win32', 'C:\\Users\\u'), `${local}\\rarest`);
});
