import t from 'tap';
import { formatHostPort, isHost, isPort, parseHostPort } from '../../src/torrent/host-port.js';

t.test('names, IPv4 and IPv6 addresses', async t => {
  const cases: [string, string, number][] = [
    ['127.0.0.1:43', '127.0.0.1', 43],
    ['[::1]:45', '::1', 45],
    ['[2001:db8::2]:55013', '2001:db8::2', 55013],
    ['router.example.org:6881', 'router.example.org', 6881],
    ['localhost:1', 'localhost', 1],
    ['_x-1.invalid.:65535', '_x-1.invalid.', 65535],
  ];
  for (const [text, host, port] of cases) {
    t.same(parseHostPort(text), { host, port }, text);
    t.equal(formatHostPort({ host, port }), text);
  }
});

t.test('anything else is refused', async t => {
  const texts = [
    ...[
      '',
      'host',
      'host:',
      ':1',
      '[]:1',
      '::1:45',
      '[::1]',
      '[::1]45',
      '[::g]:1',
      '[1.2.3.4]:1',
      '[::1%eth0]:1',
    ],
    ...[
      'h:0',
      'h:65536',
      'h:999999',
      'h:-1',
      'h:1.5',
      'h:1 ',
      ' h:1',
      'h:1\n',
      'h:0x1',
      'h:١',
      'h:1:2',
      'u@h:1',
    ],
    ...[
      '<invalid>:100',
      'a b:1',
      'a..b:1',
      '-a:1',
      'a-:1',
      'a/b:1',
      'é:1',
      '999.1.1.1:1',
      '1.2.3:1',
      '1:1',
      'a.1:1',
    ],
    ...[`${'a'.repeat(64)}:1`, `${'a.'.repeat(127)}a:1`],
  ];
  for (const text of texts) t.equal(parseHostPort(text), undefined, JSON.stringify(text));
});

t.test('hosts and ports by themselves', async t => {
  t.ok(isHost('::1'));
  t.ok(isHost('1.2.3.4'));
  t.ok(isHost('a.b'));
  t.notOk(isHost('[::1]'));
  t.notOk(isHost(''));
  t.ok(isPort(1));
  for (const port of [0, 65536, 1.5, Number.NaN, '80', undefined]) t.notOk(isPort(port), `${port}`);
});
