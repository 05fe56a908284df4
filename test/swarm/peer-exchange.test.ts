import t from 'tap';
import { PeerExchange, type PexContact } from '../../src/swarm/peer-exchange.js';
import { formatHostPort, parseHostPort } from '../../src/torrent/host-port.js';
import { LIMITS } from '../../src/torrent/limits.js';
import type { PeerExchangeMessage, PexFlags, PexPeer } from '../../src/wire/message.js';

const MINUTE = LIMITS.pexEveryMs;
const FIRST = LIMITS.pexFirstMs;
const FLAGS: PexFlags = {
  encryption: false,
  uploadOnly: false,
  utp: false,
  holepunch: false,
  outgoing: true,
};

const at = (text: string) => parseHostPort(text) ?? { host: '', port: 0 };
/** A peer that we dialled. */
const dialled = (text: string, flags: Partial<PexFlags> = {}): PexContact => ({
  host: at(text).host,
  address: at(text),
  flags: { ...FLAGS, ...flags },
});
/** A peer that came in and has not said where it listens. */
const incoming = (host: string): PexContact => ({
  host,
  address: undefined,
  flags: { ...FLAGS, outgoing: false },
});
const pex = (...added: string[]): PeerExchangeMessage => ({
  type: 'peerExchange',
  added: added.map(text => ({ ...at(text), flags: FLAGS })),
  dropped: [],
});

/** A peer exchange and everything it said, as `peer +added -dropped`. */
function exchange() {
  const said: { peer: number; message: PeerExchangeMessage; now: number }[] = [];
  let now = 0;
  const exchange = new PeerExchange((peer, message) => said.push({ peer, message, now }));
  return {
    exchange,
    said,
    /** Ticks so often that nothing is missed, and gives what was said meanwhile. */
    until(toMs: number): string[] {
      const before = said.length;
      while (now <= toMs) {
        exchange.tick(now);
        now += 500;
      }
      return said.slice(before).map(({ peer, message: { added, dropped } }) => {
        const names = [
          ...added.map(contact => `+${formatHostPort(contact)}`),
          ...dropped.map(contact => `-${formatHostPort(contact)}`),
        ];
        return `${peer} ${names.join(' ')}`;
      });
    },
  };
}

t.test('who is there is told, not to itself, and who left is told to be gone', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  pex.connected(3, dialled('1.0.0.3:3'));
  pex.enable(1, true, 0);
  t.same(until(FIRST - 1), [], 'not at once');
  t.same(until(FIRST), ['1 +1.0.0.2:2 +1.0.0.3:3']);
  pex.closed(2);
  pex.connected(4, dialled('[2001:db8::4]:4'));
  t.same(until(FIRST + MINUTE - 1), [], 'not within a minute');
  t.same(until(FIRST + MINUTE), ['1 +[2001:db8::4]:4 -1.0.0.2:2']);
  t.same(until(FIRST + 5 * MINUTE), [], 'nothing new, nothing said');
  pex.closed(3);
  t.same(until(FIRST + 5 * MINUTE + 500), ['1 -1.0.0.3:3'], 'a minute has long passed');
});

t.test('only who wants to be told is told', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  t.same(until(MINUTE), []);
  pex.enable(2, true, MINUTE);
  t.same(until(2 * MINUTE), ['2 +1.0.0.1:1']);
  pex.enable(2, false, 2 * MINUTE);
  pex.connected(3, dialled('1.0.0.3:3'));
  t.same(until(4 * MINUTE), []);
  pex.enable(2, true, 4 * MINUTE);
  t.same(until(5 * MINUTE), ['2 +1.0.0.1:1 +1.0.0.3:3']);
});

t.test('taking it back and wanting it again gives no second message within the minute', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  pex.enable(1, true, 0);
  t.equal(until(FIRST).length, 1);
  pex.enable(1, false, FIRST);
  pex.enable(1, true, FIRST);
  t.same(until(FIRST + MINUTE - 1), []);
  t.equal(until(FIRST + MINUTE).length, 1);
});

t.test('who came and went in between is left out, so is who went and came again', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  pex.enable(1, true, 0);
  t.same(until(FIRST), ['1 +1.0.0.2:2']);
  pex.connected(3, dialled('1.0.0.3:3'));
  pex.closed(3);
  pex.closed(2);
  pex.connected(2, dialled('1.0.0.2:2'));
  t.same(until(3 * MINUTE), []);
});

t.test('where a peer listens is told once it is known, with its flags', async t => {
  const { exchange: pex, said, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, incoming('1.0.0.2'));
  pex.enable(1, true, 0);
  t.same(until(MINUTE), []);
  pex.learned(2, { address: at('1.0.0.2:6881') });
  pex.learned(2, { flags: { ...FLAGS, outgoing: false, uploadOnly: true, encryption: true } });
  t.same(until(MINUTE + 500), ['1 +1.0.0.2:6881']);
  t.same(said[0]?.message.added[0]?.flags, {
    encryption: true,
    uploadOnly: true,
    utp: false,
    holepunch: false,
    outgoing: false,
  });
  pex.learned(2, { flags: FLAGS });
  t.same(until(3 * MINUTE), [], 'flags alone are no news');
});

t.test('two connections that claim one address are told as one', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  pex.connected(3, incoming('1.0.0.2'));
  pex.learned(3, { address: at('1.0.0.2:2') });
  pex.enable(1, true, 0);
  pex.enable(3, true, 0);
  t.same(until(FIRST), ['1 +1.0.0.2:2', '3 +1.0.0.1:1'], 'nor is one told of its twin');
  pex.closed(2);
  t.same(until(3 * MINUTE), [], 'as long as one of them is there');
});

t.test('fifty at a time', async t => {
  const { exchange: pex, said, until } = exchange();
  pex.connected(0, dialled('2.0.0.1:1'));
  pex.enable(0, true, 0);
  for (let peer = 1; peer <= 120; peer++) pex.connected(peer, dialled(`1.0.0.${peer}:1`));
  until(FIRST + 2 * MINUTE);
  for (let peer = 1; peer <= 120; peer++) pex.closed(peer);
  pex.connected(121, dialled('1.0.0.121:1'));
  until(FIRST + 9 * MINUTE);
  t.same(
    said.map(({ message: { added, dropped } }) => [added.length, dropped.length]),
    [
      [50, 0],
      [50, 0],
      [20, 0],
      [1, 50],
      [0, 50],
      [0, 20],
    ],
  );
  const names = (list: 'added' | 'dropped') =>
    said.flatMap(({ message }) => message[list]).map(formatHostPort);
  t.equal(new Set(names('added')).size, 121, 'each once');
  t.equal(new Set(names('dropped')).size, 120);
});

t.test('peers nearer than who is told are not told: others cannot reach them', async t => {
  const hosts = ['127.0.0.1', '192.168.0.1', '100.64.0.1', '9.9.9.9', '[::1]', '[fd00::1]', '[2001:db8::1]'];
  const far = '+9.9.9.9:1 +[2001:db8::1]:1';
  const near = '+192.168.0.1:1 +100.64.0.1:1 +9.9.9.9:1 +[fd00::1]:1 +[2001:db8::1]:1';
  const all = hosts.map(host => `+${host}:1`).join(' ');
  for (const [to, told] of [
    ['8.8.8.8:1', far],
    ['[2001:db8::2]:1', far],
    ['10.0.0.1:1', near],
    ['172.31.0.1:1', near],
    ['169.254.0.1:1', near],
    ['[fd00::2]:1', near],
    ['127.0.0.2:1', all],
  ] as const) {
    const { exchange: pex, until } = exchange();
    for (const [peer, host] of hosts.entries()) pex.connected(peer + 1, dialled(`${host}:1`));
    pex.connected(0, dialled(to));
    pex.enable(0, true, 0);
    t.same(until(FIRST), [`0 ${told}`], to);
  }
});

t.test('addresses that nobody can dial are never told', async t => {
  const { exchange: pex, until } = exchange();
  pex.connected(0, dialled('127.0.0.1:1'));
  pex.enable(0, true, 0);
  for (const [peer, host] of ['0.0.0.0', '224.0.0.1', '255.255.255.255', 'fe80::1', 'a.example'].entries())
    pex.connected(peer + 1, { host, address: { host, port: 1 }, flags: FLAGS });
  pex.connected(9, { host: '1.1.1.1', address: { host: '1.1.1.1', port: 0 }, flags: FLAGS });
  t.same(until(3 * MINUTE), []);
});

t.test('each peer has times of its own, and tick says when the next one is', async t => {
  const { exchange: pex } = exchange();
  t.equal(pex.tick(0), Number.POSITIVE_INFINITY, 'nobody is here');
  pex.connected(1, dialled('1.0.0.1:1'));
  pex.connected(2, dialled('1.0.0.2:2'));
  pex.enable(1, true, 0);
  pex.enable(2, true, 1000);
  t.equal(pex.tick(1000), FIRST);
  t.equal(pex.tick(FIRST), FIRST + 1000);
  t.equal(pex.tick(FIRST + 1000), FIRST + MINUTE);
  t.equal(pex.tick(FIRST + MINUTE), FIRST + 1000 + MINUTE);
  t.equal(pex.tick(FIRST + 1000 + MINUTE), Number.POSITIVE_INFINITY, 'no news for anybody');
  pex.connected(3, dialled('1.0.0.3:3'));
  t.equal(pex.tick(9 * MINUTE), 10 * MINUTE);
});

t.test('what is heard: peers that can be dialled, each host of the internet once', async t => {
  const { exchange: mine } = exchange();
  const from = (host: string, ...added: string[]) => {
    mine.connected(1, incoming(host));
    return mine.message(1, pex(...added), 0).addresses.map(formatHostPort);
  };
  const odd: PexPeer[] = [
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    'fe80::1',
    '',
    'a.example',
  ]
    .map(host => ({ host, port: 1, flags: FLAGS }))
    .concat({ host: '9.9.9.9', port: 0, flags: FLAGS });
  mine.connected(2, incoming('127.0.0.1'));
  t.same(mine.message(2, { type: 'peerExchange', added: odd, dropped: [at('1.1.1.1:1')] }, 0), {
    addresses: [],
  });

  const near = ['127.0.0.1:1', '10.0.0.1:1', '172.16.0.1:1', '192.168.1.1:80', '[::1]:1', '[fd00::1]:1'];
  const far = ['9.9.9.9:1', '172.32.0.1:1', '[2001:db8::1]:1'];
  t.same(from('8.8.8.8', ...near, ...far), far, 'nobody out there sends us into our own network');
  t.same(from('192.168.0.7', ...near, ...far), [...near.slice(1, 4), near[5], ...far]);
  t.same(from('127.0.0.1', ...near, ...far), [...near, ...far]);
  t.same(from('127.0.0.1', '127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:1'), ['127.0.0.1:1', '127.0.0.1:2']);
  t.same(from('8.8.8.8', '9.9.9.9:1', '9.9.9.9:2', '7.7.7.7:1'), ['9.9.9.9:1', '7.7.7.7:1']);
  t.same(mine.message(5, pex('9.9.9.9:1'), 0), { addresses: [] }, 'nobody we know');
});

t.test('flags of what is heard are handed on', async t => {
  const { exchange: mine } = exchange();
  mine.connected(1, dialled('8.8.8.8:1'));
  const seed = { ...at('9.9.9.9:1'), flags: { ...FLAGS, uploadOnly: true } };
  t.same(mine.message(1, { type: 'peerExchange', added: [seed], dropped: [] }, 0).addresses, [seed]);
});

t.test(
  'a message a minute is heard for ever, a second one soon too, more are not, many are a fault',
  async t => {
    const { exchange: mine } = exchange();
    mine.connected(1, dialled('8.8.8.8:1'));
    const heard = (now: number) => mine.message(1, pex('9.9.9.9:1'), now).addresses.length;
    t.same([heard(0), heard(1000), heard(2000)], [1, 1, 0]);
    for (let minute = 2; minute < 20; minute++) t.equal(heard(minute * LIMITS.pexHeardMs), 1);
    const now = 20 * LIMITS.pexHeardMs;
    t.same([heard(now), heard(now)], [1, 1]);
    for (let message = 0; message < LIMITS.pexEarly; message++) {
      t.same(mine.message(1, pex('9.9.9.9:1'), now), { addresses: [] });
    }
    t.equal(mine.message(1, pex('9.9.9.9:1'), now).fault, 'message-flood');
    mine.closed(1);
    t.same(mine.message(1, pex('9.9.9.9:1'), now), { addresses: [] });
  },
);

t.test('one peer can name only so many in all', async t => {
  const { exchange: mine } = exchange();
  mine.connected(1, dialled('127.0.0.1:1'));
  let taken = 0;
  for (let minute = 0; minute < 10; minute++) {
    const added = Array.from({ length: LIMITS.pexListed }, (_, index) => `10.${minute}.0.${index}:1`);
    taken += mine.message(1, pex(...added), minute * LIMITS.pexHeardMs).addresses.length;
  }
  t.equal(taken, LIMITS.pexFromPeer);
});
