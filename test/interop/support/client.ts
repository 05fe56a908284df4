// What the tests ask of every client, ours and foreign: to seed, to fetch, and to say what it is.

import type { Test } from 'tap';
import { type Content, hashesOf } from './content.js';
import type { Namespace } from './namespaces.js';
import { eventually, type Program } from './program.js';

/** Where all but Transmission listen, TCP and UDP; each has an address of its own. */
export const PEER_PORT = 6881;
/** How long a client may take to verify a few megabytes that are there. */
export const READY_MS = 60_000;
/** How long a download may take; some clients let a newcomer wait, and one core may serve ten of them. */
export const COMPLETE_MS = 120_000;
/** How long a client that has all pieces may take to write the last of them. */
const WRITTEN_MS = 10_000;

export interface Order {
  readonly content: Content;
  /** Parent folder of the data. */
  readonly directory: string;
  /** Nodes of the private DHT; no DHT where absent. */
  readonly bootstrap?: readonly string[] | undefined;
}

/** Others are found by the trackers of the .torrent, and by the DHT where an order names its nodes; by nothing else. */
export interface Client {
  readonly name: string;
  version(): Promise<string>;
  /** Starts with all the data; ready once that is verified. */
  seed(namespace: Namespace, order: Order): Promise<Program>;
  /** Starts without data, from what `sourceOf` says; fulfilled once it has all. It may go on to seed, or end. */
  leech(namespace: Namespace, order: Order): Promise<Program>;
}

/** Whoever has a DHT gets no more than the magnet link. */
export function sourceOf({ content, bootstrap }: Order): string {
  return bootstrap === undefined ? content.torrent : content.magnet;
}

/** The first number with a dot in what a command prints of itself. */
export async function versionIn(output: Promise<{ stdout: string; stderr: string }>): Promise<string> {
  const { stdout, stderr } = await output;
  const version = /\d+\.[\d.]*\d/.exec(stdout + stderr)?.[0];
  if (version === undefined) throw new Error(`no version in: ${stdout}${stderr}`);
  return version;
}

/** A foreign client wrote the bytes of the content; empty files it may have left out, as WebTorrent and Transmission do. */
export async function expectCopy(t: Test, content: Content, directory: string): Promise<void> {
  const original = await hashesOf(content);
  const filled = content.files.filter(({ length }) => length > 0).map(({ path }) => path);
  const differing = async (): Promise<string[]> => {
    const copy = await hashesOf(content, directory);
    return filled.filter(path => copy[path] !== original[path]);
  };
  const same = async (): Promise<true | undefined> => (await differing()).length === 0 || undefined;
  await eventually('the last bytes on disk', WRITTEN_MS, same).catch(() => {});
  t.same(await differing(), [], 'the files are equal to the original');
}
