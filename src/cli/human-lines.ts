// Events in words: the lines that stay on stderr. Everything that came from outside is made printable here.

import { printable } from '../torrent/text.js';
import { counted, formatBytes, formatDuration, formatRate } from './quantities.js';
import type { ReportedEvent } from './reported.js';

/** What people are told of an event about the torrent `name`: a line, or undefined where they need none. */
export type Words = (event: ReportedEvent, name: string | undefined, verbose: boolean) => string | undefined;

/** The usual words: the line for an event about the torrent `name`, or undefined where people need none. */
export function humanLine(
  event: ReportedEvent,
  name: string | undefined,
  verbose: boolean,
): string | undefined {
  const of = name === undefined ? '' : `${name}: `;
  switch (event.event) {
    case 'metadata':
      return `${of}${contents(event)}`;
    case 'resumed':
      return event.bytesHave > 0 ? `${of}${formatBytes(event.bytesHave)} already here` : undefined;
    case 'warning':
      return `rarest: warning: ${of}${printable(event.message)}`;
    case 'seeding':
      return `${of}seeding ${printable(event.magnet)}`;
    case 'done':
      return `${of}done, ${formatBytes(event.length)}${transferred(event)}`;
    default:
      return verbose ? verboseLine(event, name) : undefined;
  }
}

/** `3 files, 1.2 GB in 600 pieces`, or, where not all is wanted, `2 of 3 files, 800 MB of 1.2 GB`. */
function contents({ files, length, pieces }: Extract<ReportedEvent, { event: 'metadata' }>): string {
  const wanted = files.filter(({ selected }) => selected);
  const all = counted(files.length, 'file');
  if (wanted.length === files.length) return `${all}, ${formatBytes(length)} in ${counted(pieces, 'piece')}`;
  const bytes = wanted.reduce((sum, file) => sum + file.length, 0);
  return `${wanted.length} of ${all}, ${formatBytes(bytes)} of ${formatBytes(length)}`;
}

function verboseLine(event: ReportedEvent, name: string | undefined): string | undefined {
  const of = name === undefined ? '' : `${name}: `;
  switch (event.event) {
    case 'listening': {
      const dht = event.dhtPort === null ? 'no DHT' : `DHT on port ${event.dhtPort}`;
      return `listening on ${event.host} port ${event.port}, ${dht}`;
    }
    case 'dht':
      return `${of}DHT: ${counted(event.nodes, 'node')}, ${counted(event.found, 'address', 'addresses')} found`;
    case 'tracker':
      return trackerLine(event, name);
    case 'peer': {
      const why = event.why === undefined ? '' : `: ${printable(event.why)}`;
      return `${of}peer ${printable(event.address)} ${event.how}${why}`;
    }
    case 'choke':
      return `${of}${event.decision} ${printable(event.address)}: ${printable(event.reason)}`;
    default:
      return undefined;
  }
}

/** `NAME: tracker URL: 50 peers, 12 seeds, 3 leechers`, or why it failed. */
export function trackerLine(
  event: Extract<ReportedEvent, { event: 'tracker' }>,
  name: string | undefined,
): string {
  const { peers, seeds, leechers, warning, error } = event;
  const parts: string[] = [];
  if (peers !== undefined) parts.push(counted(peers, 'peer'));
  if (seeds !== undefined) parts.push(counted(seeds, 'seed'));
  if (leechers !== undefined) parts.push(counted(leechers, 'leecher'));
  if (warning !== undefined) parts.push(`warning: ${printable(warning)}`);
  if (error !== undefined) parts.push(`failed: ${printable(error)}`);
  const of = name === undefined ? '' : `${name}: `;
  return `${of}tracker ${printable(event.url)}: ${parts.join(', ') || 'answered'}`;
}

/** What a finished download cost; nothing of what was zero. */
function transferred(done: Extract<ReportedEvent, { event: 'done' }>): string {
  const { downloaded, uploaded, wasted, seconds } = done;
  const parts: string[] = [];
  if (downloaded > 0) {
    const rate = seconds > 0 ? ` (${formatRate(downloaded / seconds)})` : '';
    parts.push(`${formatBytes(downloaded)} received in ${formatDuration(seconds)}${rate}`);
  }
  if (wasted > 0) parts.push(`${formatBytes(wasted)} wasted`);
  if (uploaded > 0) parts.push(`${formatBytes(uploaded)} sent (ratio ${done.ratio.toFixed(2)})`);
  return parts.map(part => `, ${part}`).join('');
}
