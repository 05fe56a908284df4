// The floor's two programs as processes in a namespace.

import { fileURLToPath } from 'node:url';
import { PEER_PORT, READY_MS } from '../../test/interop/support/client.js';
import type { Namespace } from '../../test/interop/support/namespaces.js';
import type { Program } from '../../test/interop/support/program.js';
import type { FloorDownload } from './download.js';
import type { FloorSeed } from './seed.js';

const DOWNLOAD = fileURLToPath(new URL('download.js', import.meta.url));
const SEED = fileURLToPath(new URL('seed.js', import.meta.url));

/** What it prints at its end. */
export interface FloorFigures {
  readonly seconds: number;
  /** Until the first block. */
  readonly waited: number;
}

export function startFloorDownload(
  namespace: Namespace,
  node: string,
  options: FloorDownload,
  prefix: readonly string[] = [],
): Program {
  return namespace.start('floor', [...prefix, node, DOWNLOAD, JSON.stringify(options)]);
}

export async function floorFigures(program: Program, timeoutMs: number): Promise<FloorFigures> {
  const { code, signal } = await program.waitForEnd(timeoutMs);
  if (code !== 0) throw new Error(`the floor ended with ${code ?? signal}`);
  return JSON.parse(program.lines.at(-1) ?? '');
}

/** Seeds one file at each of these addresses, by one process; ready when it listens. */
export async function startFloorSeed(
  namespace: Namespace,
  node: string,
  options: FloorSeed,
): Promise<Program> {
  const program = namespace.start('floor seed', [node, SEED, JSON.stringify(options)]);
  await program.waitForLine('listening', READY_MS, line => line === 'listening');
  return program;
}

/** The addresses of a namespace, where its only address is not meant. */
export function peersAt(addresses: readonly string[]): string[] {
  return addresses.map(address => `${address}:${PEER_PORT}`);
}
