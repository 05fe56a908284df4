// Whether there is enough to seed, and whether enough was seeded.

import type { Swarm } from '../swarm/swarm.js';
import type { Bitfield } from '../torrent/bitfield.js';
import { TorrentError } from '../torrent/errors.js';
import type { Metainfo } from '../torrent/metainfo-types.js';
import type { SeedGoal } from './options.js';

/** Refuses to seed what is not there. @throws TorrentError VERIFY_FAILED */
export function demand(
  data: 'complete' | 'partial',
  { name }: Metainfo,
  have: Bitfield,
  output: string,
): void {
  if (have.full || (data === 'partial' && have.count > 0)) return;
  const what = `seeding ${name} in ${output}`;
  if (have.count === 0) {
    throw new TorrentError('VERIFY_FAILED', `${what}: none of its pieces is there`, {
      hint: '-o names the folder that holds it',
    });
  }
  const bad = have.size - have.count;
  throw new TorrentError(
    'VERIFY_FAILED',
    `${what}: ${bad} of ${have.size} pieces are missing or do not match`,
    {
      hint: '--partial seeds what is there, rarest verify lists the rest, rarest download fetches it',
    },
  );
}

/** Whether a torrent that has been seeded for `sinceMs` may end. @param length bytes of what was asked for of it */
export function goalReached(
  { ratio, timeMs }: SeedGoal,
  swarm: Swarm,
  length: number,
  sinceMs: number,
): boolean {
  if (timeMs !== undefined && sinceMs >= timeMs) return true;
  return ratio !== undefined && swarm.uploads.sentBytes >= ratio * length;
}
