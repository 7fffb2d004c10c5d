import { OpenBlock } from '../../../src/meter/arrival-block.ts';
import { Sketch } from '../../../src/meter/sketch.ts';
import type { Mode } from '../../../src/model/app.ts';
import type { UsageBatch, UsageMinute, UsageStore } from '../../../src/model/usage-store.ts';
import { usageBatch } from '../../conformance/usage-record.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BATCH = 1_000;

export interface Traffic {
  readonly app: string;
  readonly component: string;
  readonly mode: Mode;
  /** Requests per second in the busiest minute of the hour that begins at this moment, in whole minutes' counts; 0: none. */
  readonly rpsAt: (hourMs: number) => number;
  readonly durationMs: number;
  readonly cpuMs: number;
}

/** Writes `days` of usage up to `nowMs` as meters do: minutes, and the log of arrivals of the last hours. */
export async function fillUsage(
  store: UsageStore,
  traffic: Traffic,
  days: number,
  nowMs: number,
): Promise<void> {
  const { app, component, mode, rpsAt, durationMs, cpuMs } = traffic;
  const toMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  let minutes: UsageMinute[] = [];
  const flush = async (more: Partial<UsageBatch> = {}): Promise<void> => {
    await store.append(usageBatch({ app, minutes, ...more }));
    minutes = [];
  };
  for (let hourMs = toMs - days * DAY_MS; hourMs < toMs; hourMs += HOUR_MS) {
    // The busiest minute, and two with half of it.
    for (const [minute, share] of [
      [17, 0.5],
      [18, 1],
      [19, 0.5],
    ] as const) {
      const count = Math.round(rpsAt(hourMs) * 60 * share);
      if (count === 0) continue;
      minutes.push({
        part: `${component}.${hourMs}.${minute}`,
        component,
        revision: 'r1',
        mode,
        outcome: 'ok',
        minuteMs: hourMs + minute * MINUTE_MS,
        spanMs: MINUTE_MS,
        count,
        cold: 0,
        waitedMs: 0,
        startMs: 0,
        durationMs: count * durationMs,
        billedMs: 0,
        billedByteMs: 0,
        wholeMs: count * Math.ceil(durationMs),
        wholeByteMs: 0,
        hundredsMs: count * Math.ceil(durationMs / 100) * 100,
        internal: 0,
        bytesIn: 0,
        bytesOut: 0,
        cpuMs: count * cpuMs,
        latency: sketchOf(count, durationMs),
        duration: sketchOf(count, durationMs),
      });
    }
    if (minutes.length >= BATCH) await flush();
  }
  await flush();
}

/** Of `count` invocations that all took the same. */
function sketchOf(count: number, durationMs: number): Uint8Array {
  const sketch = new Sketch();
  for (let i = 0; i < count; i++) sketch.add(durationMs);
  return sketch.encode();
}

/** The log of the arrivals of one minute: `together` at each moment, one group behind the other, all at the minute's pace. */
export function arrivalsOf(traffic: Traffic, minuteMs: number, together: number): UsageBatch {
  const hourMs = Math.floor(minuteMs / HOUR_MS) * HOUR_MS;
  const count = Math.round(traffic.rpsAt(hourMs) * 60);
  const block = new OpenBlock(`${traffic.component}.${minuteMs}`, traffic.component, traffic.mode);
  const groups = Math.ceil(count / together);
  for (let i = 0; i < count; i++) {
    const at = minuteMs + Math.floor((Math.floor(i / together) * MINUTE_MS) / groups);
    block.add(at, traffic.durationMs, false, false);
  }
  return usageBatch({ app: traffic.app, arrivals: [block.snapshot()] });
}
