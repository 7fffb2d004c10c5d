import type { Mode } from '../../model/app.ts';
import type { MinuteTraffic, Simulated, Times } from '../../model/simulation.ts';
import type { MinuteLoad } from '../../model/used.ts';
import { DurationTable } from './duration-table.ts';
import { Histogram } from './histogram.ts';
import { meanOf } from './start-times.ts';

const MINUTE_MS = 60_000;
/** Of the starts that cold invocations waited for. */
const START_SAMPLES = 32;

/** What a minute is expected to have; numbers are means and need not be whole. */
export interface FluidMinute {
  readonly count: number;
  readonly cold: number;
  readonly waited: number;
  readonly waitedMs: number;
  readonly started: number;
  /** Instances that live, and that are at work. */
  readonly living: number;
  readonly busy: number;
  /** What its arrivals keep instances busy for. */
  readonly workMs: number;
  readonly busiest: number;
}

/** All minutes together, counts rounded to whole ones at the end alone. */
export function fluidResult(
  traffic: MinuteTraffic,
  mode: Mode,
  memoryBytes: number,
  start: Times,
  minutes: Iterable<FluidMinute>,
): Simulated {
  const durations = new DurationTable(traffic.duration);
  const load: MinuteLoad[] = [];
  const shown: { minuteMs: number; living: number; busy: number }[] = [];
  let [executed, cold, waited, waitedMs, started, livedMs, workMs] = [0, 0, 0, 0, 0, 0, 0];
  let minuteMs = traffic.fromMs;
  for (const one of minutes) {
    executed += one.count;
    cold += one.cold;
    waited += one.waited;
    waitedMs += one.waitedMs;
    started += one.started;
    livedMs += one.living * MINUTE_MS;
    workMs += one.workMs;
    const cpuMs = one.count * durations.meanMs * traffic.cpuShare;
    if (one.living > 0) shown.push({ minuteMs, living: one.living, busy: Math.min(one.living, one.busy) });
    if (one.count > 0)
      load.push({ minuteMs, executed: one.count, workMs: one.workMs, cpuMs, busiest: one.busiest });
    minuteMs += MINUTE_MS;
  }
  const stretch = executed === 0 ? 1 : workMs / (executed * durations.meanMs);
  const { quantilesMs, latencies, coldWaits, billed } = mixed(durations, start, executed, cold, stretch);
  const startMs = cold * meanOf(start);
  const wholeMs = Math.round(billed.wholeMs);
  const cpuMs = executed * durations.meanMs * traffic.cpuShare;
  return {
    used: {
      component: traffic.component,
      mode,
      fromMs: traffic.fromMs,
      toMs: minuteMs,
      executed,
      internal: 0,
      refused: 0,
      cold: Math.round(cold),
      wholeMs,
      hundredsMs: Math.round(billed.hundreds) * 100,
      startMs,
      byteMs: wholeMs * memoryBytes,
      cpuMs,
      bytesIn: 0,
      bytesOut: 0,
      // A cold one is billed with its start, which is what it waited for.
      durations: latencies,
      instances: {
        started: Math.round(started),
        livedMs,
        heldByteMs: livedMs * memoryBytes,
        usedByteMs: null,
        cpuMs,
      },
      load,
    },
    latencyQuantilesMs: quantilesMs,
    latencies,
    coldWaits,
    coldStarts: Math.round(cold),
    waited: Math.round(waited),
    waitedMs,
    refused: 0,
    minutes: shown,
  };
}

interface Mixed {
  readonly quantilesMs: number[];
  readonly latencies: [ms: number, count: number][];
  readonly coldWaits: [ms: number, count: number][];
  readonly billed: { readonly wholeMs: number; readonly hundreds: number };
}

/** Durations as they are, and of the cold ones each with a start before it. */
function mixed(
  durations: DurationTable,
  start: Times,
  executed: number,
  cold: number,
  stretch: number,
): Mixed {
  const histogram = new Histogram();
  const coldWaits = new Histogram();
  const { samplesMs } = durations;
  const starts = new DurationTable(start).samplesMs;
  let [wholeMs, hundreds, leastMs, mostMs] = [0, 0, Infinity, 0];
  const add = (ms: number, times: number): void => {
    if (times <= 0) return;
    histogram.add(ms, times);
    wholeMs += Math.ceil(ms) * times;
    hundreds += Math.ceil(ms / 100) * times;
    leastMs = Math.min(leastMs, ms);
    mostMs = Math.max(mostMs, ms);
  };
  for (const ms of samplesMs) {
    add(ms * stretch, (executed - cold) / samplesMs.length);
    for (let i = 0; i < START_SAMPLES && cold > 0; i++) {
      const startMs = starts[Math.floor(((i + 0.5) / START_SAMPLES) * starts.length)]!;
      add(ms * stretch + startMs, cold / samplesMs.length / START_SAMPLES);
    }
  }
  for (let i = 0; i < START_SAMPLES && cold > 0; i++)
    coldWaits.add(starts[Math.floor(((i + 0.5) / START_SAMPLES) * starts.length)]!, cold / START_SAMPLES);
  return {
    quantilesMs: histogram.quantiles(100, leastMs, mostMs),
    latencies: histogram.buckets(),
    coldWaits: coldWaits.buckets(),
    billed: { wholeMs, hundreds },
  };
}
