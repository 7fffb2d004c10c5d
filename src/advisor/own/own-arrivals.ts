/**
 * One component's traffic, as its own usage tells it: the log of arrivals, and where that has less than the minutes have counted (it is kept
 * for a shorter time, and gives way where the store is slow), arrivals placed at random within those minutes, with durations as they were in
 * that hour, so that the minute's sum is what it was. Drawn by a seed of its own: the same usage gives the same traffic.
 */
import { FulcrumError } from '../../base/errors.ts';
import { readArrivals } from '../../meter/arrival-block.ts';
import type { Traffic } from '../../model/simulation.ts';
import type { ArrivalsLine } from '../../model/usage-export.ts';
import { Random } from '../random.ts';
import { ArrivalColumns } from '../traffic/arrival-columns.ts';
import type { Span } from '../traffic/traced.ts';
import { shareOf, type CountedSpan, type MinuteCounts } from './minute-counts.ts';

const MINUTE_MS = 60_000;
/** Of one component: more than a month at 10 a second, and 16 bytes each. */
const MOST_ARRIVALS = 50_000_000;
/** Draws that are off by more than that are not brought to the minute's sum: they would be other durations. */
const MOST_STRETCH = 4;
const SEED = 1;

/** What the log has of a minute. */
interface Logged {
  count: number;
  executed: number;
  durationMs: number;
}

export class OwnArrivals {
  readonly #name: string;
  readonly #range: Span;
  readonly #columns = new ArrivalColumns();
  readonly #minutes = new Map<number, Logged>();

  /** @param range what lies outside of it is left out. */
  constructor(name: string, range: Span) {
    this.#name = name;
    this.#range = range;
  }

  /** How many the log has. */
  get count(): number {
    return this.#columns.count;
  }

  /** Throws `store-failed` where the block is damaged, `trace-invalid` where there are more than can be held. */
  add({ bytes, ...block }: Omit<ArrivalsLine, 'kind'>): void {
    this.#mayHold(this.#columns.count + block.count);
    for (const one of readArrivals({ ...block, part: '', bytes: Buffer.from(bytes, 'base64') })) {
      const { arrivedAtMs, refused } = one;
      if (arrivedAtMs < this.#range.fromMs || arrivedAtMs >= this.#range.toMs) continue;
      const durationMs = refused ? NaN : one.durationMs;
      this.#columns.add(arrivedAtMs, durationMs, NaN);
      const logged = this.#loggedAt(Math.floor(arrivedAtMs / MINUTE_MS));
      logged.count++;
      if (!refused) {
        logged.executed++;
        logged.durationMs += durationMs;
      }
    }
  }

  /** In order. Fills itself up: to be asked for once. Throws `trace-invalid` where there are more than can be held. */
  traffic(counts: MinuteCounts): Traffic {
    const random = new Random(SEED, this.#name);
    const shares = new Map<number, number>();
    for (const span of counts.spans) {
      this.#fill(span, counts, random);
      const share = shareOf(span.cpuMs, span.durationMs);
      if (span.durationMs > 0 && span.lengthMs === MINUTE_MS) shares.set(span.fromMs / MINUTE_MS, share);
    }
    const { arrivedAtMs, durationMs, cpuMs } = this.#columns.toArrays();
    const { meanMs, cpuShare } = counts;
    for (let i = 0; i < durationMs.length; i++) {
      if (Number.isNaN(durationMs[i]!)) durationMs[i] = meanMs;
      cpuMs[i] = durationMs[i]! * (shares.get(Math.floor(arrivedAtMs[i]! / MINUTE_MS)) ?? cpuShare);
    }
    return { component: this.#name, arrivedAtMs, durationMs, cpuMs, ...this.#range };
  }

  /** Places what `span` has counted and the log has not. */
  #fill(span: CountedSpan, counts: MinuteCounts, random: Random): void {
    const fromMs = Math.max(span.fromMs, this.#range.fromMs);
    const toMs = Math.min(span.fromMs + span.lengthMs, this.#range.toMs);
    const logged = this.#takeLogged(span);
    const missing = span.count - logged.count;
    if (missing <= 0 || toMs <= fromMs) return;
    this.#mayHold(this.#columns.count + missing);
    const executed = Math.min(missing, Math.max(0, span.count - span.refused - logged.executed));
    const durations = drawn(executed, span.durationMs - logged.durationMs, counts, span, random);
    for (let i = 0; i < missing; i++) {
      // In whole ms, as the log has them.
      const arrivedAtMs = Math.floor(fromMs + random.next() * (toMs - fromMs));
      this.#columns.add(arrivedAtMs, durations[i] ?? NaN, NaN);
    }
  }

  /** What the log has within `span`, and what no shorter one has accounted for. It is accounted for now. */
  #takeLogged({ fromMs, lengthMs, count }: CountedSpan): Logged {
    const taken = { count: 0, executed: 0, durationMs: 0 };
    const last = (fromMs + lengthMs) / MINUTE_MS;
    for (let minute = Math.floor(fromMs / MINUTE_MS); minute < last && taken.count < count; minute++) {
      const logged = this.#minutes.get(minute);
      if (logged === undefined) continue;
      const share = Math.min(1, (count - taken.count) / logged.count);
      for (const key of ['count', 'executed', 'durationMs'] as const) {
        const part = key === 'durationMs' ? logged[key] * share : Math.round(logged[key] * share);
        taken[key] += part;
        logged[key] -= part;
      }
      if (logged.count === 0) this.#minutes.delete(minute);
    }
    return taken;
  }

  #loggedAt(minute: number): Logged {
    let logged = this.#minutes.get(minute);
    if (logged === undefined) this.#minutes.set(minute, (logged = { count: 0, executed: 0, durationMs: 0 }));
    return logged;
  }

  #mayHold(arrivals: number): void {
    if (arrivals <= MOST_ARRIVALS) return;
    throw new FulcrumError(
      'trace-invalid',
      `"${this.#name}" has more than ${MOST_ARRIVALS.toLocaleString('en-GB')} arrivals in this stretch. Give a shorter one.`,
    );
  }
}

/** So many durations as they were at that time, which together take `sumMs`, as far as they can. */
function drawn(
  count: number,
  sumMs: number,
  counts: MinuteCounts,
  span: CountedSpan,
  random: Random,
): Float64Array {
  const sketch = counts.durationsAt(span.fromMs);
  const durations = Float64Array.from({ length: count }, () => sketch.quantile(random.next()) ?? 0);
  const drawnMs = durations.reduce((sum, ms) => sum + ms, 0);
  const stretch = drawnMs > 0 ? sumMs / drawnMs : 1;
  const plausible = stretch >= 1 / MOST_STRETCH && stretch <= MOST_STRETCH;
  return plausible ? durations.map((ms) => ms * stretch) : durations;
}
