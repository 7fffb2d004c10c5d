import type { FunctionPrices } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';

/** Durations are kept in buckets this much wider at their upper border than at their lower one: the sketch's. */
const BUCKET_WIDTH = 0.0202;
/** The middle of a bucket, as a multiple of its lower border. */
const MIDDLE = 1 + BUCKET_WIDTH / 2;

type Rules = Pick<FunctionPrices, 'granularityMs' | 'minimumMs' | 'billsInit'>;

export interface BilledTime {
  /** Of all invocations together, each rounded as the rules have it. */
  readonly ms: number;
  readonly assumptions: readonly string[];
}

/** What of `used.wholeMs` is billed. Exact for steps of 1 ms, and for those of 100 ms where they were counted; else by the durations' buckets. */
export function billedTime(used: Used, rules: Rules): BilledTime {
  const assumptions: string[] = [];
  const { granularityMs, minimumMs } = rules;
  let ms = used.wholeMs;
  if (granularityMs === 100 && used.hundredsMs !== null) ms = used.hundredsMs;
  else if (granularityMs > 1 && used.executed > 0) {
    // Each may be rounded up by less than one step, whatever the buckets say.
    const most = used.wholeMs + used.executed * (granularityMs - 1);
    ms = Math.min(Math.max(roundedUp(used, granularityMs), used.wholeMs), most);
    assumptions.push(`rounding up to ${granularityMs} ms estimated from the durations' distribution`);
  }
  const short = minimumMs > granularityMs ? shortOf(used, minimumMs, granularityMs) : 0;
  if (short > 0) {
    ms += short;
    assumptions.push(`the least of ${minimumMs} ms estimated from the durations' distribution`);
  }
  if (!rules.billsInit && used.startMs > 0) {
    ms = Math.max(0, ms - used.startMs);
    assumptions.push(`starts (${Math.round(used.startMs)} ms in all) are not billed`);
  }
  return { ms, assumptions };
}

function roundedUp(used: Used, stepMs: number): number {
  const counted = countOf(used);
  // Without durations each is as likely to end anywhere within a step.
  if (counted === 0) return used.wholeMs + (used.executed * stepMs) / 2;
  const sum = used.durations.reduce((ms, [from, count]) => ms + count * upTo(from * MIDDLE, stepMs), 0);
  return (sum * used.executed) / counted;
}

/** How much is missing, in ms, until each invocation, rounded up to `stepMs`, has `minimumMs`. */
function shortOf(used: Used, minimumMs: number, stepMs: number): number {
  const counted = countOf(used);
  if (counted === 0) return Math.max(0, used.executed * minimumMs - used.wholeMs);
  const sum = used.durations.reduce(
    (ms, [from, count]) => ms + count * Math.max(0, minimumMs - upTo(from * MIDDLE, stepMs)),
    0,
  );
  return (sum * used.executed) / counted;
}

function countOf(used: Used): number {
  return used.durations.reduce((sum, [, count]) => sum + count, 0);
}

function upTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
