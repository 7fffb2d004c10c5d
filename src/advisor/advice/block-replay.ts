import type { FunctionModel, ServiceModel, Simulated } from '../../model/simulation.ts';
import type { MinuteLoad, Used } from '../../model/used.ts';
import { simulate } from '../simulator/simulate.ts';
import type { Span } from '../traffic/traced.ts';
import type { Arrivals } from './arrivals.ts';

const MINUTE_MS = 60_000;
const LEAST_LEAD_MS = MINUTE_MS;
const MOST_LEAD_MS = 10 * MINUTE_MS;
/** Fewer than that of a block tell nothing. */
const LEAST_EXCERPT_MS = MINUTE_MS;
/** Of what a block may have replayed, its one minute may have so much. */
const DENSEST = 4;
/** And the minute before it, by which a service has got under way, somewhat more than that. */
const DENSEST_LEAD = 6;
/** Stretches of a block that are looked at. */
const CANDIDATES = 16;

/** One block in one mode, as it was replayed. */
export interface BlockReplay {
  /** Of the block alone. */
  readonly used: Used;
  readonly executed: number;
  readonly refused: number;
  readonly coldStarts: number;
  /** At 0, 1, … 100 %; of nothing: none. */
  readonly latencyQuantilesMs: readonly number[];
  /** In the minute that had the most on average. */
  readonly peak: number;
}

export interface BlockQuestion {
  readonly arrivals: Arrivals;
  readonly block: Span;
  readonly model: FunctionModel | ServiceModel;
  /** So much of the traffic. */
  readonly times: number;
  readonly seed: number;
  /** More are not replayed of one block: a stretch of it stands for the rest then. */
  readonly most: number;
}

/**
 * Replays a block as a part of its window: some minutes before it are replayed, too, and taken off again, so that it does not begin with
 * no instance there.
 */
export function replayBlock(question: BlockQuestion): BlockReplay {
  const { arrivals, block, model, seed, most } = question;
  const stretch = excerptOf(question);
  // A minute of so much traffic is too much: fewer of its arrivals stand for the rest.
  const times = Math.min(question.times, Math.max(1, most) / Math.max(1, arrivals.count(stretch) / DENSEST));
  const fromMs = leadOf(question, stretch, times);
  const placed = arrivals.placed({ fromMs, toMs: stretch.toMs }, times, seed);
  // How it got under way is the lead's: a service begins with few replicas, and a function with none.
  const whole = simulate(placed, model, seed, stretch.fromMs);
  const led = fromMs < stretch.fromMs ? simulate(upTo(placed, stretch.fromMs), model, seed) : null;
  const found = blockReplay(
    led === null ? whole : { ...whole, used: without(whole.used, led.used, stretch) },
  );
  const isWhole = stretch === block && times === question.times;
  return isWhole ? found : spread(found, question);
}

/** Where the lead of a stretch begins: as long as instances are kept, or as much of that as may be replayed; at its beginning where nothing comes before. */
function leadOf({ arrivals, model, most }: BlockQuestion, { fromMs }: Span, times: number): number {
  const keptMs = model.mode === 'function' ? model.settings.keepAliveMs * 1.5 : LEAST_LEAD_MS;
  const wantedMs = Math.min(Math.max(keptMs, LEAST_LEAD_MS), MOST_LEAD_MS);
  for (const [leadMs, densest] of [
    [wantedMs, 1],
    [LEAST_LEAD_MS, DENSEST_LEAD],
  ] as const) {
    const lead = { fromMs: Math.max(arrivals.span.fromMs, wholeMinute(fromMs - leadMs)), toMs: fromMs };
    const count = lead.toMs > lead.fromMs ? arrivals.count(lead) * times : 0;
    if (count === 0) return fromMs;
    if (count < most * densest) return lead.fromMs;
  }
  return fromMs;
}

function blockReplay(whole: Simulated): BlockReplay {
  const { used, latencyQuantilesMs, minutes } = whole;
  return {
    used,
    executed: used.executed,
    refused: used.refused,
    coldStarts: used.cold,
    latencyQuantilesMs: used.executed === 0 ? [] : latencyQuantilesMs,
    peak: minutes.reduce(
      (most, { minuteMs, living }) => (minuteMs >= used.fromMs ? Math.max(most, living) : most),
      0,
    ),
  };
}

/** The block itself, or a stretch of it in which about as many come as may be replayed, of a usual density. */
function excerptOf({ arrivals, block, times, most }: BlockQuestion): Span {
  const count = arrivals.count(block) * times;
  if (count <= most) return block;
  const lengthMs = block.toMs - block.fromMs;
  const excerptMs = Math.max(LEAST_EXCERPT_MS, wholeMinute((lengthMs * most) / count));
  if (excerptMs >= lengthMs) return block;
  const off = (span: Span): number => Math.abs((arrivals.count(span) * times) / most - 1);
  return Array.from({ length: CANDIDATES }, (_, i): Span => {
    const fromMs = wholeMinute(block.fromMs + ((lengthMs - excerptMs) * (i + 0.5)) / CANDIDATES);
    return { fromMs: Math.max(block.fromMs, fromMs), toMs: fromMs + excerptMs };
  }).reduce((best, next) => (off(next) < off(best) ? next : best));
}

/** What an excerpt tells of each invocation, for all of the block; what came in which minute of it is known. */
function spread(found: BlockReplay, { arrivals, block, model, times }: BlockQuestion): BlockReplay {
  const { used } = found;
  const each = (arrivals.count(block) * times) / Math.max(1, used.executed + used.refused);
  const perCount = 1 / Math.max(1, used.executed + used.refused);
  const workEach = used.load.reduce((sum, { workMs }) => sum + workMs, 0) * perCount;
  const cpuEach = used.cpuMs * perCount;
  const served = used.executed * perCount;
  const load = arrivals.minutes(block).map(({ minuteMs, count }): MinuteLoad => {
    const all = count * times;
    const workMs = all * workEach;
    const atWork = workMs / MINUTE_MS;
    // As many as are at a time once in a minute's some hundred changes, of those that come by chance.
    const busiest = Math.ceil(atWork + 3 * Math.sqrt(atWork));
    return { minuteMs, executed: all * served, workMs, cpuMs: all * cpuEach, busiest };
  });
  const lengthMs = block.toMs - block.fromMs;
  const least = model.mode === 'service' ? model.settings.minReplicas * lengthMs : 0;
  const scaled = timesUsed(used, each);
  const livedMs = Math.max(least, scaled.instances.livedMs);
  const executed = found.executed * each;
  const busiestMinute = load.reduce((most, { executed: inMinute }) => Math.max(most, inMinute), 0);
  const busiestHere = used.load.reduce((most, { executed: inMinute }) => Math.max(most, inMinute), 1);
  return {
    ...found,
    executed,
    refused: found.refused * each,
    coldStarts: found.coldStarts * each,
    peak: found.peak * Math.max(1, busiestMinute / busiestHere),
    used: {
      ...scaled,
      ...block,
      load,
      instances: { ...scaled.instances, livedMs, heldByteMs: livedMs * model.settings.memoryBytes },
    },
  };
}

/** All that is a sum, times `factor`; its load, too. */
export function timesUsed(used: Used, factor: number): Used {
  if (factor === 1) return used;
  const { instances } = used;
  return {
    ...used,
    executed: used.executed * factor,
    internal: used.internal * factor,
    refused: used.refused * factor,
    cold: used.cold * factor,
    wholeMs: used.wholeMs * factor,
    hundredsMs: used.hundredsMs === null ? null : used.hundredsMs * factor,
    startMs: used.startMs * factor,
    byteMs: used.byteMs * factor,
    cpuMs: used.cpuMs * factor,
    bytesIn: used.bytesIn * factor,
    bytesOut: used.bytesOut * factor,
    durations: used.durations.map(([ms, count]) => [ms, count * factor] as const),
    instances: {
      started: instances.started * factor,
      livedMs: instances.livedMs * factor,
      heldByteMs: instances.heldByteMs * factor,
      usedByteMs: instances.usedByteMs === null ? null : instances.usedByteMs * factor,
      cpuMs: instances.cpuMs * factor,
    },
    load: used.load.map((minute) => ({
      minuteMs: minute.minuteMs,
      executed: minute.executed * factor,
      workMs: minute.workMs * factor,
      cpuMs: minute.cpuMs * factor,
      busiest: minute.busiest === null ? null : Math.ceil(minute.busiest * factor),
    })),
  };
}

function without(whole: Used, lead: Used, { fromMs, toMs }: Span): Used {
  const less = (of: (used: Used) => number): number => Math.max(0, of(whole) - of(lead));
  const leadDurations = new Map(lead.durations);
  const { started } = whole.instances;
  const heldByteMs = less((used) => used.instances.heldByteMs);
  return {
    ...whole,
    fromMs,
    toMs,
    executed: less((used) => used.executed),
    refused: less((used) => used.refused),
    cold: less((used) => used.cold),
    wholeMs: less((used) => used.wholeMs),
    hundredsMs: less((used) => used.hundredsMs!),
    startMs: less((used) => used.startMs),
    byteMs: less((used) => used.byteMs),
    cpuMs: less((used) => used.cpuMs),
    durations: whole.durations
      .map(([ms, count]) => [ms, count - (leadDurations.get(ms) ?? 0)] as const)
      .filter(([, count]) => count > 0),
    instances: {
      ...whole.instances,
      started: Math.max(0, started - lead.instances.started),
      livedMs: less((used) => used.instances.livedMs),
      heldByteMs,
      cpuMs: less((used) => used.instances.cpuMs),
    },
    load: whole.load.filter(({ minuteMs }) => minuteMs >= fromMs),
  };
}

function upTo(traffic: ReturnType<Arrivals['placed']>, toMs: number): ReturnType<Arrivals['placed']> {
  const { arrivedAtMs, durationMs, cpuMs } = traffic;
  let end = arrivedAtMs.findIndex((atMs) => atMs >= toMs);
  if (end < 0) end = arrivedAtMs.length;
  return {
    ...traffic,
    toMs,
    arrivedAtMs: arrivedAtMs.subarray(0, end),
    durationMs: durationMs.subarray(0, end),
    cpuMs: cpuMs.subarray(0, end),
  };
}

function wholeMinute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}
