// What the owner of a torrent is told, in the words and with the fields of events.ts.

import { join } from 'node:path';
import { FileProgress } from '../storage/layout.js';
import type { OpenedData } from '../storage/piece-storage.js';
import type { Swarm } from '../swarm/swarm.js';
import type { Piece } from '../torrent/geometry.js';
import { toHex } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { TorrentEvent } from './events.js';
import { bytesHave, progressOf } from './snapshot.js';
import type { Stream } from './stream.js';

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

  /** Tells what was found on disk. @returns what is to be called for each piece that comes to it */
  opened(metainfo: Metainfo, { storage, how, warnings }: OpenedData): (piece: Piece) => void {
    const { have, layout, geometry } = storage;
    for (const warning of warnings) this.warning(warning);
    if (how !== 'fresh') {
      this.#onEvent({
        event: 'resumed',
        piecesHave: have.count,
        bytesHave: bytesHave(geometry, have),
        how,
      });
    }
    const progress = new FileProgress(layout, have);
    metainfo.files.forEach((file, index) => {
      if (!file.pad && progress.left(index) === 0) this.#file(metainfo, index);
    });
    return piece => {
      this.piece(piece);
      for (const file of progress.pieceDone(piece)) this.#file(metainfo, file);
    };
  }

  /** A piece is here. */
  piece(index: Piece): void {
    this.#onEvent({ event: 'piece', index });
  }

  #file(metainfo: Metainfo, index: number): void {
    const length = metainfo.files[index]?.length ?? 0;
    this.#onEvent({ event: 'file', index, path: this.#pathOf(metainfo, index), length });
  }

  progress(swarm: Swarm, stream: Stream | undefined, now: number): void {
    this.#onEvent(progressOf(swarm, stream, now));
  }

  /** Told when it has changed. */
  dht(nodes: number, found: number): void {
    const figures = `${nodes} ${found}`;
    if (figures === this.#lastDht) return;
    this.#lastDht = figures;
    this.#onEvent({ event: 'dht', nodes, found });
  }

  /** @param swarm undefined where all was on disk already and nobody was met */
  done({ name, files, length }: Metainfo, swarm: Swarm | undefined, now: number): void {
    const count = files.filter(file => !file.pad).length;
    this.#done(join(this.#output, name), count, length, swarm, now);
  }

  /** A reader has taken all that it asked for. */
  read(files: number, length: number, swarm: Swarm | undefined, now: number): void {
    this.#done('-', files, length, swarm, now);
  }

  #done(path: string, files: number, length: number, swarm: Swarm | undefined, now: number): void {
    const uploaded = swarm?.uploads.sentBytes ?? 0;
    this.#onEvent({
      event: 'done',
      path,
      files,
      length,
      seconds: (now - this.#startedAtMs) / 1000,
      downloaded: swarm?.downloads.receivedBytes ?? 0,
      uploaded,
      ratio: length === 0 ? 0 : uploaded / length,
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
