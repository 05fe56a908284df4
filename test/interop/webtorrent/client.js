// WebTorrent as the tests need it: seeds or fetches one torrent over TCP, until it is ended.
//
//   client.js '{"source": "x.torrent", "directory": "...", "port": 6881, "bootstrap": ["10.77.1.1:6881"]}'
//
// Further options: peers ["host:port"] to dial, leaveWhenDone. Prints "metadata" once it is known, and "complete" once all
// pieces are verified and written. The package.json beside it overrides two packages: one is
// native, and of the other, uint8-util, later versions throw at what WebTorrent 2 gives them.

import WebTorrent from 'webtorrent';

const { source, directory, port, bootstrap, peers = [], leaveWhenDone } = JSON.parse(process.argv[2]);

const client = new WebTorrent({
  torrentPort: port,
  dhtPort: port,
  dht: bootstrap ? { bootstrap } : false,
  utp: false,
  lsd: false,
  utPex: false,
  natUpnp: false,
  natPmp: false,
});

function fail(error) {
  console.error(error);
  process.exit(1);
}

client.on('error', fail);
function complete() {
  console.log('complete');
  if (leaveWhenDone) process.exit(0);
}

const torrent = client.add(source, { path: directory }, torrent => {
  torrent.on('error', fail);
  torrent.on('warning', console.error);
  // Data that was found whole ends a torrent before this callback is called.
  if (torrent.done) complete();
  else torrent.once('done', complete);
});
torrent.once('metadata', () => console.log('metadata'));
torrent.once('infoHash', () => {
  for (const peer of peers) torrent.addPeer(peer);
});

process.once('SIGTERM', () => client.destroy(() => process.exit(0)));
