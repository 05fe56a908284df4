// What a torrent holds, for people and for scripts. Everything that came from outside is made printable here.

import type { MetadataEvent } from '../engine/events.js';
import { formatHostPort } from '../torrent/host-port.js';
import { printable } from '../torrent/text.js';
import { formatBytes, formatPieceLength } from './quantities.js';
import type { Subject } from './reported.js';

/** `index TAB length TAB path` of each file that is selected. Names between NULs are given as they are. */
export function selectedLines({ files }: MetadataEvent, nul: boolean): string[] {
  return files
    .filter(({ selected }) => selected)
    .map(({ index, length, path }) => `${index}\t${length}\t${nul ? path : printable(path)}`);
}

/** `# key TAB value` lines about the torrent, then those of its selected files. */
export function infoLines(event: MetadataEvent, subject: Subject | undefined, nul: boolean): string[] {
  const shown = nul ? (text: string) => text : printable;
  const { infoHash, infoHashV2 } = hashes(event, subject);
  const header: (readonly [key: string, value: string | undefined])[] = [
    ['name', event.name],
    ['infoHash', infoHash],
    ['infoHashV2', infoHashV2],
    ['length', `${event.length}`],
    ['pieces', `${event.pieces}`],
    ['pieceLength', `${event.pieceLength}`],
    ['private', event.private ? 'yes' : 'no'],
    ['source', event.infoSource],
    ['comment', event.comment],
    ['createdBy', event.createdBy],
    ['creationDate', dateText(event.creationDate)],
    // no URL has a space in it
    ...event.trackers.map(tier => ['tracker', tier.join(' ')] as const),
    ...event.webSeeds.map(url => ['webSeed', url] as const),
    ...(event.nodes ?? []).map(node => ['node', formatHostPort(node)] as const),
  ];
  return [
    ...header.flatMap(([key, value]) => (value === undefined ? [] : [`# ${key}\t${shown(value)}`])),
    ...selectedLines(event, nul),
  ];
}

/** A table for a terminal: what is not there is not mentioned. Where not all is selected, a `*` marks what is. Ends without a newline. */
export function infoTable(event: MetadataEvent, subject: Subject | undefined): string {
  const { infoHash, infoHashV2 } = hashes(event, subject);
  const { length, files } = event;
  const selected = files.filter(({ selected }) => selected);
  const bytes = selected.reduce((sum, file) => sum + file.length, 0);
  const part = `${selected.length} of ${files.length}, ${formatBytes(bytes)} of ${formatBytes(length)}`;
  const rows: (readonly [label: string, lines: readonly (string | undefined)[]])[] = [
    ['info hash', [infoHash]],
    ['info hash v2', [infoHashV2]],
    ['length', [length < 1000 ? formatBytes(length) : `${formatBytes(length)} (${length} bytes)`]],
    ['pieces', [`${event.pieces} of ${formatPieceLength(event.pieceLength)}`]],
    ['private', [event.private ? 'yes' : undefined]],
    ['source', [event.infoSource]],
    ['comment', [event.comment]],
    ['created by', [event.createdBy]],
    ['created on', [dateText(event.creationDate)]],
    ['trackers', event.trackers.map(tier => tier.join(', '))],
    ['web seeds', event.webSeeds],
    ['DHT nodes', (event.nodes ?? []).map(formatHostPort)],
    ['files', [selected.length === files.length ? `${files.length}` : part]],
  ];
  const described = rows.flatMap(([label, lines]) =>
    lines
      .filter(line => line !== undefined)
      .map((line, at) => `  ${(at === 0 ? label : '').padEnd(14)}${printable(line)}`),
  );
  const width = `${files.at(-1)?.index ?? 0}`.length;
  const listed = files.map(
    ({ index, length, path, selected: isSelected }) =>
      `${isSelected && selected.length < files.length ? '*' : ' '} ${`${index}`.padStart(width)} ${formatBytes(length).padStart(8)}  ${printable(path)}`,
  );
  return [printable(event.name), ...described, ...listed].join('\n');
}

/** A v2-only torrent goes by its v2 hash. */
function hashes({ infoHashV2 }: MetadataEvent, subject: Subject | undefined) {
  const known = subject?.infoHash;
  return { infoHash: known === infoHashV2 ? undefined : known, infoHashV2 };
}

/** `2024-02-29T12:00:00Z` of seconds since 1970. */
function dateText(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
