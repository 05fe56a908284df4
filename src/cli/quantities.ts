// Numbers as people write and read them: durations, sizes, rates. Knows nothing of flags or events.

const DURATION_UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DECIMAL = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 } as const;
const BINARY = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** Milliseconds of `90`, `90s`, `15m`, `1.5h` or `1d`; undefined if it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)([smhd]?)$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2] || 's').toLowerCase() as keyof typeof DURATION_UNITS;
  return Math.round(Number(match[1]) * DURATION_UNITS[unit]);
}

/** Bytes of `500`, `500K`, `2MB` (K = 1000) or `1.5MiB`, `1Ki` (KiB = 1024), rounded up; undefined if malformed. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([kmgt]?)(i?)b?$/i.exec(text);
  if (match === null) return undefined;
  const prefix = (match[2] ?? '').toLowerCase() as keyof typeof DECIMAL;
  if (match[3] && prefix === '') return undefined;
  const bytes = Math.ceil(Number(match[1]) * (match[3] ? BINARY : DECIMAL)[prefix]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes per second, written as bytes are, with `/s` allowed behind; undefined if malformed. */
export function parseRate(text: string): number | undefined {
  return parseBytes(text.replace(/\/s$/i, ''));
}

/** A whole number from `min` to `max`, or undefined. */
export function parseCount(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const count = Number(text);
  return count >= min && count <= max ? count : undefined;
}

/** A number of at least zero such as `1.5`, or undefined. */
export function parseRatio(text: string): number | undefined {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

/** `1 peer`, `2 peers`, `0 peers`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** `0 B`, `999 B`, `1.5 kB`, `15 MB`: powers of 1000, as the flags read them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  // 999.5 would be shown as 1000 of the smaller unit
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1.5 MB/s` of bytes per second. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `45s`, `2m10s`, `1h05m`, `3d04h` of seconds. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const pair = (large: number, a: string, small: number, b: string) =>
    `${Math.floor(whole / large)}${a}${String(Math.floor((whole % large) / small)).padStart(2, '0')}${b}`;
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return pair(60, 'm', 1, 's');
  if (whole < 86_400) return pair(3_600, 'h', 60, 'm');
  return pair(86_400, 'd', 3_600, 'h');
}

/** `42.3%` of `part` in `whole`; never `100.0%` before all of it is there. */
export function formatPercent(part: number, whole: number): string {
  if (part >= whole) return '100%';
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)}%`;
}

/** `256 KiB`, `4 MiB` of a power of two, `1000 bytes` of anything else. */
export function formatPieceLength(bytes: number): string {
  if (bytes >= BINARY.m && bytes % BINARY.m === 0) return `${bytes / BINARY.m} MiB`;
  if (bytes >= BINARY.k && bytes % BINARY.k === 0) return `${bytes / BINARY.k} KiB`;
  return `${bytes} bytes`;
}
