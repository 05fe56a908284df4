// The limits of the roads to a peer: DHT, local network, peer exchange, trackers, web seeds. Part of LIMITS, by which name
// all rooms read them.

const KiB = 1024;
const MiB = 1024 * KiB;

export const ROAD_LIMITS = {
  // --- discovery ------------------------------------------------------------------------------------------------
  /** ms between two local announces of a torrent (BEP 14), and at least, whatever calls for another one. */
  lsdAnnounceMs: 5 * 60_000,
  lsdAgainMs: 60_000,
  /** bytes of a local announce (BEP 14: no fragments), info hashes in it: 52 bytes each, and 120 besides. */
  lsdDatagramBytes: 1400,
  lsdHashes: 20,
  /** ms between two of our datagrams, where there are more torrents than fit one. */
  lsdPaceMs: 200,
  /** local announces of others heard per second; Transmission: 10 from one network. */
  lsdDatagramsPerSecond: 50,
  /** neighbours remembered for one torrent, so that a new one is answered. */
  lsdNeighbours: 100,
  /** peers read of each list of a peer exchange message; BEP 11 lets the first message have any number, libtorrent sends 100. */
  pexListed: 200,
  /** peers told of in one message, and as many told to be gone (BEP 11: 50 each). */
  pexTold: 50,
  /** ms from the start of a connection to the first message, which others should be worth telling of by then. */
  pexFirstMs: 5_000,
  /** ms between two messages to one peer: BEP 11's minute, and so much more that delays on the way never make it less. */
  pexEveryMs: 65_000,
  /** ms between two messages of one peer (BEP 11); one too many is heard, as some clients send a second one soon. */
  pexHeardMs: 60_000,
  /** messages in a row that came too early for that and were not heard, after which the peer is closed. */
  pexEarly: 10,
  /** addresses taken from one connection: nobody is to be the only source of whom we dial. */
  pexFromPeer: 500,
  /** ms between two DHT announces (libtorrent and WebTorrent: 15 min). */
  dhtAnnounceMs: 15 * 60_000,
  /** ms between two lookups while we have few peers, the wait doubles up to the announce interval. */
  dhtLookupMs: 5_000,
  /** with fewer connected peers than this we look for more. */
  fewPeers: 20,
  /** DHT nodes remembered between runs. Transmission: 300. */
  dhtNodesKept: 300,
  /** bytes of one DHT datagram that comes in; some nodes answer with their whole routing table. */
  dhtDatagramBytes: 16 * KiB,
  /** bytes of one DHT datagram that goes out: fits any link (BEP 32 says 1024), so that nobody can use us to amplify a flood. */
  dhtReplyBytes: 1024,
  /** DHT queries answered per second; a node of the public DHT gets 10 to 50. */
  dhtQueriesPerSecond: 200,
  /** DHT lookups and announces that may begin at once, and ms for each further one; libtorrent bans beyond 50 datagrams in 10 s. */
  dhtLookupBurst: 16,
  dhtLookupEveryMs: 500,
  /** DHT queries under way at a time; ms to wait for an answer. */
  dhtQueriesUnderWay: 32,
  dhtTimeoutMs: 2_000,
  /** announces of others we keep, and for how many ms: they announce again every 15 to 30 minutes. */
  dhtPeersStored: 2000,
  dhtPeersStoredMs: 45 * 60_000,

  // --- trackers -------------------------------------------------------------------------------------------------
  /** announces and scrapes under way at a time, all torrents together. libtorrent: 50. */
  announces: 50,
  /** ms between two announces where the tracker names no interval (libtorrent: 30 min), and the bounds of what it may name. */
  announceIntervalMs: 30 * 60_000,
  announceIntervalMinMs: 60_000,
  announceIntervalMaxMs: 24 * 60 * 60_000,
  /** addresses asked for when we need peers (libtorrent: 200), and taken from one answer. */
  announceWant: 200,
  announcePeers: 1000,
  /** ms before a tracker that failed is asked again: base, times 2.5 times the square of its failures in a row, at most. libtorrent. */
  trackerRetryMs: 5_000,
  trackerRetryFactor: 2.5,
  trackerRetryMaxMs: 60 * 60_000,
  /** ms without progress, ms in all for an HTTP tracker to answer. libtorrent: 10 s, 30 s; TLS over slow links takes longer. */
  trackerTimeoutMs: 15_000,
  trackerTotalMs: 30_000,
  /** ms that a torrent which stops spends on telling its trackers. libtorrent: 5 s, qBittorrent: 2 s. */
  trackerStopMs: 3_000,
  /** bytes of one HTTP answer. libtorrent: 1 MiB. */
  trackerReplyBytes: 1 * MiB,
  /** characters of what a tracker says in words, and bytes of its tracker id, which goes into every URL. */
  trackerTextChars: 200,
  trackerIdBytes: 256,
  /** ms before the first request to a UDP tracker is sent again, doubled each time up to 8 times (BEP 15). */
  udpRetransmitMs: 15_000,
  /** ms for a UDP tracker to answer, in all: requests at 0 and 15 s, and the 30 s to wait then. */
  udpTrackerMs: 45_000,
  /** ms that a connection id of a UDP tracker is used (BEP 15). */
  udpConnectionMs: 60_000,
  /** connection ids of UDP trackers kept, addresses of one UDP tracker tried. */
  udpConnections: 1000,
  udpTrackerAddresses: 4,

  // --- http -----------------------------------------------------------------------------------------------------
  /** connections to one host at a time, trackers and web seeds together; browsers have 6. */
  httpSocketsPerHost: 6,
  /** redirects followed for one URL of a web seed or a tracker; curl's users rarely meet more than 3. */
  httpRedirects: 5,
  /** ms that an idle connection is kept for the next request; servers close theirs after 5 to 75 s. */
  httpIdleMs: 15_000,

  // --- web seeds (BEP 19) -----------------------------------------------------------------------------------------
  /** HTTP requests under way at one web seed. libtorrent has 3, Transmission 4. */
  webSeedRequests: 4,
  /** web seeds of one torrent in use at a time; the others wait for one to fail. */
  webSeedsAtATime: 10,
  /** bytes of one of them, or one piece if that is more; libtorrent asks for up to 16 MiB, Transmission for 1. */
  webSeedRequestBytes: 4 * MiB,
  /** bytes to keep outstanding at a web seed, at the start, at least and at most: it answers in runs, not in blocks. */
  webSeedStartBytes: 4 * MiB,
  webSeedLeastBytes: 1 * MiB,
  webSeedPipelineBytes: 16 * MiB,
  /** bytes that a server without ranges may send before those that we need; longer files are not taken from it. */
  webSeedSkipBytes: 1 * MiB,
  /** ms without 16 KiB or the end of a file after which a request has failed. libtorrent: 20 s. */
  webSeedTimeoutMs: 25_000,
  /** ms that a web seed which failed is left alone: base, doubled each time, at most; so long also for a missing file. */
  webSeedBackoffMs: 30_000,
  webSeedBackoffMaxMs: 30 * 60_000,
  /** failures in a row after which a web seed is given up. Transmission pauses after 4. */
  webSeedFailures: 5,
} as const;
