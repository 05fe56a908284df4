// `rarest magnet`: the magnet link of a .torrent.

import { toHex } from '../../torrent/ids.js';
import { parseTorrent } from '../../torrent/metainfo.js';
import { summarize, type TorrentSummary } from '../../torrent/torrent-summary.js';
import type { Invocation, Plan } from '../command.js';
import { runJobs } from '../jobs.js';
import { areSeveral, outputOptions, severalOperands } from '../options.js';
import { magnetLinks } from '../results.js';
import type { Session } from '../session.js';
import { listSources, type SourceItem } from '../source-list.js';
import { ofSource, readTorrentBytes, subjectOf, subjectOfSummary } from '../sources.js';

export function plan(invocation: Invocation): Plan {
  const output = outputOptions(invocation);
  const sources = severalOperands(invocation);
  return {
    session: {
      output,
      several: areSeveral(sources),
      endsWithReader: true,
      items: magnetLinks,
    },
    // in the order of the sources
    run: session =>
      runJobs(listSources(sources, session.stdin, output.nul), 1, item => tellMagnet(item, session)),
  };
}

async function tellMagnet(item: SourceItem, session: Session): Promise<void> {
  let subject = subjectOf(item, undefined);
  try {
    const bytes = await readTorrentBytes(item, session);
    const summary = ofSource(item.source, () => summarize(bytes));
    subject = subjectOfSummary(item, summary);
    session.reporter.event({ event: 'magnet', magnet: await linkOf(item.source, bytes, summary) }, subject);
  } catch (error) {
    session.fail(error, subject);
  }
}

async function linkOf(source: string, bytes: Uint8Array, summary: TorrentSummary): Promise<string> {
  if (summary.infoHash === undefined) return linkV2(summary);
  const { formatMagnet } = await import('../../torrent/magnet-link.js');
  return formatMagnet(ofSource(source, () => parseTorrent(bytes)));
}

/** The link of a v2-only torrent (BEP 52), which has no Metainfo; written the way formatMagnet writes. */
function linkV2({ infoHashV2, name, trackers, webSeeds }: TorrentSummary): string {
  const encoded = (key: string) => (url: string) => `${key}=${encodeURIComponent(url)}`;
  return `magnet:?${[
    `xt=urn:btmh:1220${toHex(infoHashV2 ?? new Uint8Array())}`,
    `dn=${encodeURIComponent(name).replaceAll('%20', '+')}`,
    ...trackers.flat().map(encoded('tr')),
    ...webSeeds.map(encoded('ws')),
  ].join('&')}`;
}
