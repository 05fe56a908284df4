// IP addresses as text and as bytes. Knows nothing of names, ports, zones or sockets.

/** Longest IPv6 text: eight groups, the last two written as IPv4 (RFC 4291, 2.2). */
const LONGEST = 45;

/** How far an address reaches: only this machine, only a private network, or everywhere. The nearer, the smaller. */
export type Scope = typeof MACHINE | typeof PRIVATE | typeof EVERYWHERE;
export const MACHINE = 0;
export const PRIVATE = 1;
export const EVERYWHERE = 2;

/**
 * The 4 or 16 bytes of an IP literal, in network order; undefined when it is none. An IPv4-mapped IPv6 address
 * (RFC 4291, 2.5.5.2) is the same host as its IPv4 address and gives 4 bytes. No brackets, zones or octal digits.
 */
export function addressBytes(host: string): Uint8Array | undefined {
  if (host.length > LONGEST) return undefined;
  if (!host.includes(':')) return ipv4Bytes(host);
  const bytes = ipv6Bytes(host);
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** The one canonical text (RFC 5952) of 4 or 16 bytes; undefined for any other length. */
export function hostText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => at).map(
    at => ((bytes[2 * at] as number) << 8) | (bytes[2 * at + 1] as number),
  );
  const [start, length] = longestZeros(groups);
  const hex = groups.map(group => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/**
 * Whether a connection to these 4 or 16 bytes can make sense: not unspecified, multicast, reserved or broadcast, and
 * not link-local IPv6, which needs a zone that nobody tells.
 */
export function isDialable(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) return first !== 0 && first < 224;
  if (first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false;
  return bytes.some(byte => byte !== 0);
}

/**
 * How far these 4 or 16 bytes reach, by the registries of RFC 6890 and RFC 4193: loopback, and the unspecified address,
 * which systems take for loopback, are this machine; private, shared, link-local, unique local and the former site-local
 * (RFC 3879) blocks are a private network. Unknown bytes count as everywhere. An address of the internet that this very
 * machine has is not recognized.
 */
export function scopeOf(bytes: Uint8Array | undefined): Scope {
  if (bytes === undefined) return EVERYWHERE;
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) {
    if (first === 127 || first === 0) return MACHINE;
    const isPrivate =
      first === 10 ||
      (first === 172 && second >> 4 === 1) ||
      (first === 192 && second === 168) ||
      (first === 169 && second === 254) ||
      (first === 100 && second >> 6 === 1);
    return isPrivate ? PRIVATE : EVERYWHERE;
  }
  if (isMapped(bytes)) return scopeOf(bytes.subarray(12));
  if (bytes.every((byte, at) => byte === 0 || (at === 15 && byte === 1))) return MACHINE;
  const isLocal = (first & 0xfe) === 0xfc || (first === 0xfe && second >= 0x80);
  return isLocal ? PRIVATE : EVERYWHERE;
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const fields = text.split('.');
  if (fields.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [at, field] of fields.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(field) || Number(field) > 255) return undefined;
    bytes[at] = Number(field);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  const [left = '', right] = halves;
  if (halves.length > 2) return undefined;
  const head = groupBytes(left, right === undefined);
  const tail = groupBytes(right ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const given = head.length + tail.length;
  if (right === undefined ? given !== 16 : given > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of groups joined by colons; the last may be an IPv4 address where the whole text ends with it. */
function groupBytes(text: string, ends: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (ends && at === groups.length - 1 && group.includes('.')) {
      const embedded = ipv4Bytes(group);
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Start and length of the longest run of zero groups, the first of equal ones (RFC 5952, 4.2.3). */
function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  let run = 0;
  for (const [at, group] of groups.entries()) {
    run = group === 0 ? run + 1 : 0;
    if (run > best[1]) best = [at - run + 1, run];
  }
  return best;
}
