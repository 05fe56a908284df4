// Every quantity that comes from outside has a limit, and every tuned number has a reason. One table, read by all rooms;
// what concerns the roads to a peer is in road-limits.ts for its length.

import { ROAD_LIMITS } from './road-limits.js';

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
  /** bytes of a whole path inside the output directory; PATH_MAX is 4096 and the directory needs room too. */
  pathBytes: 3 * KiB,
  /** bytes of one string or list of strings handed to the npm decoder, whose objects take a hundred times as much. */
  decodedValueBytes: 64 * KiB,
  /** trackers kept of one torrent or link; nobody announces to more, and one fixture of 5000 exists to hurt. */
  trackers: 200,
  /** web seeds kept of one torrent or link. */
  webSeeds: 100,
  /** DHT nodes kept of one torrent. */
  torrentNodes: 100,
  /** peers (x.pe) kept of one link. */
  magnetPeers: 100,
  /** characters of the URL of a tracker or a web seed; browsers and servers stop between 2 and 8 KiB. */
  urlChars: 4 * KiB,
  /** characters of a magnet link; the longest known in tests has 50,000. */
  magnetChars: 256 * KiB,
  /** changed names that are listed one by one in the warnings of a torrent; the rest is counted. */
  nameWarnings: 5,

  // --- wire -----------------------------------------------------------------------------------------------------
  /** bytes of an extended message (BEP 10): one 16 KiB metadata block, or PEX, with room. */
  extendedBytes: 128 * KiB,
  /** bytes of the dictionary in an extended message; those of known clients have under 1 KiB, and keys are sorted to find
   * duplicates. */
  extensionDictBytes: 64 * KiB,
  /** bytes of bitfields (and as much for each HAVE ALL or NONE) one peer may send: at once, and for each second. aria2 sends one in
   * place of several HAVEs; of the largest torrent this is one in four seconds, of a common one a thousand a second. */
  fieldBytes: 1 * MiB,
  fieldBps: 64 * KiB,
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
  bufferedPieceBytes: 32 * MiB,
  /** bytes of memory made at a time for pieces that are smaller. */
  pieceSlabBytes: 1 * MiB,
  /** partial pieces for each peer that we download from; 1.5 keeps them few (webtorrent had 200 of 987). */
  partialPiecesPerPeer: 1.5,
  /** ms in which a peer must be able to finish a piece to be given it whole. libtorrent: 20 s. */
  wholePieceMs: 20_000,
  /** pieces taken at random before rarest first begins; Cohen 2003 takes 1, libtorrent 4. */
  randomFirstPieces: 4,

  // --- reading as it comes --------------------------------------------------------------------------------------
  /** bytes wanted ahead of a reader (at least two pieces), and kept in memory behind it for other peers. */
  streamAheadBytes: 48 * MiB,
  streamBehindBytes: 16 * MiB,
  /** bytes next to a reader that are asked for in order, and their pieces (at least two); each question looks at these. */
  streamNearBytes: 8 * MiB,
  streamNearPieces: 64,
  /** ms that a reader waits for a piece, all of which was asked for, before others are asked for it too. */
  streamLateMs: 2000,

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
  /** ms that a slot stays with one peer while we seed; libtorrent's round robin keeps it a minute too. */
  seedTurnMs: 60_000,
  /** by how much a choked peer must outdo an unchoked one: near-equal rates would swap places at each decision. */
  incumbentFactor: 1.1,
  /** bytes a peer may take on credit, or one piece if that is more: Cohen's piece length, and so something to trade. */
  freeBiteBytes: 256 * KiB,
  /** bytes taken that one byte returned pays for; a peer deeper in debt than one free bite is last in line. */
  returnRatio: 16,
  /** blocks of the allowed-fast set we grant (BEP 6 suggests k = 10; libtorrent uses 5). */
  allowedFastPieces: 5,
  /** allowed-fast and suggested pieces of one peer that are kept. webtorrent accepts 100. */
  hintedPieces: 100,

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
  /** bytes of everything written to a peer that does not read: twice the largest metadata, beside blocks and haves. */
  unreadBytes: 64 * MiB,
  /** ms of a limited rate that may be caught up in one burst: with more, no second would stay within 20 % of the limit. */
  rateBurstMs: 150,
  /** bytes read from a socket in one call. */
  receiveBytes: 256 * KiB,

  // --- metadata of a magnet (BEP 9) -----------------------------------------------------------------------------
  /** parts asked of one peer at a time: 128 KiB, so that most torrents take one round trip. */
  metadataRequests: 8,
  /** ms without an answer after which parts asked of a peer are asked of others too. libtorrent: 3 s. */
  metadataQuietMs: 3_000,
  /** ms without an answer after which a peer is taken to have lost our requests. */
  metadataTimeoutMs: 20_000,
  /** ms that a peer which refused or lost a request is left alone: base, doubled each time, at most. libtorrent: 20-70 s. */
  metadataBackoffMs: 10_000,
  metadataBackoffMaxMs: 60_000,
  /** ms that a peer which is to give all parts on its own has at least, and for each part that came: 16 KiB per second. */
  metadataSoloMs: 10_000,
  metadataPartMs: 1_000,
  /** bytes of unchecked parts kept, all claimed sizes together: the largest metadata twice. */
  metadataKeptBytes: 60 * MiB,
  /** haves of one peer that are kept until the metadata is here, besides its bitfield. */
  rememberedHaves: 4096,

  /** bytes read in one call while a download limit is to be kept smoothly. */
  limitedReceiveBytes: 16 * KiB,
  /** addresses that `peers` lists of one swarm. */
  foundAddresses: 100_000,

  // --- storage --------------------------------------------------------------------------------------------------
  /** files held open at a time, all torrents together. libtorrent: 40. */
  openFiles: 64,
  /** blocks read from disk in one go where a peer asks for one: 256 KiB. */
  runBlocks: 16,
  /** bytes of such runs kept for the requests that follow, over all torrents: 64 runs, each of use to many peers at once. */
  runBytes: 16 * MiB,
  /** runs that lie together and are read in one go: a thread of the pool is not woken for less than it has to. */
  readRuns: 4,
  /** part of their memory that one read may fill with what nobody has asked for yet; reads without such after it was for nothing. */
  readAheadShare: 1 / 12,
  waryLoads: 64,
  /** such reads for one peer at a time, and for all: Node's thread pool has four threads, a few more keep it busy. */
  peerReads: 4,
  diskReads: 8,
  /** bytes read and hashed in one go where pieces are smaller: a thread is not woken for each of many pieces. */
  hashRunBytes: 4 * MiB,
  /** threads that read, hash and write, one for each core up to this; files that each holds open. */
  diskThreads: 16,
  threadFiles: 32,
  /** bytes hashed and written before such threads are started: they take 50 ms to start, in which one core hashes as much. */
  hashInPlaceBytes: 32 * MiB,
  /** what a file that is opened or looked at without them counts as: bytes that one core hashes in the same time. */
  inPlaceFileBytes: 64 * KiB,
  /** paths that a thread looks at in one go. */
  lookPaths: 4096,
  /** ms that pieces wait for others to go to a thread in one message, unless there are so many bytes of them. */
  diskBatchMs: 25,
  diskBatchBytes: 8 * MiB,
  /** files from which on a run is read by a thread; bytes that wait for one before another is started. */
  threadReadFiles: 4,
  readAheadBytes: 2 * MiB,
  /** bytes of pieces that wait for one thread before another is started: one keeps up with a gigabyte a second. */
  writeAheadBytes: 32 * MiB,
  /** files named one by one in the warnings about data on disk; the rest is counted. */
  fileWarnings: 10,
  /** calls that ask for the state of a file at a time. */
  fileStats: 16,
  /** bytes of a file in our state directory; 30 MiB of metadata are 40 in base64. */
  stateFileBytes: 64 * MiB,
  /** bytes of a configuration file; every flag with a word on it has 8 KiB, two hundred trackers have as much. */
  configFileBytes: 256 * KiB,
  /** bytes of a lock file; ours have about 150. */
  lockFileBytes: 4 * KiB,

  ...ROAD_LIMITS,
} as const;
