// How far the hashing of data has come, as `progress` events.

import type { Subject } from './reported.js';
import type { Session } from './session.js';

/** ms between two of them. */
const EVERY_MS = 1_000;

/** Takes in bytes hashed so far and bytes in all, as often as one likes. Speed is the mean since the first call. */
export function hashingProgress(
  { io, reporter }: Session,
  subject: Subject,
): (hashedBytes: number, lengthBytes: number) => void {
  const startedAt = io.now();
  let lastAt = startedAt;
  return (hashedBytes, lengthBytes) => {
    const now = io.now();
    if (now - lastAt < EVERY_MS) return;
    lastAt = now;
    const bytesPerSecond = (hashedBytes * 1000) / (now - startedAt);
    const nothing = { uploaded: 0, upRate: 0, peers: 0, seeds: 0, availability: 0 };
    reporter.event(
      {
        event: 'progress',
        downloaded: hashedBytes,
        length: lengthBytes,
        downRate: Math.round(bytesPerSecond),
        etaSeconds: hashedBytes > 0 ? Math.ceil((lengthBytes - hashedBytes) / bytesPerSecond) : null,
        ...nothing,
      },
      subject,
    );
  };
}
