import t from 'tap';
import { peerKey } from '../../src/swarm/address-key.js';
import { PeerBook } from '../../src/swarm/peer-book.js';
import type { Address } from '../../src/swarm/port.js';
import { canonicalPriority } from '../../src/swarm/priority.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';

/** `10.0.0.7` and `10.0.0.7:99` to an address. */
function at(text: string): Address {
  const [host = '', port = '6881'] = text.split(':');
  return { host, port: Number(port) };
}

const list = (...texts: string[]): Address[] => texts.map(at);
const random = seeded(1);
/** `count` different addresses from number `first` on. */
const many = (first: number, count: number): Address[] =>
  Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return { host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, port: 6881 };
  });

/** All that is due now, in order. */
function allDue(book: PeerBook, now: number): string[] {
  const hosts: string[] = [];
  for (let address = book.next(now); address !== undefined; address = book.next(now))
    hosts.push(address.host);
  return hosts;
}

t.test('an address is handed out once', async t => {
  const book = new PeerBook();
  t.equal(book.next(0), undefined);
  t.equal(book.nextDueMs, Number.POSITIVE_INFINITY);
  t.equal(book.add(list('10.0.0.1', '10.0.0.2', '10.0.0.1'), 'tracker', 5, random), 2);
  t.equal(
    book.add(list('10.0.0.1', '10.0.0.1:7000'), 'dht', 5, random),
    1,
    'another port is another address',
  );
  t.equal(book.size, 3);
  t.equal(book.nextDueMs, 5);
  t.same(allDue(book, 5).sort(), ['10.0.0.1', '10.0.0.1', '10.0.0.2']);
  t.equal(book.nextDueMs, Number.POSITIVE_INFINITY);
});

t.test('what cannot be dialled is not taken in', async t => {
  const book = new PeerBook();
  const hosts = [
    '0.0.0.0',
    '255.255.255.255',
    '224.1.1.1',
    'example.org',
    '',
    '1.2.3',
    'ff02::1',
    '::',
    'fe80::1',
  ];
  for (const host of hosts) t.equal(book.add([{ host, port: 6881 }], 'pex', 0, random), 0, host);
  for (const port of [0, -1, 65536, 1.5, Number.NaN])
    t.equal(book.add([{ host: '10.0.0.1', port }], 'pex', 0, random), 0, `${port}`);
  t.equal(book.size, 0);
});

t.test('one spelling for one host', async t => {
  const book = new PeerBook();
  const spellings = ['2001:DB8::1', '2001:db8:0:0::1', '2001:db8::0:1'];
  t.equal(
    book.add(
      spellings.map(host => ({ host, port: 1 })),
      'dht',
      0,
      random,
    ),
    1,
  );
  t.same(book.next(0), { host: '2001:db8::1', port: 1 });
  t.equal(book.add([{ host: '::ffff:10.0.0.1', port: 1 }], 'dht', 0, random), 1);
  t.same(book.next(0), { host: '10.0.0.1', port: 1 });
});

t.test('the order: given by the user, fewer failures, then a salt', async t => {
  const book = new PeerBook();
  book.add(list('10.0.0.1'), 'tracker', 0, random);
  book.dialFailed(book.next(0) ?? at(''), 0);
  book.add(many(100, 50), 'dht', 0, random);
  book.add(list('10.0.0.9'), 'manual', 0, random);
  const order = allDue(book, LIMITS.redialMs);
  t.equal(order[0], '10.0.0.9');
  t.equal(order.at(-1), '10.0.0.1');
  t.notSame(
    order.slice(1, -1),
    many(100, 50).map(({ host }) => host),
    'not in the order in which we heard of them',
  );
});

t.test('the order by canonical priority, once we know how others see us', async t => {
  const outside = at('123.213.32.10');
  const addresses = many(1000, 30);
  const sorted = addresses
    .map(address => ({ host: address.host, priority: canonicalPriority(outside, address) }))
    .sort((a, b) => b.priority - a.priority)
    .map(({ host }) => host);
  const early = new PeerBook();
  early.setOutside(outside);
  early.add(addresses, 'dht', 0, random);
  t.same(allDue(early, 0), sorted, 'known before');
  const late = new PeerBook();
  late.add(addresses, 'dht', 0, random);
  late.setOutside({ host: '2001:db8::1', port: 1 });
  late.setOutside(outside);
  t.same(allDue(late, 0), sorted, 'known after');
});

t.test('failures: the wait doubles, and after three the address is forgotten', async t => {
  const book = new PeerBook();
  book.add(list('10.0.0.1', '10.0.0.2'), 'tracker', 0, random);
  const other = book.next(0) ?? at('');
  const address = book.next(0) ?? at('');
  book.connected(other, 0);
  let now = 0;
  for (const waitMs of [15_000, 30_000]) {
    book.dialFailed(address, now);
    t.equal(book.nextDueMs, now + waitMs);
    t.equal(book.next(now + waitMs - 1), undefined);
    now += waitMs;
    t.same(book.next(now), address);
  }
  book.dialFailed(address, now);
  t.equal(book.next(now + 1e9), undefined, 'forgotten');
  book.add([address], 'pex', now + 1000, random);
  t.equal(book.next(now + 59_999), undefined, 'heard of again: one more dial, after its wait');
  t.same(book.next(now + 60_000), address);
  book.dialFailed(address, now + 60_000);
  t.equal(book.next(now + 1e9), undefined, 'forgotten again');
});

t.test('what the user gave, and the only address we know, are never forgotten', async t => {
  for (const source of ['manual', 'dht'] as const) {
    const book = new PeerBook();
    book.add(list('10.0.0.1'), source, 0, random);
    if (source === 'manual') book.add(list('10.0.0.2'), 'dht', 0, random);
    let now = 0;
    const waits: number[] = [];
    for (let dial = 0; dial < 10; dial++) {
      t.same(book.next(now), at('10.0.0.1'));
      if (dial === 0 && source === 'manual') book.connected(book.next(now) ?? at(''), now);
      book.dialFailed(at('10.0.0.1'), now);
      waits.push((book.nextDueMs - now) / 1000);
      now = book.nextDueMs;
    }
    t.same(waits, [15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
  }
});

t.test('a connection that lasted is dialled again soon, one that ended at once is a failure', async t => {
  const book = new PeerBook();
  book.add(list('10.0.0.1'), 'dht', 0, random);
  const address = book.next(0) ?? at('');
  book.dialFailed(address, 0);
  book.next(15_000);
  book.connected(address, 15_000);
  t.equal(book.next(1e6), undefined, 'connected');
  book.closed(address, 20_000, 'remote-closed');
  t.equal(book.nextDueMs, 50_000, 'the second failure');
  book.next(50_000);
  book.connected(address, 50_000);
  book.closed(address, 100_000, 'socket-error');
  t.equal(book.nextDueMs, 115_000);
  book.next(115_000);
  book.dialFailed(address, 115_000);
  t.equal(book.nextDueMs, 130_000, 'the lasting connection cleared the failures');
  book.next(130_000);
  book.closed(address, 131_000, 'handshake-timeout');
  t.equal(book.nextDueMs, 161_000, 'closed before the handshake was done');
});

t.test('why the connection ended decides whether there is another', async t => {
  const next = (reason: Parameters<PeerBook['closed']>[2]): number => {
    const book = new PeerBook();
    book.add(list('10.0.0.1'), 'dht', 0, random);
    const address = book.next(0) ?? at('');
    book.connected(address, 0);
    book.closed(address, 10_000, reason);
    book.add([address], 'tracker', 20_000, random);
    return book.nextDueMs;
  };
  t.equal(next('too-many-peers'), 25_000, 'no fault of the peer');
  for (const reason of ['self', 'duplicate', 'both-seeds', 'banned'] as const)
    t.equal(next(reason), Number.POSITIVE_INFINITY, reason);
  const book = new PeerBook();
  book.add(list('10.0.0.1'), 'dht', 0, random);
  const address = book.next(0) ?? at('');
  book.connected(address, 0);
  book.closed(address, 300_000, 'both-uninterested');
  t.equal(book.nextDueMs, 300_000 + LIMITS.uninterestedMs);
});

t.test('events about addresses the book does not know', async t => {
  const book = new PeerBook();
  book.dialFailed(at('10.0.0.1'), 0);
  book.connected(at('10.0.0.1'), 0);
  book.closed(at('10.0.0.1'), 0, 'remote-closed');
  t.equal(book.size, 0);
  book.add(list('10.0.0.1'), 'dht', 0, random);
  book.dialFailed(at('10.0.0.1'), 0);
  book.closed(at('10.0.0.1'), 0, 'both-seeds');
  t.same(book.next(0), at('10.0.0.1'), 'nor about one that is not being dialled');
});

t.test('our own addresses', async t => {
  const book = new PeerBook();
  book.add(list('10.0.0.1', '10.0.0.1:7000'), 'dht', 0, random);
  book.markSelf(at('10.0.0.1'));
  t.equal(book.add(list('10.0.0.1'), 'tracker', 0, random), 0);
  t.same(allDue(book, 0), ['10.0.0.1'], 'the other port may be somebody else');
  book.markSelf({ host: '::ffff:10.0.0.2', port: 6881 });
  t.equal(book.add(list('10.0.0.2'), 'dht', 0, random), 0);
});

t.test('two strikes are a ban', async t => {
  const book = new PeerBook();
  const address = at('10.0.0.1');
  const key = peerKey(address, false);
  book.add([address], 'dht', 0, random);
  t.equal(book.strike(key), 'strike');
  t.notOk(book.isBanned(key));
  t.equal(book.strike(key), 'banned');
  t.equal(book.strike(key), 'banned', 'for good');
  t.ok(book.isBanned(key));
  t.equal(book.next(0), undefined);
  t.equal(book.add([address], 'manual', 0, random), 0);
});

t.test('a ban hits no other peer behind the same address', async t => {
  const book = new PeerBook();
  const dialled = peerKey(at('10.0.0.1'), false);
  const incoming = peerKey(at('10.0.0.1:50000'), true);
  t.equal(incoming, peerKey(at('10.0.0.1:50001'), true), 'the port of an incoming connection says nothing');
  t.equal(peerKey({ host: '::ffff:10.0.0.1', port: 1 }, true), incoming);
  t.not(
    peerKey({ host: '2001:db8::1', port: 6881 }, false),
    peerKey({ host: '2001:db8::1:6881', port: 1 }, true),
  );
  for (let i = 0; i < LIMITS.strikes; i++) book.strike(dialled);
  t.notOk(book.isBanned(incoming));
  t.notOk(book.isBanned(peerKey(at('10.0.0.1:7000'), false)));
  for (let i = 0; i < LIMITS.strikes; i++) book.strike(incoming);
  t.ok(book.isBanned(incoming));
  t.equal(book.add(list('10.0.0.1:7000'), 'dht', 0, random), 1, 'other ports can still be dialled');
});

t.test('strikes and bans are bounded', async t => {
  const book = new PeerBook();
  const [first, ...others] = many(0, LIMITS.knownAddresses + 1).map(address => peerKey(address, false));
  book.strike(first ?? '');
  for (const key of others) book.strike(key);
  t.equal(book.strike(first ?? ''), 'strike', 'the oldest strike is forgotten');
});

t.test('a full book drops the worst', async t => {
  const book = new PeerBook();
  book.add(list('172.16.0.1'), 'pex', 0, random);
  book.add(list('172.16.0.2'), 'manual', 0, random);
  book.add(list('172.16.0.3', '172.16.0.4'), 'tracker', 0, random);
  const dialled = new Set<string>();
  for (let i = 0; i < 4; i++) dialled.add(book.next(0)?.host ?? '');
  t.equal(dialled.size, 4);
  book.dialFailed(at('172.16.0.2'), 0);
  book.dialFailed(at('172.16.0.3'), 0);
  book.connected(at('172.16.0.1'), 0);
  book.connected(at('172.16.0.4'), 0);
  book.add(many(0, LIMITS.knownAddresses - 4), 'dht', 1, random);
  t.equal(book.size, LIMITS.knownAddresses);

  t.equal(book.add(list('9.9.9.1'), 'dht', 2, random), 1, 'instead of the one that failed');
  t.equal(
    book.add(list('172.16.0.3'), 'pex', 2, random),
    0,
    'which is gone, and a pex address is now the worst',
  );
  t.equal(book.add(list('9.9.9.2'), 'dht', 3, random), 1, 'instead of the one heard of longest ago');
  t.equal(book.add(many(0, 1), 'pex', 3, random), 0, 'that one is gone too');
  t.equal(book.add(list('172.16.0.1', '172.16.0.2', '172.16.0.4'), 'pex', 3, random), 0);
  t.equal(book.size, LIMITS.knownAddresses);
  const dials = allDue(book, LIMITS.redialMs);
  t.equal(dials[0], '172.16.0.2', 'what the user gave stays');
  t.notOk(dials.includes('172.16.0.1'), 'and so do the connected ones, which are not dialled');
});

t.test('the same calls give the same order', async t => {
  const order = (seed: number): string[] => {
    const book = new PeerBook();
    book.add(many(0, 200), 'dht', 0, seeded(seed));
    return allDue(book, 0);
  };
  t.same(order(1), order(1));
  t.notSame(order(1), order(2));
});
