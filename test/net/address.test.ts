import t from 'tap';
import { isDialable, normalizeHost } from '../../src/net/address.js';

t.test('one spelling for one host', async t => {
  const spellings: Readonly<Record<string, string | undefined>> = {
    '10.77.0.1': '10.77.0.1',
    '::ffff:10.77.0.1': '10.77.0.1',
    '::FFFF:0A4D:0001': '10.77.0.1',
    '[2001:DB8:0:0::1]': '2001:db8::1',
    'fe80::1%eth0': 'fe80::1',
    '0:0:0:0:0:0:0:1': '::1',
    'example.org': undefined,
    '1.2.3': undefined,
    '': undefined,
  };
  for (const [host, normal] of Object.entries(spellings)) t.equal(normalizeHost(host), normal, host);
});

t.test('which places may be dialled', async t => {
  for (const host of [
    '10.77.0.1',
    '127.0.0.1',
    '223.255.255.255',
    '2001:db8::1',
    '::1',
    'fd00::1',
    'fec0::1',
  ])
    t.ok(isDialable(host, 6881), host);
  const nobody = [
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    'fe80::1',
    'febf::1',
  ];
  for (const host of [...nobody, 'localhost', '']) t.notOk(isDialable(host, 6881), host);
  for (const port of [0, -1, 65536, 1.5, Number.NaN]) t.notOk(isDialable('10.77.0.1', port), String(port));
  t.ok(isDialable('10.77.0.1', 1));
  t.ok(isDialable('10.77.0.1', 65535));
});
