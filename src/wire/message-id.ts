// The ids of messages on the wire (BEP 3, 5, 6, 10), shared by encode.ts and decoder.ts.

export const ID = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  /** BEP 5. */
  port: 9,
  /** BEP 6, from here to allowedFast. */
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  /** BEP 10. */
  extended: 20,
} as const;

/** Bytes before the block in a piece message, length prefix included. */
export const PIECE_HEADER_LENGTH = 13;
