import type { FunctionModel, MinuteTraffic } from '../../model/simulation.ts';
import type { DurationTable } from './duration-table.ts';
import type { FluidMinute } from './fluid-result.ts';
import { hunting, type Hunting } from './hunting.ts';
import { meanOf } from './start-times.ts';

const MINUTE_MS = 60_000;
/** Within a minute the pool is looked at so often. */
const LOOKS = 4;
const NONE: Hunting = { atWork: new Float64Array(), perMs: new Float64Array() };

/**
 * A function's minutes without its invocations: each minute's arrivals are Poisson's with that minute's rate, the instances servers that
 * are tried in order (see `hunting.ts`). Instance k exists while it is at work, or has been needed within its keep-alive:
 *
 *   P(k is gone at t) = (1 − ρ_k) · exp(−∫ h_k over the keep-alive before t)
 *
 * with ρ_k its share of time at work and h_k how often it is needed. Where it is gone and is needed, there is a start; who waits
 * for it is cold where none of those at work has finished before it was ready.
 */
export function* fluidFunction(
  traffic: MinuteTraffic,
  model: FunctionModel,
  durations: DurationTable,
): Generator<FluidMinute> {
  const { settings, provisioned } = model;
  const { invocations } = traffic;
  const startsMs = model.coldStart.quantilesMs;
  const startMs = meanOf(model.coldStart);
  const known = new Map<number, Hunting>();
  const back = Math.ceil(settings.keepAliveMs / MINUTE_MS) + 1;
  const past: Hunting[] = [];
  for (let minute = 0; minute < invocations.length; minute++) {
    const count = invocations[minute]!;
    let here = known.get(count) ?? NONE;
    if (count > 0 && here === NONE) {
      here = hunting(count / MINUTE_MS, durations.meanMs, settings.concurrency, settings.maxInstances);
      known.set(count, here);
    }
    past.push(here);
    if (past.length > back + 1) past.shift();
    yield minuteOf(past, here, count, {
      keepAliveMs: settings.keepAliveMs,
      startMs,
      startsMs,
      each: settings.concurrency,
      provisioned,
      meanMs: durations.meanMs,
    });
  }
}

interface Rules {
  readonly keepAliveMs: number;
  /** Of a start: its mean, and quantiles at equal steps. */
  readonly startMs: number;
  readonly startsMs: readonly number[];
  readonly each: number;
  readonly provisioned: number;
  /** Of durations. */
  readonly meanMs: number;
}

function minuteOf(past: readonly Hunting[], here: Hunting, count: number, rules: Rules): FluidMinute {
  const levels = past.reduce((most, { perMs }) => Math.max(most, perMs.length), 0);
  let living = 0;
  let busy = 0;
  let started = 0;
  let cold = 0;
  let waitedMs = 0;
  let busiest = 0;
  for (let level = 0; level < levels; level++) {
    const idle = 1 - (here.atWork[level] ?? 0);
    const perMs = here.perMs[level] ?? 0;
    if (perMs * MINUTE_MS > Math.LN2) busiest = level + 1;
    let gone = 0;
    if (level >= rules.provisioned) {
      for (let look = 0; look < LOOKS; look++) {
        const atMs = ((look + 0.5) / LOOKS) * MINUTE_MS;
        gone += (idle * Math.exp(-needed(past, level, atMs, rules.keepAliveMs))) / LOOKS;
      }
    }
    living += 1 - gone;
    busy += 1 - idle;
    const starts = gone * perMs * MINUTE_MS;
    if (starts === 0) continue;
    started += starts;
    const wait = waitFor(rules, level * rules.each);
    cold += starts * wait.coldShare;
    waitedMs += starts * wait.meanMs;
  }
  living = Math.max(living, rules.provisioned) + (started * rules.startMs) / MINUTE_MS;
  return {
    count,
    cold,
    waited: started,
    waitedMs,
    started,
    living,
    busy,
    workMs: count * rules.meanMs,
    busiest: Math.min(count, busiest * rules.each),
  };
}

/** Of one that waits for a start while `atWork` others go on, each of which would take it on: whether it gets what was started, and when. */
function waitFor({ startsMs, meanMs }: Rules, atWork: number): { coldShare: number; meanMs: number } {
  const perMs = atWork / meanMs;
  let coldShare = 0;
  let waitMs = 0;
  for (const ms of startsMs) {
    const none = Math.exp(-perMs * ms);
    coldShare += none / startsMs.length;
    waitMs += (perMs === 0 ? ms : (1 - none) / perMs) / startsMs.length;
  }
  return { coldShare, meanMs: waitMs };
}

/** How often a level was needed in the keep-alive before `atMs` of the latest minute. */
function needed(past: readonly Hunting[], level: number, atMs: number, keepAliveMs: number): number {
  let leftMs = keepAliveMs;
  let sum = 0;
  for (let i = past.length - 1, spanMs = atMs; i >= 0 && leftMs > 0 && sum < 40; i--, spanMs = MINUTE_MS) {
    const tookMs = Math.min(leftMs, spanMs);
    sum += (past[i]!.perMs[level] ?? 0) * tookMs;
    leftMs -= tookMs;
  }
  return sum;
}
