// The word somebody probably meant.

/** The candidate nearest to `word` by edit distance, if it is near enough to be worth suggesting. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  // of a short word little may be wrong: nobody means --dht who writes --dir
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = isPartOf(word, candidate) ? 1 : editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `--max-up` and `--ratio` are far from `--max-upload` and `--seed-ratio` by distance, yet plainly meant. */
function isPartOf(word: string, candidate: string): boolean {
  return word.length > 2 && (candidate.startsWith(word) || candidate.split('-').includes(word));
}

/** Characters to insert, delete, replace or swap with the next one to make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : replaced;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
