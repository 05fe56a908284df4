// What an HTTP answer to a request for a range means: the bytes asked for, more than those, or none. Pure; also the
// type of the HTTP access, which comes from outside.

import { LIMITS } from '../torrent/limits.js';
import type { FileRange } from './ranges.js';

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Each part is read before the next is asked for. Throws where the connection fails. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends an exchange whose body is not wanted further; a reader that waits for it is told. */
  destroy(): void;
}

/**
 * Asks for a URL and follows redirects, a bounded number. Rejects where there is no answer.
 * @param options timeoutMs: ms without progress; signal: ends the exchange in any state
 */
export type HttpFetch = (
  url: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
) => Promise<HttpAnswer>;

export type Failure =
  /** The server does not have this file, or another one in its place. */
  | { readonly kind: 'absent'; readonly file: number; readonly why: string }
  /** It has the file, but gives it only from the start. */
  | { readonly kind: 'no-ranges'; readonly file: number; readonly why: string }
  /** Anything else, which may pass; the server may have said how long to wait. */
  | { readonly kind: 'failed'; readonly why: string; readonly retryAfterMs?: number | undefined };

/** Where in the body the range is. */
export interface Acceptance {
  readonly kind: 'accepted';
  readonly skipBytes: number;
  /** Bytes behind the range that are not wanted. */
  readonly restBytes: number;
}

/** Statuses that are about this file, not about the server. */
const ABSENT = [401, 403, 404, 410, 416, 451];

/** @param fileLength bytes that the file has by the torrent */
export function judge(
  answer: Pick<HttpAnswer, 'status' | 'headers'>,
  range: FileRange,
  fileLength: number,
): Acceptance | Failure {
  const { status, headers } = answer;
  const why = `HTTP status ${status}`;
  if (ABSENT.includes(status)) return { kind: 'absent', file: range.file, why };
  if (status !== 200 && status !== 206) return { kind: 'failed', why, retryAfterMs: retryAfterMs(headers) };
  // Bytes of an encoding are not those of the file, and we asked for none.
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') return failed('the answer is compressed');
  return status === 206 ? judgePart(headers, range, fileLength) : judgeWhole(headers, range, fileLength);
}

export function failed(why: string): Failure {
  return { kind: 'failed', why };
}

function judgePart(
  headers: HttpAnswer['headers'],
  { file, position, length }: FileRange,
  fileLength: number,
): Acceptance | Failure {
  const text = headers['content-range'] ?? '';
  const [, first, last, total = '*'] =
    /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(text.trim()) ?? [];
  if (total !== '*' && Number(total) !== fileLength) return wrongLength(file, Number(total), fileLength);
  if (first === undefined || Number(first) !== position || Number(last) !== position + length - 1)
    return failed('another range than asked for');
  const announced = announcedBytes(headers);
  if (announced !== undefined && announced !== length) return failed('the body is not as long as the range');
  return { kind: 'accepted', skipBytes: 0, restBytes: 0 };
}

function judgeWhole(
  headers: HttpAnswer['headers'],
  { file, position, length }: FileRange,
  fileLength: number,
): Acceptance | Failure {
  const announced = announcedBytes(headers);
  if (announced !== undefined && announced !== fileLength) return wrongLength(file, announced, fileLength);
  if (position > LIMITS.webSeedSkipBytes) return { kind: 'no-ranges', file, why: 'the server has no ranges' };
  return { kind: 'accepted', skipBytes: position, restBytes: fileLength - position - length };
}

function wrongLength(file: number, bytes: number, fileLength: number): Failure {
  return { kind: 'absent', file, why: `the file has ${bytes} bytes there instead of ${fileLength}` };
}

function announcedBytes(headers: HttpAnswer['headers']): number | undefined {
  const text = headers['content-length'];
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

/** RFC 9110, 10.2.3: seconds, or a date, which only the clock of the server itself can tell. */
function retryAfterMs(headers: HttpAnswer['headers']): number | undefined {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(headers.date ?? '');
  return waitMs > 0 ? waitMs : undefined;
}
