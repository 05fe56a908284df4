// One source as the user wrote it -> a TorrentSource. Knows nothing of what will be done with it.

import { open } from 'node:fs/promises';
import type { TorrentSource } from '../engine/options.js';
import { TorrentError } from '../torrent/errors.js';
import { toHex } from '../torrent/ids.js';
import { parseInfoHash, parseMagnet } from '../torrent/magnet.js';
import { parseTorrent } from '../torrent/metainfo.js';
import { torrentBytes } from './bounded.js';
import { systemReason } from './failure.js';
import { SOURCE_KINDS } from './flags.js';
import { shortened } from './printable.js';
import type { Subject } from './reported.js';
import type { SourceItem } from './source-list.js';
import { fetchTorrent } from './torrent-url.js';

/** Longest label for people where a source has no name. */
const LABEL_LENGTH = 60;

/**
 * Reads a source. Rejects with BAD_SOURCE where it is malformed, NOT_FOUND where it cannot be read, UNSUPPORTED where it is
 * v2 only. `stopped` ends a fetch.
 */
export async function readSource(item: SourceItem, stopped: AbortSignal): Promise<TorrentSource> {
  const source = await parsed(item, stopped);
  if (source.kind === 'magnet' && source.magnet.infoHash === undefined) {
    throw new TorrentError('UNSUPPORTED', `${item.source}: this is a v2-only torrent`, {
      hint: 'v1 and hybrid torrents can be downloaded',
    });
  }
  return source;
}

/** Who an event is about. */
export function subjectOf(item: SourceItem, source: TorrentSource | undefined): Subject {
  const label = item.source === '-' ? 'stdin' : shortened(item.source, LABEL_LENGTH);
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

async function parsed(item: SourceItem, stopped: AbortSignal): Promise<TorrentSource> {
  if (item.kind === 'bytes') return torrent(item.bytes);
  if (item.kind === 'bad') throw item.error;
  const text = item.source;
  if (/^magnet:/i.test(text)) return { kind: 'magnet', magnet: parseMagnet(text) };
  if (/^https?:\/\//i.test(text)) {
    const fetched = await fetchTorrent(text, stopped);
    return 'magnet' in fetched
      ? { kind: 'magnet', magnet: parseMagnet(fetched.magnet) }
      : torrent(fetched.bytes);
  }
  const magnet = parseInfoHash(text);
  return magnet === undefined ? torrent(await readTorrentFile(text)) : { kind: 'magnet', magnet };
}

function torrent(bytes: Uint8Array): TorrentSource {
  return { kind: 'torrent', metainfo: parseTorrent(bytes) };
}

/** Reads files, and what a shell makes of `<(command)`, up to the limit. */
async function readTorrentFile(path: string): Promise<Uint8Array> {
  const what = `reading ${path}`;
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
