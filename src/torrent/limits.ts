// Every quantity that comes from outside has a limit, and every tuned number has a reason. One table, read by all rooms.

const KiB = 1024;
const MiB = 1024 * KiB;

/** The unit of a request. All clients use 16 KiB; many refuse more (BEP 3, "request"). */
export const BLOCK_LENGTH = 16 * KiB;

export const LIMITS = {
  // --- metainfo -------------------------------------------------------------------------------------------------
  /** bytes of a .torrent. 2^21 pieces need 40 MiB of hashes; larger files are refused before they are read. */
  torrentFileBytes: 64 * MiB,
  /** bytes of an info dictionary taken from peers (BEP 9). libtorrent's limit is 30 MiB too. */
  metadataBytes: 30 * MiB,
  /** pieces of one torrent; libtorrent's limit. */
  pieces: 2 ** 21,
  /** bytes of one piece; larger ones than 64 MiB are not in use and would eat the buffer budget. */
  pieceLengthBytes: 64 * MiB,
  /** files of one torrent. */
  files: 1_000_000,
  /** nesting of bencoded lists and dictionaries. */
  bencodeDepth: 100,
  /** bytes of one path component on the common file systems. */
  pathComponentBytes: 255,

  // --- wire -----------------------------------------------------------------------------------------------------
  /** bytes of an extended message (BEP 10): one 16 KiB metadata block, or PEX, with room. */
  extendedBytes: 1 * MiB,
  /** bytes a peer may ask for in one request. BEP 3 says 16 KiB; some ask for up to 128 KiB. */
  requestBytes: 128 * KiB,
  /** requests a peer may have waiting with us; told to it as reqq (BEP 10). libtorrent's figure. */
  incomingRequests: 2000,
  /** bytes of the strings of an extension handshake that are kept (client version). */
  clientNameBytes: 128,

  // --- requests -------------------------------------------------------------------------------------------------
  /** requests outstanding at one peer: at the start, at least, at most. libtorrent: 4, 2, 500; a longer fast link gains by 1000. */
  pipelineStart: 4,
  pipelineMin: 2,
  pipelineMax: 1000,
  /** what to assume of a peer that says no reqq; BEP 10's example and libtorrent's default. */
  assumedReqq: 250,
  /** ms of its own rate that are kept outstanding at a peer. libtorrent's request_queue_time. */
  pipelineMs: 3000,
  /** ms after which an unanswered request goes to others. libtorrent's and aria2's request timeout. */
  requestTimeoutMs: 60_000,
  /** ms without any block while we wait for one, after which a peer is snubbed for requests: pipeline 1. libtorrent's piece_timeout. */
  snubMs: 20_000,
  /** ms without a block after which a peer loses its regular unchoke slot (Cohen 2003, anti-snubbing). */
  antiSnubMs: 60_000,
  /** bytes of pieces being assembled, checked or written at a time; the picker opens no new piece beyond. */
  bufferedPieceBytes: 48 * MiB,
  /** partial pieces for each peer that we download from; 1.5 keeps them few (webtorrent had 200 of 987). */
  partialPiecesPerPeer: 1.5,
  /** ms in which a peer must be able to finish a piece to be given it whole. libtorrent: 20 s. */
  wholePieceMs: 20_000,
  /** pieces taken at random before rarest first begins; Cohen 2003 takes 1, libtorrent 4. */
  randomFirstPieces: 4,

  // --- choking --------------------------------------------------------------------------------------------------
  /** ms between two decisions of the choker (BEP 3, Cohen 2003). */
  rechokeMs: 10_000,
  /** ms that the optimistic slot stays with one peer (BEP 3, Cohen 2003). */
  optimisticMs: 30_000,
  /** ms over which rates are averaged (Cohen 2003: 20 s). */
  rateWindowMs: 20_000,
  /** unchoke slots of one torrent; libtorrent has 8 for all, Transmission 14, Cohen 4. */
  unchokeSlots: 8,
  /** of these, how many are optimistic; libtorrent gives a fifth. */
  optimisticSlots: 1,
  /** blocks of the allowed-fast set we grant (BEP 6 suggests k = 10; libtorrent uses 5). */
  allowedFastPieces: 5,

  // --- connections ----------------------------------------------------------------------------------------------
  /** connections of one torrent, of all. qBittorrent's defaults. */
  peersPerTorrent: 100,
  connections: 500,
  /** dials waiting for an answer at a time, and dials begun per second (libtorrent: 30 per second). */
  halfOpen: 50,
  dialsPerSecond: 30,
  /** ms for a TCP connection to be made, for the handshake to be complete. */
  dialTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  /** ms of silence after which we say something, after which we hang up (BEP 3: "generally 2 minutes"). */
  keepAliveMs: 90_000,
  idleTimeoutMs: 150_000,
  /** ms that two peers with nothing for each other stay connected. */
  uninterestedMs: 300_000,
  /** addresses remembered for one torrent. libtorrent: 3000. */
  knownAddresses: 3000,
  /** ms before a failed address is dialled again: base, doubled each time, at most. */
  redialMs: 15_000,
  redialMaxMs: 30 * 60_000,
  /** failures in a row after which an address is forgotten. libtorrent's max_failcount. */
  dialFailures: 3,
  /** strikes after which an address is banned. */
  strikes: 2,
  /** bytes of blocks handed to a socket and not yet taken by the kernel. */
  sendBufferBytes: 1 * MiB,
  /** bytes read from a socket in one call. */
  receiveBytes: 256 * KiB,

  // --- storage --------------------------------------------------------------------------------------------------
  /** files held open at a time, all torrents together. libtorrent: 40. */
  openFiles: 64,
  /** bytes read from disk in one go where a peer asks for a run of blocks. */
  readAheadBytes: 256 * KiB,

  // --- discovery ------------------------------------------------------------------------------------------------
  /** ms between two DHT announces (libtorrent and WebTorrent: 15 min). */
  dhtAnnounceMs: 15 * 60_000,
  /** ms between two lookups while we have few peers, the wait doubles up to the announce interval. */
  dhtLookupMs: 5_000,
  /** with fewer connected peers than this we look for more. */
  fewPeers: 20,
  /** DHT nodes remembered between runs. Transmission: 300. */
  dhtNodesKept: 300,
} as const;
