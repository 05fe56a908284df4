// The three kinds of failure. A PeerError closes one connection, a TorrentError stops one download and reaches
// the user, anything else is a bug of ours and crashes loudly.

/** Exit codes of the command line, by name. They never change: scripts rely on them. */
export const EXIT_CODES = {
  OK: 0,
  INTERNAL: 1,
  USAGE: 2,
  BAD_SOURCE: 3,
  NOT_FOUND: 4,
  NO_METADATA: 5,
  STALLED: 6,
  DISK_IO: 7,
  DISK_FULL: 8,
  VERIFY_FAILED: 9,
  NETWORK: 10,
  HOOK_FAILED: 11,
  LOCKED: 12,
  SELECT_EMPTY: 13,
  EXISTS: 14,
  UNSUPPORTED: 15,
} as const;

export type ErrorCode = Exclude<keyof typeof EXIT_CODES, 'OK'>;

/** Why a peer connection was closed. Everything that starts a strike is listed in STRIKE_REASONS. */
export type CloseReason =
  // what the wire decoder or the handshake found
  | 'bad-handshake'
  | 'wrong-info-hash'
  | 'message-too-long'
  | 'bad-message-length'
  | 'bad-bitfield'
  | 'fast-not-enabled'
  | 'bad-extension'
  // what the swarm found
  | 'bad-index'
  | 'bad-request'
  | 'unrequested-block'
  | 'hash-failed'
  | 'bad-metadata'
  | 'request-flood'
  | 'message-flood'
  // no fault of the peer
  | 'self'
  | 'duplicate'
  | 'banned'
  | 'both-seeds'
  | 'both-uninterested'
  | 'too-many-peers'
  // BEP 27: a private torrent takes peers from its tracker alone
  | 'not-allowed'
  | 'handshake-timeout'
  | 'idle-timeout'
  | 'remote-closed'
  | 'socket-error'
  | 'shutdown';

/** Closes one connection. */
export class PeerError extends Error {
  readonly code: CloseReason;
  constructor(code: CloseReason, detail = '') {
    super(detail ? `${code}: ${detail}` : code);
    this.name = 'PeerError';
    this.code = code;
  }
}

/**
 * Stops one download and is shown to the user as `rarest: <message> (<CODE>)`.
 * `message` reads `<what failed>: <why>`, `hint` says what to do about it.
 */
export class TorrentError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TorrentError';
    this.code = code;
    this.hint = options.hint;
  }
}
