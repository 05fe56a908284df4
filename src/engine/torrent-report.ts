// What the owner of a torrent is told, in the words and with the fields of events.ts.

import { join } from 'node:path';
import { FileProgress } from '../storage/layout.js';
import type { OpenedData } from '../storage/piece-storage.js';
import type { Swarm } from '../swarm/swarm.js';
import type { Piece } from '../torrent/geometry.js';
import { toHex } from '../torrent/ids.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { Selection } from '../torrent/selection.js';
import type { TorrentEvent } from './events.js';
import { Fetched, progressOf } from './snapshot.js';
import type { Stream } from './stream.js';

export class TorrentReport {
  /** Output directory as the user gave it. */
  readonly #output: string;
  readonly #onEvent: (event: TorrentEvent) => void;
  readonly #startedAtMs: number;
  #fetched: Fetched | undefined;
  #lastDht = '0 0';

  constructor(output: string, onEvent: (event: TorrentEvent) => void, startedAtMs: number) {
    this.#output = output;
    this.#onEvent = onEvent;
    this.#startedAtMs = startedAtMs;
  }

  warning(message: string): void {
    this.#onEvent({ event: 'warning', message });
  }

  metadata(metainfo: Metainfo, selection: Selection, from: MetadataEvent['from']): void {
    this.#onEvent(metadataEvent(metainfo, this.#output, selection, from));
    for (const warning of metainfo.warnings) this.warning(warning);
  }

  /** Tells what was found on disk. @returns what is to be called for each piece that comes to it */
  opened(
    metainfo: Metainfo,
    { storage, how, warnings }: OpenedData,
    selection: Selection,
  ): (piece: Piece) => void {
    const { have, layout } = storage;
    for (const warning of warnings) this.warning(warning);
    const fetched = new Fetched(layout, selection, have);
    this.#fetched = fetched;
    if (how !== 'fresh') {
      const [piecesHave, bytesHave] = [selection.countOf(have), fetched.downloaded];
      this.#onEvent({ event: 'resumed', piecesHave, bytesHave, how });
    }
    const progress = new FileProgress(layout, have);
    const complete = (file: number) => {
      if (!metainfo.files[file]?.pad && selection.isSelected(file)) this.#file(metainfo, file);
    };
    for (const file of metainfo.files.keys()) if (progress.left(file) === 0) complete(file);
    return piece => {
      fetched.add(piece);
      this.piece(piece);
      progress.pieceDone(piece).forEach(complete);
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

  /** @param stream who reads it as it comes: then what counts is what was taken */
  progress(swarm: Swarm, stream: Stream | undefined, now: number): void {
    const done = stream ? { downloaded: stream.taken, length: stream.length } : this.#fetched;
    if (done) this.#onEvent(progressOf(swarm, done, now));
  }

  /** Told when it has changed. */
  dht(nodes: number, found: number): void {
    const figures = `${nodes} ${found}`;
    if (figures === this.#lastDht) return;
    this.#lastDht = figures;
    this.#onEvent({ event: 'dht', nodes, found });
  }

  /** @param swarm undefined where all was on disk already and nobody was met */
  done(metainfo: Metainfo, selection: Selection, swarm: Swarm | undefined, now: number): void {
    const { fileCount, length } = selection;
    this.#done(join(this.#output, metainfo.name), fileCount, length, swarm, now);
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

  #pathOf(metainfo: Metainfo, index: number): string {
    return pathOf(metainfo, this.#output, index);
  }
}

export type MetadataEvent = Extract<TorrentEvent, { event: 'metadata' }>;

/** @param output directory as the user gave it */
export function metadataEvent(
  metainfo: Metainfo,
  output: string,
  selection: Selection,
  from: MetadataEvent['from'],
): MetadataEvent {
  return {
    event: 'metadata',
    name: metainfo.name,
    pieces: metainfo.pieceHashes.length / 20,
    pieceLength: metainfo.pieceLength,
    length: metainfo.length,
    private: metainfo.private,
    ...(metainfo.infoHashV2 && { infoHashV2: toHex(metainfo.infoHashV2) }),
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    files: metainfo.files.flatMap(({ pad, length }, index) => {
      const selected = selection.isSelected(index);
      return pad ? [] : [{ index, path: pathOf(metainfo, output, index), length, selected }];
    }),
    from,
  };
}

/** As a shell in the directory we were started in would use it. */
function pathOf(metainfo: Metainfo, output: string, index: number): string {
  return join(output, ...(metainfo.files[index]?.path ?? []));
}
