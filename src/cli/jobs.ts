// So many at a time. Knows nothing of torrents.

/**
 * Runs `work` on every item, `limit` at a time: a place is free again when `work` calls `leave` or ends. Fulfilled when all
 * have ended, rejected as soon as `items` or one of them fails.
 */
export function runJobs<T>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T, leave: () => void) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let places = limit;
    let freed = () => {};
    const start = (item: T): Promise<void> => {
      places--;
      let holdsPlace = true;
      const leave = () => {
        if (!holdsPlace) return;
        holdsPlace = false;
        places++;
        freed();
      };
      return work(item, leave).finally(leave);
    };
    const startAll = async () => {
      const running = new Set<Promise<void>>();
      for await (const item of items) {
        const job: Promise<void> = start(item).then(() => void running.delete(job), reject);
        running.add(job);
        while (places === 0) {
          await new Promise<void>(wake => {
            freed = wake;
          });
        }
      }
      await Promise.all(running);
    };
    startAll().then(resolve, reject);
  });
}
