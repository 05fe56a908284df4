// Info hashes and peer ids: 20 raw bytes each (BEP 3). Hex and base32 live here and in the command line, nowhere else.

declare const brand: unique symbol;

/** 20 bytes: SHA-1 of the raw bencoded info dictionary (BEP 3), or a v2 hash truncated to 20 bytes (BEP 52). */
export type InfoHash = Uint8Array & { readonly [brand]: 'InfoHash' };
/** 20 bytes chosen by each client for one run (BEP 3, BEP 20). */
export type PeerId = Uint8Array & { readonly [brand]: 'PeerId' };

export const HASH_LENGTH = 20;

/** The same bytes as an info hash, or undefined when there are not exactly 20. */
export function infoHash(bytes: Uint8Array): InfoHash | undefined {
  return bytes.length === HASH_LENGTH ? (bytes as InfoHash) : undefined;
}

/** The same bytes as a peer id, or undefined when there are not exactly 20. */
export function peerId(bytes: Uint8Array): PeerId | undefined {
  return bytes.length === HASH_LENGTH ? (bytes as PeerId) : undefined;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += HEX[byte];
  return hex;
}

/** Bytes of an even number of hex digits, or undefined. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytes of a base32 string without padding (RFC 4648), as older magnet links write info hashes; undefined if malformed. */
export function fromBase32(text: string): Uint8Array | undefined {
  if (!/^[a-z2-7]*$/i.test(text)) return undefined;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const char of text.toUpperCase()) {
    value = ((value << 5) | alphabet.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (value >>> bits) & 0xff;
    }
  }
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
