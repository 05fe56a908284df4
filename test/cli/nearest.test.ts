import t from 'tap';
import { nearest } from '../../src/cli/nearest.js';

t.test('the word that was meant', async t => {
  const flags = ['output', 'port', 'peer', 'max-upload', 'max-download', 'no-dht'];
  t.equal(nearest('ouptut', flags), 'output');
  t.equal(nearest('max-up', flags), 'max-upload', 'a beginning');
  t.equal(nearest('maxdownload', flags), 'max-download');
  t.equal(nearest('nodht', flags), 'no-dht');
  t.equal(nearest('upload', flags), 'max-upload', 'a part');
  t.equal(nearest('prot', flags), 'port', 'two letters swapped are one mistake');
  t.equal(nearest('dir', ['dht', 'out']), undefined, 'two letters of three are too many');
  t.equal(nearest('colour-scheme', flags), undefined, 'nothing near');
  t.equal(nearest('x', []), undefined);
});
