/**
 * The nearest of `known` to `word` by edit distance, else the shortest that begins with it, or null where none is near
 * enough to be a likely typo.
 */
export function nearest(word: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? completion(word, known);
}

const SHORTEST_PREFIX = 3;

/** What a person may have cut short: `rout`, `mem`. */
function completion(word: string, known: Iterable<string>): string | null {
  if (word.length < SHORTEST_PREFIX) return null;
  let best: string | null = null;
  for (const candidate of known) {
    if (!candidate.toLowerCase().startsWith(word.toLowerCase())) continue;
    if (best === null || candidate.length < best.length) best = candidate;
  }
  return best;
}

/** Damerau–Levenshtein distance (optimal string alignment): a transposition counts once. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
