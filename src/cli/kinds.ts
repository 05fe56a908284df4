// The kinds of values that flags have: how each is read, what to call it, what a good one looks like.

import { isIP } from 'node:net';
import { parseHostPort } from '../torrent/host-port.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';
import { trackerUrl, webSeedUrl } from '../torrent/source-urls.js';
import type { Kind } from './flag-values.js';
import { parseBytes, parseCount, parseDuration, parseRate, parseRatio } from './quantities.js';

export const DURATION: Kind<number> = {
  parse: parseDuration,
  what: 'a duration in s, m, h or d',
  good: '15m',
};

export const RATE: Kind<number> = { parse: parseRate, what: 'a rate in bytes per second', good: '500K' };

export const RATIO: Kind<number> = { parse: parseRatio, what: 'a ratio of at least 0', good: '1.5' };

export const PATH: Kind<string> = { parse: text => text || undefined, what: 'a path', good: 'downloads' };

export const TEXT: Kind<string> = { parse: text => text || undefined, what: 'a text', good: "'some words'" };

export const COMMAND: Kind<string> = { ...TEXT, what: 'a command', good: "'notify-send done'" };

/** An address or the name of an interface, which systems bind to few rules; but a mistyped address is none. */
export const BIND: Kind<string> = {
  parse(text) {
    const isName = /^(?![\d.]*$)(?!\d+\.\d+\.)[^/\p{C}]{1,255}$/u.test(text) && !/:.*:/.test(text);
    return isIP(text) || (isName && text === text.trim()) ? text : undefined;
  },
  what: 'an address or an interface',
  good: 'tun0',
};

export const HOST_PORT: Kind<HostPort> = {
  parse: parseHostPort,
  what: 'HOST:PORT with a port from 1 to 65535',
  good: '192.0.2.7:6881',
};

/** One tier (BEP 12). A comma belongs to a URL unless another URL follows it. */
export const TRACKER_TIER: Kind<readonly string[]> = {
  parse(text) {
    const urls = text.split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i).map(trackerUrl);
    return urls.every(url => url !== undefined) ? urls : undefined;
  },
  what: 'an http, https or udp URL',
  good: 'udp://tracker.example.org:1337/announce',
};

export const WEB_SEED: Kind<string> = {
  parse: webSeedUrl,
  what: 'an http or https URL',
  good: 'https://mirror.example.org/pub/',
};

/** Bytes from `from` to `to`, both inclusive; to the end where that is undefined. */
export interface Span {
  readonly from: number;
  readonly to: number | undefined;
}

export const BYTE_RANGE: Kind<Span> = {
  parse(text) {
    const [, first = '', last = ''] = /^(\d+)-(\d*)$/.exec(text) ?? [];
    const from = parseCount(first, 0, Number.MAX_SAFE_INTEGER);
    if (from === undefined) return undefined;
    if (last === '') return { from, to: undefined };
    const to = parseCount(last, from, Number.MAX_SAFE_INTEGER);
    return to === undefined ? undefined : { from, to };
  },
  what: 'a range of bytes, from 0 and inclusive, A-B or A-',
  good: '0-999',
};

/** Smallest piece (BEP 52), which is one block. */
const MIN_PIECE_LENGTH = 16 * 1024;

export const PIECE_LENGTH: Kind<number> = {
  parse(text) {
    const length = parseBytes(text) ?? 0;
    const fits = length >= MIN_PIECE_LENGTH && length <= LIMITS.pieceLengthBytes;
    return fits && Number.isInteger(Math.log2(length)) ? length : undefined;
  },
  what: `a power of two from 16KiB to ${LIMITS.pieceLengthBytes / 2 ** 20}MiB (KiB is 1024 bytes, K is 1000)`,
  good: '256KiB',
};

/** A whole number. */
export function count(min: number, max: number, good: number): Kind<number> {
  return {
    parse: text => parseCount(text, min, max),
    what: `a whole number from ${min} to ${max}`,
    good: `${good}`,
  };
}
