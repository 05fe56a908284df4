// Four-byte big-endian integers, the only kind the peer wire protocol has (BEP 3). Knows nothing of messages.

/** The unsigned integer at `at`; the caller has made sure that four bytes are there. */
export function readUint32(bytes: Uint8Array, at: number): number {
  // `>>> 0` because `<<` yields a signed number: a length of 0x80000000 must not look negative.
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Writes 0 <= value < 2^32 at `at`. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
