// Several pieces of memory that are filled one after the other, as if they were one. Pure.

/** Bytes of all of them. */
export function bytesIn(targets: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { length } of targets) bytes += length;
  return bytes;
}

/** The memory of `length` bytes from byte `start` of the whole; all of it is views. */
export function cut(targets: readonly Uint8Array[], start: number, length: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = start;
  let left = length;
  for (const target of targets) {
    if (left === 0) break;
    if (from >= target.length) {
      from -= target.length;
      continue;
    }
    const part = target.subarray(from, Math.min(from + left, target.length));
    parts.push(part);
    left -= part.length;
    from = 0;
  }
  return parts;
}
