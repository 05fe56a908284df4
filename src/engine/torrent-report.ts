// What the owner of a torrent is told, in the words and with the fields of events.ts.

import { join } from 'node:path';
import type { Swarm } from '../swarm/swarm.js';
import { toHex } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { TorrentEvent } from './events.js';
import { progressOf } from './snapshot.js';

export class TorrentReport {
  /** Output directory as the user gave it. */
  readonly #output: string;
  readonly #onEvent: (event: TorrentEvent) => void;
  readonly #startedAtMs: number;
  #lastDht = '0 0';

  constructor(output: string, onEvent: (event: TorrentEvent) => void, startedAtMs: number) {
    this.#output = output;
    this.#onEvent = onEvent;
    this.#startedAtMs = startedAtMs;
  }

  warning(message: string): void {
    this.#onEvent({ event: 'warning', message });
  }

  metadata(metainfo: Metainfo, from: 'torrent' | 'peers' | 'cache'): void {
    this.#onEvent({
      event: 'metadata',
      name: metainfo.name,
      pieces: metainfo.pieceHashes.length / 20,
      pieceLength: metainfo.pieceLength,
      length: metainfo.length,
      private: metainfo.private,
      ...(metainfo.infoHashV2 && { infoHashV2: toHex(metainfo.infoHashV2) }),
      trackers: metainfo.trackers,
      webSeeds: metainfo.webSeeds,
      files: metainfo.files.flatMap(({ pad, length }, index) =>
        pad ? [] : [{ index, path: this.#pathOf(metainfo, index), length, selected: true }],
      ),
      from,
    });
    for (const warning of metainfo.warnings) this.warning(warning);
  }

  resumed(piecesHave: number, bytesHave: number, how: 'resume' | 'recheck'): void {
    this.#onEvent({ event: 'resumed', piecesHave, bytesHave, how });
  }

  piece(index: number): void {
    this.#onEvent({ event: 'piece', index });
  }

  file(metainfo: Metainfo, index: number): void {
    const length = metainfo.files[index]?.length ?? 0;
    this.#onEvent({ event: 'file', index, path: this.#pathOf(metainfo, index), length });
  }

  progress(swarm: Swarm, now: number): void {
    this.#onEvent(progressOf(swarm, now));
  }

  /** Told when it has changed. */
  dht(nodes: number, found: number): void {
    const figures = `${nodes} ${found}`;
    if (figures === this.#lastDht) return;
    this.#lastDht = figures;
    this.#onEvent({ event: 'dht', nodes, found });
  }

  /** @param swarm undefined where all was on disk already and nobody was met */
  done(metainfo: Metainfo, swarm: Swarm | undefined, now: number): void {
    const uploaded = swarm?.uploads.sentBytes ?? 0;
    this.#onEvent({
      event: 'done',
      path: join(this.#output, metainfo.name),
      files: metainfo.files.filter(file => !file.pad).length,
      length: metainfo.length,
      seconds: (now - this.#startedAtMs) / 1000,
      downloaded: swarm?.downloads.receivedBytes ?? 0,
      uploaded,
      ratio: metainfo.length === 0 ? 0 : uploaded / metainfo.length,
      wasted: swarm?.downloads.wastedBytes ?? 0,
    });
  }

  seeding(magnet: string): void {
    this.#onEvent({ event: 'seeding', magnet });
  }

  /** As a shell in the directory we were started in would use it. */
  #pathOf(metainfo: Metainfo, index: number): string {
    return join(this.#output, ...(metainfo.files[index]?.path ?? []));
  }
}
