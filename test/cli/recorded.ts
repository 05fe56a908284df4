// The events of one download, as an engine tells them.

import type { Subject } from '../../src/cli/reported.js';
import type { ProgressEvent, TorrentEvent } from '../../src/engine/events.js';

export const SUBJECT: Subject = { source: 'magnet:?xt=…', infoHash: 'c1'.repeat(20), label: 'c1c1' };

export const METADATA: TorrentEvent = {
  event: 'metadata',
  name: 'Sin\x1b[2Jtel',
  pieces: 4,
  pieceLength: 16_384,
  length: 60_000,
  private: false,
  trackers: [],
  webSeeds: [],
  files: [
    { index: 0, path: 'out/Sintel/a.mkv', length: 50_000, selected: true },
    { index: 1, path: 'out/Sintel/b.srt', length: 10_000, selected: true },
  ],
  from: 'peers',
};

export function progress(fields: Partial<ProgressEvent>): ProgressEvent {
  return {
    event: 'progress',
    downloaded: 25_380,
    length: 60_000,
    uploaded: 1_000,
    downRate: 5_100_000,
    upRate: 120_000,
    peers: 12,
    seeds: 3,
    etaSeconds: 130,
    availability: 3,
    ...fields,
  };
}

/** All of it, in order; the reporters are shown one each second. */
export const RECORDED: readonly TorrentEvent[] = [
  { event: 'dht', nodes: 120, found: 14 },
  { event: 'peer', address: '192.0.2.1:6881', how: 'dialled' },
  METADATA,
  { event: 'resumed', piecesHave: 1, bytesHave: 16_384, how: 'resume' },
  { event: 'warning', message: 'tracker said\n"no\u202e"' },
  { event: 'choke', address: '192.0.2.1:6881', decision: 'unchoke', reason: 'fastest' },
  { event: 'piece', index: 2 },
  progress({}),
  { event: 'file', index: 1, path: 'out/Sintel/b.srt', length: 10_000 },
  { event: 'peer', address: '192.0.2.1:6881', how: 'closed', why: 'idle-timeout' },
  progress({ downloaded: 40_000, etaSeconds: null }),
  { event: 'file', index: 0, path: 'out/Sintel/a.mkv', length: 50_000 },
  {
    event: 'done',
    path: 'out/Sintel',
    files: 2,
    length: 60_000,
    seconds: 10,
    downloaded: 43_616,
    uploaded: 1_000,
    ratio: 0.0167,
    wasted: 16_384,
  },
  { event: 'seeding', magnet: 'magnet:?xt=urn:btih:c1&dn=Sintel' },
  progress({ downloaded: 60_000, etaSeconds: null, downRate: 0 }),
];
