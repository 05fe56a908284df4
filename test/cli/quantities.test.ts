import t from 'tap';
import {
  counted,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
  parseRatio,
} from '../../src/cli/quantities.js';

t.test('durations are seconds unless they say otherwise', async t => {
  const good = { '90': 90_000, '90s': 90_000, '15m': 900_000, '2h': 7_200_000, '1d': 86_400_000 };
  for (const [text, ms] of Object.entries(good)) t.equal(parseDuration(text), ms, text);
  t.equal(parseDuration('1.5h'), 5_400_000);
  t.equal(parseDuration('0'), 0);
  t.equal(parseDuration('2H'), 7_200_000);
  for (const text of ['', 's', '-5', '5x', '1h30m', '1e3', '5 m', '.5s', '0x10', '9999999999', 'Infinity']) {
    t.equal(parseDuration(text), undefined, `'${text}'`);
  }
});

t.test('K is 1000, KiB is 1024', async t => {
  const good = {
    '500': 500,
    '500K': 500_000,
    '500kB': 500_000,
    '2M': 2_000_000,
    '1.5MiB': 1_572_864,
    '1Ki': 1024,
    '1kib': 1024,
    '3G': 3e9,
    '1TiB': 2 ** 40,
    '7B': 7,
    '0': 0,
    '0.1': 1,
  };
  for (const [text, bytes] of Object.entries(good)) t.equal(parseBytes(text), bytes, text);
  for (const text of ['', 'K', '-1', '1iB', '1X', '1KK', '1e3', '1,5M', ' 1', '999999999999999T', 'NaN']) {
    t.equal(parseBytes(text), undefined, `'${text}'`);
  }
  t.equal(parseRate('2M/s'), 2_000_000);
  t.equal(parseRate('2M/h'), undefined);
});

t.test('counts and ratios', async t => {
  t.equal(parseCount('5', 1, 9), 5);
  for (const text of ['0', '10', '-5', '5.0', '', ' 5', '0x5'])
    t.equal(parseCount(text, 1, 9), undefined, text);
  t.equal(parseRatio('1.5'), 1.5);
  t.equal(parseRatio('0'), 0);
  for (const text of ['-1', '', 'x', '1/2', '1e5', 'Infinity']) t.equal(parseRatio(text), undefined, text);
});

t.test('bytes for people', async t => {
  const shown = {
    0: '0 B',
    999: '999 B',
    1000: '1.0 kB',
    1550: '1.6 kB',
    9949: '9.9 kB',
    9950: '10 kB',
    999499: '999 kB',
    999500: '1.0 MB',
    1500000000: '1.5 GB',
  };
  for (const [bytes, text] of Object.entries(shown)) t.equal(formatBytes(Number(bytes)), text);
  t.equal(formatBytes(2e18), '2000 PB', 'no larger unit');
  t.equal(formatRate(120_000), '120 kB/s');
});

t.test('durations for people', async t => {
  const shown = {
    0: '0s',
    59.4: '59s',
    59.5: '1m00s',
    130: '2m10s',
    3599: '59m59s',
    3900: '1h05m',
    273600: '3d04h',
  };
  for (const [seconds, text] of Object.entries(shown)) t.equal(formatDuration(Number(seconds)), text);
});

t.test('100% only when all is there', async t => {
  t.equal(formatPercent(0, 10), '0.0%');
  t.equal(formatPercent(423, 1000), '42.3%');
  t.equal(formatPercent(999_999, 1_000_000), '99.9%');
  t.equal(formatPercent(10, 10), '100%');
  t.equal(formatPercent(0, 0), '100%', 'an empty torrent is complete');
});

t.test('one and several', async t => {
  t.same(
    [counted(0, 'peer'), counted(1, 'peer'), counted(2, 'peer'), counted(2, 'address', 'addresses')],
    ['0 peers', '1 peer', '2 peers', '2 addresses'],
  );
});
