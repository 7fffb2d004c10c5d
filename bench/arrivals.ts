/** What ten components are asked, as nobody but an oracle knows it beforehand. The same each time. */
export interface Arrival {
  /** From the beginning. */
  readonly atMs: number;
  /** How long its handler takes. */
  readonly takesMs: number;
}

export interface Traffic {
  readonly name: string;
  readonly arrivals: readonly Arrival[];
}

/** Each in its own way: `poisson` by its mean pause, `bursty` and `periodic` by their pause; bursts of so many within 200 ms. */
const KINDS = [
  { name: 'poisson-rare', kind: 'poisson', pauseMs: 4_000, takesMs: 100 },
  { name: 'poisson-some', kind: 'poisson', pauseMs: 1_000, takesMs: 50 },
  { name: 'poisson-many', kind: 'poisson', pauseMs: 250, takesMs: 100 },
  { name: 'poisson-dense', kind: 'poisson', pauseMs: 60, takesMs: 100 },
  { name: 'bursty-small', kind: 'bursty', pauseMs: 2_000, takesMs: 50, burst: 4 },
  { name: 'bursty-large', kind: 'bursty', pauseMs: 6_000, takesMs: 100, burst: 20 },
  { name: 'bursty-slow', kind: 'bursty', pauseMs: 5_000, takesMs: 500, burst: 6 },
  { name: 'periodic-quick', kind: 'periodic', pauseMs: 200, takesMs: 50 },
  { name: 'periodic', kind: 'periodic', pauseMs: 1_500, takesMs: 100 },
  { name: 'periodic-rare', kind: 'periodic', pauseMs: 5_000, takesMs: 200 },
] as const;
const BURST_MS = 200;

export const ARRIVING: readonly string[] = KINDS.map(({ name }) => name);
/** Each is tried with each of them; `1s` is the default. */
export const KEEP_ALIVES = ['0s', '100ms', '300ms', '1s', '5s'] as const;

/** Of so many milliseconds. Service times vary by a half around their mean. */
export function trafficOf(durationMs: number): readonly Traffic[] {
  return KINDS.map((each, i) => {
    const random = seeded(i + 1);
    const takes = (): number => Math.round(each.takesMs * (0.5 + random()));
    const arrivals: Arrival[] = [];
    const exponential = (): number => -Math.log(1 - random()) * each.pauseMs;
    // No two of them begin together.
    let atMs = each.kind === 'poisson' ? exponential() : random() * Math.min(each.pauseMs, durationMs / 2);
    while (atMs < durationMs) {
      const count = each.kind === 'bursty' ? each.burst : 1;
      for (let n = 0; n < count; n++) {
        arrivals.push({ atMs: atMs + (n === 0 ? 0 : random() * BURST_MS), takesMs: takes() });
      }
      atMs += each.kind === 'poisson' ? exponential() : each.pauseMs;
    }
    return { name: each.name, arrivals: arrivals.toSorted((a, b) => a.atMs - b.atMs) };
  });
}

/** Numbers from 0 to 1, the same each time: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
