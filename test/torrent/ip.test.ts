import t from 'tap';
import { fromHex, toHex } from '../../src/torrent/ids.js';
import {
  addressBytes,
  EVERYWHERE,
  hostText,
  isDialable,
  MACHINE,
  PRIVATE,
  scopeOf,
} from '../../src/torrent/ip.js';

const hexOf = (host: string): string | undefined => {
  const bytes = addressBytes(host);
  return bytes && toHex(bytes);
};
const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();

t.test('text to bytes', async t => {
  const cases: readonly (readonly [string, string])[] = [
    ['0.0.0.0', '00000000'],
    ['80.4.4.200', '500404c8'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['1::', `0001${'0'.repeat(28)}`],
    ['2001:db8::8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
  ];
  for (const [text, hex] of cases) t.equal(hexOf(text), hex, text);
});

t.test('an IPv4-mapped address is the IPv4 address', async t => {
  t.equal(hexOf('::ffff:1.2.3.4'), '01020304');
  t.equal(hexOf('::FFFF:102:304'), '01020304');
  t.equal(hexOf('0:0:0:0:0:ffff:1.2.3.4'), '01020304');
});

t.test('what is no IP literal', async t => {
  const texts = [
    ...[
      '',
      'example.org',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
      '1.2.3.04',
      '1.2.3.',
      '1.2.3.-4',
      ' 1.2.3.4',
      '1.2.3.4\n',
    ],
    ...[
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4::5:6:7:8',
      '12345::',
      'g::',
      ':1::',
      '::1:',
    ],
    ...[
      '1.2.3.4::',
      '::1.2.3.4:1',
      '::1.2.3',
      '1:2:3:4:5:6:7:1.2.3.4',
      '[::1]',
      'fe80::1%eth0',
      `${'0'.repeat(50)}::1`,
    ],
  ];
  for (const text of texts) t.equal(addressBytes(text), undefined, JSON.stringify(text));
});

t.test('bytes to the canonical text of RFC 5952', async t => {
  const cases: readonly (readonly [string, string])[] = [
    ['500404c8', '80.4.4.200'],
    ['0'.repeat(32), '::'],
    [`${'0'.repeat(31)}1`, '::1'],
    [`0001${'0'.repeat(28)}`, '1::'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010db80000000000020000000000ab', '2001:db8::2:0:0:ab'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
    ['00000000000000000000ffff01020304', '1.2.3.4'],
  ];
  for (const [hex, text] of cases) t.equal(hostText(bytesOf(hex)), text, hex);
  t.equal(hostText(new Uint8Array(5)), undefined);
  t.equal(hostText(new Uint8Array(0)), undefined);
});

t.test('text and bytes agree', async t => {
  for (const text of ['::', '::1', '1::', 'fe80::1', '2001:db8::1:0:0:1', '1:2:3:4:5:6:7:8', '9.8.7.6'])
    t.equal(hostText(addressBytes(text) ?? new Uint8Array()), text);
});

t.test('places nobody can be reached at', async t => {
  for (const host of [
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    'fe80::1',
  ])
    t.notOk(isDialable(addressBytes(host) ?? new Uint8Array()), host);
  for (const host of ['127.0.0.1', '10.0.0.1', '223.255.255.255', '::1', 'fec0::1', '2001:db8::1'])
    t.ok(isDialable(addressBytes(host) ?? new Uint8Array()), host);
});

t.test('how far an address reaches', async t => {
  const hosts = {
    [MACHINE]: ['127.0.0.1', '127.255.255.255', '0.0.0.0', '0.1.2.3', '::1', '::', '::ffff:127.0.0.1'],
    [PRIVATE]: [
      ...['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
      ...['169.254.169.254', '100.64.0.0', '100.127.255.255', '::ffff:192.168.1.1', '::ffff:a00:1'],
      ...['fe80::1', 'febf::', 'fec0::1', 'feff::', 'fc00::', 'fdff::1'],
    ],
    [EVERYWHERE]: [
      ...['126.255.255.255', '128.0.0.0', '1.0.0.0', '9.255.255.255', '11.0.0.0', '172.15.255.255'],
      ...['172.32.0.0', '192.167.255.255', '192.169.0.0', '169.253.0.0', '169.255.0.0', '100.63.255.255'],
      ...[
        '100.128.0.0',
        '::ffff:8.8.8.8',
        '::2',
        '1::1',
        'fbff::',
        'fe00::',
        'fe7f::',
        'ff02::1',
        '2001:db8::1',
      ],
    ],
  };
  for (const [scope, list] of Object.entries(hosts))
    for (const host of list) t.equal(scopeOf(addressBytes(host)), Number(scope), host);
  t.equal(scopeOf(bytesOf('00000000000000000000ffff7f000001')), MACHINE, 'mapped, in 16 bytes');
  t.equal(scopeOf(undefined), EVERYWHERE);
});
