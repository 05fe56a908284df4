// One source as the user wrote it -> a TorrentSource. Knows nothing of what will be done with it.

import { open } from 'node:fs/promises';
import type { TorrentSource } from '../engine/options.js';
import type { Binding } from '../torrent/binding.js';
import { TorrentError } from '../torrent/errors.js';
import { toHex } from '../torrent/ids.js';
import { parseInfoHash, parseMagnet } from '../torrent/magnet.js';
import { parseTorrent } from '../torrent/metainfo.js';
import type { Magnet } from '../torrent/metainfo-types.js';
import type { TorrentSummary } from '../torrent/torrent-summary.js';
import { torrentBytes } from './bounded.js';
import { systemReason, usageError } from './failure.js';
import { SOURCE_KINDS, TORRENT_KINDS } from './flags.js';
import type { Subject } from './reported.js';
import type { SourceItem } from './source-list.js';
import { isUrl, shownSource } from './source-text.js';

/** Longest label for people where a source has no name. */
const LABEL_LENGTH = 60;

/** A source that has been read: the bytes of a .torrent, or a link. */
export type RawSource =
  | { readonly kind: 'torrent'; readonly bytes: Uint8Array }
  | { readonly kind: 'magnet'; readonly magnet: Magnet };

/** How a .torrent behind a URL is fetched. */
export interface Fetching {
  /** Ends a fetch. */
  readonly stopped: AbortSignal;
  /** What sockets are bound to; undefined: the system chooses. Rejects with NETWORK. */
  binding(): Promise<Binding | undefined>;
}

/**
 * Reads a source. Rejects with BAD_SOURCE where it is malformed, NOT_FOUND where it cannot be read, UNSUPPORTED where it is
 * v2 only.
 */
export async function readSource(item: SourceItem, fetching: Fetching): Promise<TorrentSource> {
  return torrentSource(await readRaw(item, fetching), item.source);
}

/** A source as the engine takes it; `name` is the user's, for the message. Throws as readSource rejects. */
export function torrentSource(raw: RawSource, name: string): TorrentSource {
  if (raw.kind === 'torrent')
    return { kind: 'torrent', metainfo: ofSource(name, () => parseTorrent(raw.bytes)) };
  if (raw.magnet.infoHash === undefined) {
    throw new TorrentError('UNSUPPORTED', `${shownSource(name)}: this is a v2-only torrent`, {
      hint: 'v1 and hybrid torrents can be downloaded',
    });
  }
  return raw;
}

/** Reads a source without a look into its .torrent, which may be anything. */
export async function readRaw(item: SourceItem, fetching: Fetching): Promise<RawSource> {
  if (item.kind === 'bytes') return { kind: 'torrent', bytes: item.bytes };
  if (item.kind === 'bad') throw item.error;
  const text = item.source;
  const magnet = parseLink(text);
  if (magnet !== undefined) return { kind: 'magnet', magnet };
  if (!isUrl(text)) return { kind: 'torrent', bytes: await readTorrentFile(text) };
  const { fetchTorrent } = await import('./torrent-url.js');
  const fetched = await fetchTorrent(text, fetching);
  return 'magnet' in fetched
    ? { kind: 'magnet', magnet: ofSource(text, () => parseMagnet(fetched.magnet)) }
    : { kind: 'torrent', bytes: fetched.bytes };
}

/** The bytes of a .torrent. Rejects with USAGE for a link, and as readSource does where it cannot be read. */
export async function readTorrentBytes(item: SourceItem, fetching: Fetching): Promise<Uint8Array> {
  const raw = await readRaw(item, fetching);
  if (raw.kind === 'torrent') return raw.bytes;
  throw usageError(shownSource(item.source), 'this is no .torrent', `give it ${TORRENT_KINDS}`);
}

/** A magnet link or a bare info hash; undefined for anything else. Throws BAD_SOURCE for a malformed link. */
export function parseLink(text: string): Magnet | undefined {
  return /^magnet:/i.test(text) ? ofSource(text, () => parseMagnet(text)) : parseInfoHash(text);
}

/** Runs `parse` on what `source` holds: where that is malformed, the message names the source as the user knows it. */
export function ofSource<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TorrentError)) throw error;
    const { code, hint, message } = error;
    const named = message.replace(/^(torrent|magnet): /, () => `${shownSource(source)}: `);
    throw new TorrentError(code, named, { ...(hint !== undefined && { hint }), cause: error });
  }
}

/** Who an event is about. */
export function subjectOf(item: SourceItem, source: TorrentSource | undefined): Subject {
  const label = shownSource(item.source, LABEL_LENGTH);
  if (source === undefined) return { source: item.source, infoHash: undefined, label };
  if (source.kind === 'torrent') {
    const { infoHash, name } = source.metainfo;
    return { source: item.source, infoHash: toHex(infoHash), label: name };
  }
  const { infoHash, infoHashV2, name } = source.magnet;
  const hash = infoHash ?? infoHashV2;
  const hex = hash && toHex(hash);
  return { source: item.source, infoHash: hex, label: name ?? hex ?? label };
}

/** Who an event is about, where the torrent may be one that cannot be downloaded. */
export function subjectOfSummary(item: SourceItem, summary: TorrentSummary): Subject {
  const hash = summary.infoHash ?? summary.infoHashV2;
  return { source: item.source, infoHash: hash && toHex(hash), label: summary.name };
}

/** Reads files, and what a shell makes of `<(command)`, up to the limit. */
async function readTorrentFile(path: string): Promise<Uint8Array> {
  const what = `reading ${shownSource(path)}`;
  try {
    const file = await open(path, 'r');
    // the stream closes the file, at its end or when it is left early
    return await torrentBytes(file.createReadStream(), what);
  } catch (error) {
    if (error instanceof TorrentError) throw error;
    throw new TorrentError('NOT_FOUND', `${what}: ${systemReason(error)}`, {
      hint: `a source is ${SOURCE_KINDS}`,
      cause: error,
    });
  }
}
