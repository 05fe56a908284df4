// What people are shown of one torrent at work, gathered from its events.

import type { ProgressEvent } from '../engine/events.js';
import { printable } from '../torrent/text.js';
import { shortened } from './printable.js';
import { counted, formatBytes, formatDuration, formatPercent, formatRate } from './quantities.js';
import type { ReportedEvent } from './reported.js';

const NAME_LENGTH = 60;

export class TorrentView {
  /** Fit for a terminal. */
  name: string;
  /** Undefined until the metadata is known. */
  pieces: number | undefined;
  piecesHave = 0;
  /** Not all files are wanted, so that the number of pieces says nothing. */
  isPartial = false;
  seeding = false;
  /** Data is being read and hashed, nothing is transferred. */
  hashing: boolean;
  progress: ProgressEvent | undefined;

  constructor(label: string, hashing = false) {
    this.name = shownName(label);
    this.hashing = hashing;
  }

  /** Takes in an event; whether the progress moved. */
  update(event: ReportedEvent): boolean {
    switch (event.event) {
      case 'metadata':
        this.name = shownName(event.name);
        this.pieces = event.pieces;
        this.isPartial = event.files.some(({ selected }) => !selected);
        this.hashing = false;
        return false;
      case 'resumed':
        this.piecesHave = event.piecesHave;
        return false;
      case 'piece':
        this.piecesHave = Math.min(this.piecesHave + 1, this.pieces ?? Number.POSITIVE_INFINITY);
        return false;
      case 'seeding':
        this.seeding = true;
        return false;
      case 'progress':
        this.progress = event;
        return true;
      default:
        return false;
    }
  }
}

/** `42.3% of 1.2 GB, 312/4800 pieces, 5.1 MB/s down, 120 kB/s up, 12 peers (3 seeds), 2m10s left`. */
export function progressText(view: TorrentView): string {
  const { progress } = view;
  if (view.hashing) return hashingText(progress);
  if (progress === undefined) return view.pieces === undefined ? 'waiting for metadata' : 'starting';
  const peers = `${counted(progress.peers, 'peer')} (${counted(progress.seeds, 'seed')})`;
  if (view.pieces === undefined) return `waiting for metadata, ${peers}`;
  const up = `${formatRate(progress.upRate)} up`;
  if (view.seeding) return `seeding, ${up}, ${formatBytes(progress.uploaded)} uploaded, ${peers}`;
  const parts = [
    `${formatPercent(progress.downloaded, progress.length)} of ${formatBytes(progress.length)}`,
    ...(view.isPartial ? [] : [`${view.piecesHave}/${view.pieces} pieces`]),
    `${formatRate(progress.downRate)} down`,
    up,
    peers,
  ];
  if (progress.etaSeconds !== null) parts.push(`${formatDuration(progress.etaSeconds)} left`);
  return parts.join(', ');
}

/** `hashed 42.3% of 1.2 GB, 300 MB/s, 3s left`. */
function hashingText(progress: ProgressEvent | undefined): string {
  if (progress === undefined) return 'hashing';
  const { downloaded, length, downRate, etaSeconds } = progress;
  const parts = [
    `hashed ${formatPercent(downloaded, length)} of ${formatBytes(length)}`,
    formatRate(downRate),
  ];
  if (etaSeconds !== null) parts.push(`${formatDuration(etaSeconds)} left`);
  return parts.join(', ');
}

/** One line for all torrents at work. */
export function statusLine(views: readonly TorrentView[]): string {
  const [only] = views;
  if (only === undefined) return 'rarest: no torrent at work';
  if (views.length === 1) return `${only.name}: ${progressText(only)}`;
  const sum = (of: (progress: ProgressEvent) => number) =>
    views.reduce((total, { progress }) => total + (progress === undefined ? 0 : of(progress)), 0);
  const length = sum(progress => progress.length);
  return [
    `${views.length} torrents: ${formatPercent(
      sum(progress => progress.downloaded),
      length || 1,
    )} of ${formatBytes(length)}`,
    `${formatRate(sum(progress => progress.downRate))} down`,
    `${formatRate(sum(progress => progress.upRate))} up`,
    counted(
      sum(progress => progress.peers),
      'peer',
    ),
  ].join(', ');
}

/** The name of a torrent, fit for one line of a terminal. */
export function shownName(text: string): string {
  return shortened(printable(text), NAME_LENGTH);
}
