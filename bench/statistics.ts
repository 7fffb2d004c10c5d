/** The value below which the share `p` (0 to 1) of `sorted` lies, by the nearest rank. NaN where there is none. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return NaN;
  return sorted[Math.min(Math.max(Math.ceil(p * sorted.length) - 1, 0), sorted.length - 1)]!;
}

export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Measures every subject once per round, A B C A B C …, so that whatever else the machine does falls on all of them alike.
 * @returns each subject's measurements, in the order of the rounds.
 */
export async function interleaved<Subject, Measured>(
  rounds: number,
  subjects: readonly Subject[],
  measure: (subject: Subject) => Promise<Measured>,
): Promise<Map<Subject, Measured[]>> {
  const results = new Map<Subject, Measured[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) results.get(subject)!.push(await measure(subject));
  }
  return results;
}

/** How values spread: `p50` to `p99` by the nearest rank. */
export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(values: Iterable<number>): Spread {
  const sorted = Float64Array.from(values).sort();
  const [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((p) => percentile(sorted, p)) as [
    number,
    number,
    number,
    number,
  ];
  return { p50, p90, p99, max };
}
