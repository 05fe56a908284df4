// The binary under test in a namespace, by its command-line contract: arguments, streams, events, exit codes.

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { eventOf, LineWatch, type PrintedEvent } from '../../support/event-line.js';
import { type Client, COMPLETE_MS, type Order, PEER_PORT, sourceOf, versionIn } from './client.js';
import { type Content, hashesOf } from './content.js';
import type { Namespace } from './namespaces.js';
import type { Exit, Program } from './program.js';
import { inRepository } from './repository.js';

const execute = promisify(execFile);
export const BINARY = inRepository('dist/program/rarest.js');
export const RAREST_PORT = PEER_PORT;

export type RarestEvent = PrintedEvent;

export interface RarestOptions {
  readonly onLine?: (line: string) => void;
  /** Put before the command line, as a measuring program is. */
  readonly prefix?: readonly string[];
  /** The Node.js to run it with, where not that of the test. */
  readonly node?: string;
}

/** Starts `rarest <args>`; its state lies in the namespace's folder, so that the same namespace resumes. */
export function startRarest(
  namespace: Namespace,
  args: readonly string[],
  options: RarestOptions = {},
): Program {
  const { prefix = [], node = process.execPath, onLine, ...rest } = options;
  const watch = new LineWatch(why => {
    throw new Error(why);
  });
  const env = { XDG_STATE_HOME: join(namespace.directory, 'state') };
  return namespace.start('rarest', [...prefix, node, BINARY, ...args], {
    env,
    ...rest,
    onLine(line) {
      watch.write(
        Buffer.from(`${line}
`).toString('latin1'),
      );
      onLine?.(line);
    },
  });
}

/** Where a run in this namespace puts its data. */
export function outputOf(namespace: Namespace): string {
  return join(namespace.directory, 'out');
}

/** The events of these lines; throws on a line that is no event. */
export function eventsOf(lines: readonly string[]): RarestEvent[] {
  return lines.map(eventOf);
}

export function waitForEvent(program: Program, name: string, timeoutMs = COMPLETE_MS): Promise<string> {
  return program.waitForLine(`event ${name}`, timeoutMs, line => JSON.parse(line).event === name);
}

/** The bytes on disk are those of the content, and nothing lies beside them. */
export async function expectData(t: Test, namespace: Namespace, content: Content): Promise<void> {
  const output = outputOf(namespace);
  t.same(await hashesOf(content, output), await hashesOf(content), 'the files are equal to the original');
  t.same(await readdir(output), [content.name], 'nothing else is in the output directory');
}

/** What `--json` must have said of a finished download. */
export function expectEvents(t: Test, program: Program, namespace: Namespace, content: Content): void {
  const events = eventsOf(program.lines);
  const named = (name: string): RarestEvent[] => events.filter(({ event }) => event === name);
  const indices = content.files.map((_, index) => index);
  t.match(named('listening'), [{ port: RAREST_PORT }], 'listens where it was told to');
  t.match(
    named('metadata'),
    [{ infoHash: content.infoHash, length: content.length, pieces: content.pieces }],
    'metadata is announced once',
  );
  t.same(
    named('file')
      .map(({ index }) => index)
      .sort((a, b) => Number(a) - Number(b)),
    indices,
    'each file is announced once',
  );
  const path = join(outputOf(namespace), content.name);
  t.match(named('done'), [{ path, length: content.length, files: indices.length }], 'done is announced once');
  t.same(named('error'), [], 'no error is announced');
}

/** Downloads `source` with `--json` and checks exit code, events and bytes. */
export async function expectDownload(
  t: Test,
  namespace: Namespace,
  content: Content,
  source: string,
  args: readonly string[],
): Promise<void> {
  const program = startRarest(namespace, downloadArgs(namespace, source, ['--json', ...args]));
  const exit = await program.waitForEnd(COMPLETE_MS);
  if (!t.match(exit, { code: 0, signal: null }, 'ends with success')) return;
  expectEvents(t, program, namespace, content);
  await expectData(t, namespace, content);
  t.comment(figures(content, exit));
}

/** Downloads `source` as a person or a pipeline does: stdout lists the paths and nothing else. */
export async function expectPaths(
  t: Test,
  namespace: Namespace,
  content: Content,
  source: string,
  args: readonly string[],
): Promise<void> {
  const program = startRarest(namespace, downloadArgs(namespace, source, args));
  const exit = await program.waitForEnd(COMPLETE_MS);
  if (!t.match(exit, { code: 0, signal: null }, 'ends with success')) return;
  const paths = content.files.map(({ path }) => join(outputOf(namespace), path));
  t.same([...program.lines].sort(), paths.sort(), 'stdout lists each path once and nothing else');
  await expectData(t, namespace, content);
  t.comment(figures(content, exit));
}

export function downloadArgs(namespace: Namespace, source: string, more: readonly string[]): string[] {
  return ['download', source, '--output', outputOf(namespace), '--port', `${RAREST_PORT}`, ...more];
}

function figures(content: Content, exit: Exit): string {
  const rate = content.length / 1e6 / exit.seconds;
  return `${content.name}: ${exit.seconds.toFixed(2)} s from start to exit, ${rate.toFixed(1)} MB/s`;
}

/** Neither local discovery nor peer exchange, and no DHT but that of the order. */
export function roads({ bootstrap }: Pick<Order, 'bootstrap'>): string[] {
  const dht = bootstrap ? bootstrap.slice(0, 2).flatMap(node => ['--dht-bootstrap', node]) : ['--no-dht'];
  return [...dht, '--no-lsd', '--no-pex', '--port', `${RAREST_PORT}`, '--json'];
}

/** Seeds by a .torrent, ready when it says so; `more` are further flags. */
export async function startRarestSeed(
  namespace: Namespace,
  order: Order,
  more: readonly string[] = [],
): Promise<Program> {
  const args = ['seed', order.content.torrent, '--output', order.directory, ...roads(order), ...more];
  const program = startRarest(namespace, args);
  await waitForEvent(program, 'seeding');
  return program;
}

export const rarest: Client = {
  name: 'rarest',
  version: () => versionIn(execute(process.execPath, [BINARY, '--version'])),
  seed: (namespace, order) => startRarestSeed(namespace, order),
  async leech(namespace, order) {
    const args = ['download', sourceOf(order), '--output', order.directory, '--seed', ...roads(order)];
    const program = startRarest(namespace, args);
    await waitForEvent(program, 'done');
    return program;
  },
};
