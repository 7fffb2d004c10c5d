import type { MinuteTraffic, Traffic } from '../../model/simulation.ts';
import { Random } from '../random.ts';
import { minuteArrivals } from '../simulator/minute-arrivals.ts';
import type { Span } from '../traffic/traced.ts';
import { range, repeated } from './repeated.ts';
import type { AdviceTraffic } from './request.ts';

const MINUTE_MS = 60_000;

/** What comes in a minute, before anything is replayed. */
export interface MinuteSum {
  readonly minuteMs: number;
  readonly count: number;
}

/** A component's arrivals, of which any stretch can be had as it was, thinner or denser. */
export class Arrivals {
  readonly span: Span;
  readonly component: string;
  readonly #source: AdviceTraffic;
  readonly #times: number;

  constructor(source: AdviceTraffic) {
    const { traffic } = source;
    this.#source = source;
    this.#times = source.times ?? 1;
    this.component = traffic.component;
    const toMs =
      source.kind === 'arrivals'
        ? source.traffic.toMs
        : traffic.fromMs + source.traffic.invocations.length * MINUTE_MS;
    this.span = { fromMs: traffic.fromMs, toMs };
  }

  /** Where there are more or fewer of them than were given: on average. */
  count(span: Span): number {
    return this.#given(span) * this.#times;
  }

  /** Whether another seed places them otherwise. */
  get isPlaced(): boolean {
    return this.#source.kind === 'minutes';
  }

  /**
   * Those of `span`, `times` as many: each is kept by chance where there are to be fewer; where there are to be more, all come again as
   * a whole, some seconds later, so that a burst stays one.
   */
  placed(span: Span, times: number, seed: number): Traffic {
    const all = times * this.#times;
    return this.#source.kind === 'arrivals'
      ? repeated(this.#source.traffic, span, all, seed)
      : scaledMinutes(this.#source.traffic, span, all, seed);
  }

  /** By minute, those without anything left out. */
  minutes(span: Span): MinuteSum[] {
    const counts =
      this.#source.kind === 'minutes'
        ? ofMinutes(this.#source.traffic, span)
        : ofArrivals(this.#source.traffic, span);
    const sums: MinuteSum[] = [];
    const firstMs = Math.floor(span.fromMs / MINUTE_MS) * MINUTE_MS;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i]! > 0) sums.push({ minuteMs: firstMs + i * MINUTE_MS, count: counts[i]! * this.#times });
    }
    return sums;
  }

  #given(span: Span): number {
    if (this.#source.kind === 'arrivals') {
      const [first, end] = range(this.#source.traffic, span);
      return end - first;
    }
    const { traffic } = this.#source;
    const [first, end] = minuteRange(traffic, span);
    let count = 0;
    for (let i = first; i < end; i++) count += traffic.invocations[i]!;
    return count;
  }
}

/** The same traffic, `times` as much of it. Nothing is made of it yet; see {@link Arrivals.placed}. */
export function scaledTraffic(source: AdviceTraffic, times: number): AdviceTraffic {
  return { ...source, times: (source.times ?? 1) * times };
}

function ofMinutes(traffic: MinuteTraffic, span: Span): Float64Array {
  const [first, end] = minuteRange(traffic, span);
  return Float64Array.from({ length: end - first }, (_, i) => traffic.invocations[first + i]!);
}

function ofArrivals(traffic: Traffic, span: Span): Float64Array {
  const firstMs = Math.floor(span.fromMs / MINUTE_MS) * MINUTE_MS;
  const counts = new Float64Array(Math.floor((span.toMs - firstMs) / MINUTE_MS) + 1);
  const [first, end] = range(traffic, span);
  for (let i = first; i < end; i++) counts[Math.floor((traffic.arrivedAtMs[i]! - firstMs) / MINUTE_MS)]! += 1;
  return counts;
}

function scaledMinutes(traffic: MinuteTraffic, span: Span, times: number, seed: number): Traffic {
  const [first, end] = minuteRange(traffic, span);
  const fromMs = traffic.fromMs + first * MINUTE_MS;
  const invocations = scaledCounts(traffic, first, end, times, seed);
  return minuteArrivals({ ...traffic, fromMs, invocations }, seed);
}

function scaledCounts(
  { invocations }: MinuteTraffic,
  first: number,
  end: number,
  times: number,
  seed: number,
): Float64Array {
  const random = new Random(seed, 'times');
  const whole = Math.floor(times);
  const rest = times - whole;
  return Float64Array.from({ length: end - first }, (_, i) => {
    const count = invocations[first + i]!;
    return whole * count + chosen(count, rest, random);
  });
}

/** How many of so many, each with this probability. */
function chosen(count: number, share: number, random: Random): number {
  if (share === 0 || count === 0) return 0;
  if (count > 100) {
    const spread = Math.sqrt(count * share * (1 - share));
    return Math.min(count, Math.max(0, Math.round(count * share + spread * random.normal())));
  }
  let found = 0;
  for (let i = 0; i < count; i++) if (random.next() < share) found++;
  return found;
}

function minuteRange({ fromMs, invocations }: MinuteTraffic, span: Span): [number, number] {
  const at = (ms: number): number =>
    Math.min(invocations.length, Math.max(0, Math.round((ms - fromMs) / MINUTE_MS)));
  return [at(span.fromMs), at(span.toMs)];
}
