import t from 'tap';
import type { Address, PeerFacts } from '../../src/swarm/port.js';
import { canonicalPriority } from '../../src/swarm/priority.js';
import { Recruiter } from '../../src/swarm/recruiter.js';
import type { CloseReason } from '../../src/torrent/errors.js';
import { type PeerId, peerId } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import { seeded } from '../support/random.js';

const OURS = 100;
/** ms after which a closed connection counts as having lasted, and its address is due again. */
const LATER = 2 * LIMITS.redialMs;

function idOf(number: number): PeerId {
  const id = peerId(new Uint8Array(20).fill(number));
  if (!id) throw new RangeError('unreachable');
  return id;
}

const at = (host: string, port = 6881): Address => ({ host, port });
const facts = (address: Address, id: number, incoming: boolean): PeerFacts => ({
  address,
  incoming,
  peerId: idOf(id),
  fast: true,
  extended: true,
  greeted: false,
  webSeed: false,
});
const incoming = (host: string, id: number, port = 50_000) => facts(at(host, port), id, true);
const recruiter = (maxPeers = 10, id = OURS) => new Recruiter(idOf(id), maxPeers, seeded(1));

/** Dials an address; what comes of it is told by `admit` or `dialFailed`. */
function dial(ours: Recruiter, address: Address, now = 0): Address {
  ours.addressesFound([address], 'dht', now);
  const next = ours.next(now);
  if (!next) throw new RangeError('nothing to dial');
  return next;
}
/** Dials a peer and admits it under this number. */
const dialled = (ours: Recruiter, number: number, address: Address, id: number, now = 0) =>
  ours.admit(number, facts(dial(ours, address, now), id, false), now);
/** All that is to be dialled now, as `host:port`. */
function due(ours: Recruiter, now: number): string[] {
  const found: string[] = [];
  for (let address = ours.next(now); address; address = ours.next(now)) {
    found.push(`${address.host}:${address.port}`);
  }
  return found;
}

t.test('our own peer id: refused, and that address is not dialled again', async t => {
  const ours = recruiter();
  t.same(dialled(ours, 1, at('10.0.0.1'), OURS), { refuse: 'self' });
  ours.addressesFound([at('10.0.0.1')], 'tracker', LATER);
  t.same(due(ours, LATER), []);
  t.same(ours.admit(2, incoming('10.0.0.2', OURS), 0), { refuse: 'self' });
  t.equal(ours.connected, 0);
});

t.test('a second connection to the same peer is refused, whoever dialled', async t => {
  for (const [first, second] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ]) {
    const ours = recruiter();
    const connect = (number: number, host: string, comesIn = true, now = 0) =>
      comesIn ? ours.admit(number, incoming(host, 7), now) : dialled(ours, number, at(host), 7, now);
    t.same(connect(1, '10.0.0.1', first), {});
    t.same(connect(2, '10.0.0.2', second, 6000), { refuse: 'duplicate' }, `${first} then ${second}`);
    t.equal(ours.connected, 1);
  }
});

t.test('both dial at the same moment: both keep the same one of the two connections', async t => {
  /** Which connection stays with one side, when they come up in this order. */
  const kept = (ourId: number, theirId: number, dialledByUs: string, order: string): string => {
    const ours = recruiter(10, ourId);
    let stays = '';
    for (const [number, name] of [...order].entries()) {
      const { refuse, replaces } =
        name === dialledByUs
          ? dialled(ours, number, at('10.0.0.1'), theirId)
          : ours.admit(number, incoming('10.0.0.1', theirId), 0);
      if (!refuse) stays = name;
      if (replaces !== undefined) ours.closed(replaces, 'duplicate', 0);
    }
    t.equal(ours.connected, 1);
    return stays;
  };
  for (const order of ['xy', 'yx']) {
    for (const theirOrder of ['xy', 'yx']) {
      t.same([kept(1, 2, 'x', order), kept(2, 1, 'y', theirOrder)], ['x', 'x'], 'that of the smaller id');
      t.same([kept(2, 1, 'x', order), kept(1, 2, 'y', theirOrder)], ['y', 'y']);
    }
  }
});

t.test('a full swarm takes nobody, but for a better connection to a peer it has', async t => {
  const ours = recruiter(1, 1);
  ours.admit(1, incoming('10.0.0.1', 7), 0);
  t.same(ours.admit(2, incoming('10.0.0.2', 8), 0), { refuse: 'too-many-peers' });
  t.same(ours.admit(3, facts(at('10.0.0.1'), 7, false), 0), { replaces: 1 });
});

t.test('no room, no dials', async t => {
  const ours = recruiter(2);
  ours.addressesFound(
    [1, 2, 3].map(host => at(`10.0.0.${host}`)),
    'dht',
    0,
  );
  t.equal(due(ours, 0).length, 2);
  t.equal(ours.nextDueMs, Number.POSITIVE_INFINITY);
  ours.dialFailed(at('10.0.0.1'), 0);
  ours.dialFailed(at('10.0.0.2'), 0);
  t.ok(ours.nextDueMs <= LIMITS.redialMs);
});

t.test('who is turned away from a full swarm is dialled again later', async t => {
  const ours = recruiter(1);
  const address = dial(ours, at('10.0.0.1'));
  ours.admit(1, incoming('10.0.0.2', 8), 0);
  t.same(ours.admit(2, facts(address, 7, false), 0), { refuse: 'too-many-peers' });
  ours.closed(1, 'remote-closed', LATER);
  t.same(due(ours, LATER), ['10.0.0.1:6881']);
});

t.test('two faults are a ban: of the host for those that came in', async t => {
  const ours = recruiter();
  t.same(ours.admit(1, incoming('10.0.0.1', 1, 1000), 0), {});
  t.notOk(ours.closed(1, 'bad-request', 0));
  t.same(ours.admit(2, incoming('10.0.0.1', 2, 2000), 0), {});
  t.ok(ours.closed(2, 'hash-failed', 0));
  t.same(ours.admit(3, incoming('10.0.0.1', 3, 3000), 0), { refuse: 'banned' });
  t.same(ours.admit(4, incoming('10.0.0.2', 4), 0), {});
  t.same(dialled(ours, 5, at('10.0.0.1'), 5), {}, 'whom we dial there may be another');
});

t.test('two faults are a ban: of the one address for those that we dialled', async t => {
  const ours = recruiter();
  for (const now of [0, LATER]) {
    t.same(dialled(ours, 1, at('10.0.0.1'), 1, now), {});
    t.equal(ours.closed(1, 'unrequested-block', now + LIMITS.redialMs), now > 0);
  }
  ours.addressesFound([at('10.0.0.1'), at('10.0.0.1', 7000)], 'tracker', 10 * LATER);
  t.same(due(ours, 10 * LATER), ['10.0.0.1:7000']);
  t.same(ours.admit(2, incoming('10.0.0.1', 2), 0), {});
});

t.test('no number of faultless ends is a ban', async t => {
  const ours = recruiter();
  const reasons: CloseReason[] = ['remote-closed', 'both-seeds', 'both-uninterested', 'idle-timeout'];
  for (const reason of [...reasons, ...reasons]) {
    t.same(ours.admit(1, incoming('10.0.0.1', 1), 0), {});
    t.notOk(ours.closed(1, reason, 0), reason);
  }
  t.notOk(ours.closed(1, 'hash-failed', 0), 'nobody is there');
});

t.test('the connection that stays learns from its duplicate where its peer can be dialled', async t => {
  const ours = recruiter();
  ours.admit(1, incoming('10.0.0.1', 7), 0);
  t.same(dialled(ours, 2, at('10.0.0.1'), 7, 6000), { refuse: 'duplicate' });
  t.same(due(ours, LATER), [], 'it is connected');
  ours.closed(1, 'remote-closed', LATER);
  t.same(due(ours, 2 * LATER), ['10.0.0.1:6881']);
});

t.test('so does one that takes the place of another', async t => {
  const ours = recruiter(10, 200);
  dialled(ours, 1, at('10.0.0.1'), 7);
  t.same(ours.admit(2, incoming('10.0.0.1', 7), 0), { replaces: 1 });
  ours.closed(1, 'duplicate', 0);
  t.same(due(ours, LATER), []);
  ours.closed(2, 'remote-closed', LATER);
  t.same(due(ours, 2 * LATER), ['10.0.0.1:6881']);
});

t.test('a second address of one peer is given up, the first stays of use', async t => {
  for (const [ourId, number] of [
    [200, 1],
    [1, 2],
  ] as const) {
    const ours = recruiter(10, ourId);
    ours.admit(1, incoming('10.0.0.1', 7), 0);
    ours.listensAt(1, 7000, 0);
    const verdict = dialled(ours, 2, at('10.0.0.9'), 7);
    t.same(verdict, number === 1 ? { refuse: 'duplicate' } : { replaces: 1 });
    if (number === 2) ours.closed(1, 'duplicate', 0);
    ours.closed(number, 'remote-closed', LATER);
    t.same(due(ours, 2 * LATER), [number === 1 ? '10.0.0.1:7000' : '10.0.0.9:6881']);
  }
});

t.test('who came in says where it listens, and is dialled there when it has gone', async t => {
  const ours = recruiter();
  ours.admit(1, incoming('10.0.0.1', 7), 0);
  ours.listensAt(1, 7000, 0);
  ours.listensAt(1, 8000, 0);
  ours.listensAt(2, 9000, 0);
  t.equal(ours.known, 1, 'said once, by somebody who is here');
  t.same(due(ours, LATER), []);
  ours.closed(1, 'remote-closed', LATER);
  t.same(due(ours, 2 * LATER), ['10.0.0.1:7000']);
});

t.test('whom we dialled need not say where it listens', async t => {
  const ours = recruiter();
  dialled(ours, 1, at('10.0.0.1'), 7);
  ours.listensAt(1, 7000, 0);
  t.equal(ours.known, 1);
});

t.test('an address where the dialled peer said it listens itself is one and the same', async t => {
  const ours = recruiter();
  const address = dial(ours, at('10.0.0.1'));
  ours.admit(1, incoming('10.0.0.1', 7), 0);
  ours.listensAt(1, 6881, 0);
  t.same(ours.admit(2, facts(address, 7, false), 6000), { refuse: 'duplicate' });
  ours.closed(1, 'remote-closed', LATER);
  t.same(due(ours, 2 * LATER), ['10.0.0.1:6881']);
});

t.test('our outside address orders the dials once two hosts agree on it (BEP 40)', async t => {
  const outside = at('203.0.113.5', 6881);
  const addresses = Array.from({ length: 12 }, (_, host) => at(`10.${host}.0.1`));
  const byPriority = [...addresses].sort(
    (a, b) => canonicalPriority(outside, b) - canonicalPriority(outside, a),
  );
  const order = (hosts: string[], sayings: Address[]) => {
    const ours = recruiter(100);
    ours.addressesFound(addresses, 'dht', 0);
    for (const [number, host] of hosts.entries()) ours.admit(number, incoming(host, number), 0);
    for (const [number, address] of sayings.entries()) ours.seenAs(number, address);
    return due(ours, 0).map(text => text.split(':')[0]);
  };
  const canonical = byPriority.map(({ host }) => host);
  t.same(order(['8.8.8.8', '9.9.9.9'], [outside, outside]), canonical);
  t.strictNotSame(order(['8.8.8.8', '8.8.8.8'], [outside, outside]), canonical, 'one host twice');
  t.strictNotSame(order(['8.8.8.8', '9.9.9.9'], [outside, at('203.0.113.6')]), canonical, 'no agreement');
  t.strictNotSame(order([], [outside, outside]), canonical, 'strangers');
});

t.test('the number of dials under way never drifts', async t => {
  for (const seed of [1, 2, 3, 4]) {
    const random = seeded(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const ours = recruiter(6);
    ours.addressesFound(
      Array.from({ length: 2500 }, (_, n) => at(`10.0.${n >> 8}.${n & 255}`)),
      'dht',
      0,
    );
    const dials: Address[] = [];
    const members: number[] = [];
    const reasons: CloseReason[] = ['remote-closed', 'hash-failed', 'both-seeds', 'idle-timeout'];
    for (let step = 0; step < 2000; step++) {
      const now = step * 500;
      const chance = random();
      const from = random() < 0.5 ? undefined : dials.splice(below(dials.length), 1)[0];
      if (chance < 0.4) {
        const address = ours.next(now);
        if (address) dials.push(address);
        if (from) dials.push(from);
      } else if (chance < 0.55) {
        if (from) ours.dialFailed(from, now);
      } else if (chance < 0.8) {
        const who = random() < 0.1 ? OURS : below(9);
        const peer = from ? facts(from, who, false) : incoming(`10.1.0.${who}`, who);
        const { refuse, replaces } = ours.admit(step, peer, now);
        if (!refuse) members.push(step);
        if (replaces !== undefined) members.splice(members.indexOf(replaces), 1);
        if (replaces !== undefined) ours.closed(replaces, 'duplicate', now);
      } else {
        const [number] = members.splice(below(members.length), 1);
        if (number !== undefined) ours.closed(number, reasons[below(4)] ?? 'self', now);
        if (from) dials.push(from);
      }
      const room = members.length + dials.length < 6;
      if (ours.connected !== members.length || room !== ours.nextDueMs < Number.POSITIVE_INFINITY) {
        return t.fail(`seed ${seed}, step ${step}: ${members.length} peers, ${dials.length} dials`);
      }
    }
    t.ok(ours.connected <= 6);
  }
});

t.test(
  'a private torrent: peers that others than its tracker named are let go, and not let in later',
  async t => {
    const ours = recruiter();
    dialled(ours, 1, at('10.0.0.1'), 1);
    ours.addressesFound([at('10.0.0.1')], 'tracker', 0);
    dialled(ours, 2, at('10.0.0.2'), 2);
    ours.admit(3, incoming('10.0.0.3', 3), 0);
    const halfOpen = dial(ours, at('10.0.0.4'));
    ours.addressesFound([at('10.0.0.5')], 'pex', 0);
    ours.addressesFound([at('10.0.0.6')], 'manual', 0);
    t.same(ours.keepOnly(['manual', 'tracker']), [2, 3]);
    t.same(due(ours, LATER), ['10.0.0.6:6881']);
    t.same(ours.admit(4, facts(halfOpen, 4, false), 0), { refuse: 'not-allowed' });
    t.same(ours.admit(5, incoming('10.0.0.7', 5), 0), {}, 'whoever finds us now was told by the tracker');
  },
);
