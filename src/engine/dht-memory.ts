// DHT nodes remembered between runs, so that the next one need not ask the routers.

import { join } from 'node:path';
import { loadState, saveState } from '../storage/state-file.js';
import { isHost, isPort } from '../torrent/host-port.js';
import { LIMITS } from '../torrent/limits.js';
import type { HostPort } from '../torrent/metainfo-types.js';

const VERSION = 1;

function pathOf(stateDirectory: string): string {
  return join(stateDirectory, 'dht.json');
}

/** What the last run remembered; nothing where the file is absent or damaged. */
export async function rememberedNodes(stateDirectory: string): Promise<HostPort[]> {
  const state = await loadState(pathOf(stateDirectory));
  if (typeof state === 'string' || typeof state.value !== 'object' || state.value === null) return [];
  const { version, nodes }: { version?: unknown; nodes?: unknown } = state.value;
  if (version !== VERSION || !Array.isArray(nodes)) return [];
  return nodes.slice(0, LIMITS.dhtNodesKept).filter(isNode);
}

/** A state that cannot be saved is no reason to fail: the next run asks the routers. */
export async function rememberNodes(stateDirectory: string, nodes: readonly HostPort[]): Promise<void> {
  if (nodes.length === 0) return;
  await saveState(pathOf(stateDirectory), { version: VERSION, nodes }).catch(() => {});
}

function isNode(value: unknown): value is HostPort {
  if (typeof value !== 'object' || value === null || !('host' in value) || !('port' in value)) return false;
  return typeof value.host === 'string' && isHost(value.host) && isPort(value.port);
}
