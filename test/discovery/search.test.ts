import t from 'tap';
import { type DhtInterest, Search } from '../../src/discovery/search.js';
import { infoHash } from '../../src/torrent/ids.js';
import { LIMITS } from '../../src/torrent/limits.js';
import type { HostPort } from '../../src/torrent/metainfo-types.js';

const TORRENT = infoHash(new Uint8Array(20))!;
const MANY_NODES = 200;

function search(interest: Partial<DhtInterest>): { search: Search; found: HostPort[] } {
  const found: HostPort[] = [];
  const onPeer = (peer: HostPort) => void found.push(peer);
  return {
    search: new Search(TORRENT, { port: undefined, needsPeers: () => true, onPeer, ...interest }),
    found,
  };
}

t.test('looks while peers are wanted', async t => {
  let needsPeers = true;
  const { search: looking } = search({ needsPeers: () => needsPeers });
  t.equal(looking.isDue(0, MANY_NODES), true);
  needsPeers = false;
  t.equal(looking.isDue(0, MANY_NODES), false);
  t.equal(looking.mustAnnounce(0), false, 'without a port there is nothing to announce');
});

t.test('announces when no peers are wanted, and again after a while', async t => {
  const { search: seeding } = search({ port: 6881, needsPeers: () => false });
  t.equal(seeding.isDue(0, MANY_NODES), true);
  seeding.announced(7, 0);
  t.equal(seeding.mustAnnounce(1), true, 'too few nodes have it');
  seeding.announced(8, 1000);
  t.equal(seeding.isDue(1001, MANY_NODES), false);
  t.equal(seeding.isDue(1000 + LIMITS.dhtAnnounceMs, MANY_NODES), true);
});

t.test('an announce is not late because looks have become rare', async t => {
  const { search: leeching } = search({ port: 6881 });
  for (let i = 0; i < 20; i++) leeching.nextMs(0);
  t.equal(leeching.nextMs(0), LIMITS.dhtAnnounceMs);
  leeching.announced(8, 0);
  t.equal(leeching.nextMs(LIMITS.dhtAnnounceMs - 70_000), 70_000);
});

t.test('one lookup at a time where many nodes are known', async t => {
  const { search: looking } = search({});
  t.equal(looking.hasLooked, false);
  looking.lookupBegan(1000);
  t.equal(looking.hasLooked, true);
  t.equal(looking.isLooking, true);
  t.equal(looking.isDue(1200, MANY_NODES), false);
  t.equal(looking.isDue(1200, 8), true, 'in a small DHT it hangs on a dead node');
  t.equal(looking.isDue(31_000, MANY_NODES), true, 'somebody leads it on');
  looking.lookupEnded();
  t.equal(looking.isDue(1200, MANY_NODES), true);
});

t.test('reports an address once in a lookup, and as many as can be kept', async t => {
  const { search: looking, found } = search({});
  looking.lookupBegan(0);
  t.equal(looking.peerFound({ host: '10.0.0.1', port: 1 }), true, 'the first of all');
  t.equal(looking.peerFound({ host: '10.0.0.1', port: 1 }), false);
  t.equal(looking.peerFound({ host: '10.0.0.1', port: 2 }), false);
  t.equal(found.length, 2);
  looking.lookupBegan(1000);
  looking.peerFound({ host: '10.0.0.1', port: 1 });
  t.equal(found.length, 3);
  for (let port = 1; port <= LIMITS.knownAddresses + 10; port++)
    looking.peerFound({ host: '10.0.0.2', port });
  t.equal(found.length, 2 + LIMITS.knownAddresses);
});

t.test('waits are short until a first peer is found, then grow while peers are wanted', async t => {
  let needsPeers = true;
  const { search: looking } = search({ needsPeers: () => needsPeers });
  t.equal(looking.nextMs(0), 200);
  looking.peerFound({ host: '10.0.0.1', port: 1 });
  t.strictSame([looking.nextMs(0), looking.nextMs(0)], [5000, 10_000]);
  needsPeers = false;
  t.strictSame(
    [looking.nextMs(0), looking.nextMs(0)],
    [5000, 5000],
    'so that it is noticed when they become few',
  );
});
