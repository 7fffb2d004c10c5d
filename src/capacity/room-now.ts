/**
 * How many requests per second a component has room for now, in its present mode: the smallest of what each bound lets through.
 *
 * Worked example: a function of 50 ms and 20 ms of CPU, concurrency 1, max 10, 128 MB; 3 instances now, 512 MB and 1.5 cores free, 20
 * requests/s now. Its instances: 10 / 0.05 s = 200/s. Memory: 3 + 4 instances, 140/s. CPU: 20 + 1.5 / 0.02 s = 95/s, the
 * smallest: it has room for 75/s more, bounded by cpu.
 */
import type { Mode, RunnableSpec } from '../model/app.ts';
import type { BoundName, Room } from '../model/capacity.ts';
import type { UsageHour } from '../model/usage-store.ts';
import { instanceRange } from './demand.ts';
import { DAY_MS } from './forecast.ts';

/** What a request takes, as a mean of the last day with usage. */
export interface Cost {
  /** How long it keeps a place of an instance, starts included. */
  readonly workMs: number;
  /** Slot to end. */
  readonly meanMs: number;
  /** Null where no CPU time is known. */
  readonly cpuMs: number | null;
}

export interface RoomInput {
  readonly spec: RunnableSpec;
  readonly mode: Mode;
  readonly rps: number;
  readonly instances: number;
  readonly cost: Cost | null;
  readonly freeMemoryBytes: number;
  readonly freeCores: number;
}

/** Durations are kept to a microsecond; what is shorter counts as one. */
const LEAST_MS = 0.001;

export function costOf(hours: readonly UsageHour[]): Cost | null {
  const fromMs = (hours.at(-1)?.hourMs ?? 0) - DAY_MS;
  let served = 0;
  let startMs = 0;
  let durationMs = 0;
  let cpuMs = 0;
  for (const hour of hours) {
    if (hour.hourMs <= fromMs) continue;
    served += hour.count - hour.refused;
    startMs += hour.startMs;
    durationMs += hour.durationMs;
    cpuMs += hour.cpuMs;
  }
  if (served <= 0) return null;
  return {
    workMs: Math.max((startMs + durationMs) / served, LEAST_MS),
    meanMs: durationMs / served,
    cpuMs: cpuMs > 0 ? cpuMs / served : null,
  };
}

export function roomNow({ spec, mode, rps, instances, cost, freeMemoryBytes, freeCores }: RoomInput): Room {
  const { limits } = spec;
  if (limits.concurrency === 0) return { kind: 'off' };
  if (cost === null) return { kind: 'unmeasured' };
  const settings = spec[mode];
  const places = mode === 'function' && spec.function.fresh ? 1 : settings.concurrency;
  const byPlaces = places / (cost.workMs / 1_000);
  // A module's code runs on one thread; what a command does nobody knows.
  const byCore = spec.kind === 'module' && cost.cpuMs !== null ? 1_000 / cost.cpuMs : Infinity;
  const { most } = instanceRange(spec, mode);
  const fitting = instances + Math.max(0, Math.floor(freeMemoryBytes / settings.memoryBytes));
  const candidates: [BoundName, number][] = [
    [mode === 'function' ? 'instances' : 'replicas', most * byPlaces],
    ['core-each', most * byCore],
    ['memory', fitting < most ? fitting * Math.min(byPlaces, byCore) : Infinity],
    ['cpu', cost.cpuMs === null ? Infinity : rps + Math.max(0, freeCores) / (cost.cpuMs / 1_000)],
    ['rps', limits.rps ?? Infinity],
    ['concurrency', limits.concurrency === null ? Infinity : limits.concurrency / (cost.workMs / 1_000)],
  ];
  const bounds = candidates
    .filter(([, bound]) => Number.isFinite(bound))
    .map(([name, bound]) => ({ name, rps: bound }))
    .sort((a, b) => a.rps - b.rps);
  const { name, rps: mostRps } = bounds[0]!;
  return { kind: 'measured', mostRps, moreRps: Math.max(0, mostRps - rps), boundedBy: name, bounds };
}
