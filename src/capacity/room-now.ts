/**
 * How many requests per second a component has room for now, in its present mode: the smallest of what each bound lets through.
 *
 * Worked example: a function of 50 ms and 20 ms of CPU, concurrency 1, max 10, 128 MB; 3 instances now, 512 MB and 1.5 cores free, 20
 * requests/s now. Its instances: 10 / 0.05 s = 200/s. Memory: 3 + 4 instances, 140/s. CPU: 20 + 1.5 / 0.02 s = 95/s, the
 * smallest: it has room for 75/s more, bounded by cpu.
 *
 * Of a group it is how many requests all members together have room for, while they are asked for in the same proportion as in the last day: a
 * member with 50/s as its limit and a quarter of the requests bounds all to 200/s.
 */
import type { Limits, Mode, UnitSpec } from '../model/app.ts';
import type { BoundName, Room } from '../model/capacity.ts';
import type { UsageHour } from '../model/usage-store.ts';
import { instanceRange } from './demand.ts';
import { DAY_MS } from './forecast.ts';

/** What a request takes, as a mean of the last day with usage. */
export interface Cost {
  /** Of how many it is the mean. */
  readonly served: number;
  /** How long it keeps a place of an instance, starts included. */
  readonly workMs: number;
  /** Slot to end. */
  readonly meanMs: number;
  /** Null where no CPU time is known. */
  readonly cpuMs: number | null;
}

export interface RoomInput {
  readonly spec: UnitSpec;
  readonly mode: Mode;
  readonly rps: number;
  readonly instances: number;
  /** Of all its components together. */
  readonly cost: Cost | null;
  /** Of each of them; the cost of the same day. */
  readonly components: readonly { readonly limits: Limits; readonly cost: Cost | null }[];
  readonly freeMemoryBytes: number;
  readonly freeCores: number;
}

/** Durations are kept to a microsecond; what is shorter counts as one. */
const LEAST_MS = 0.001;

/** @param lastMs start of the hour that the day ends with: the last with usage, where not given. */
export function costOf(hours: readonly UsageHour[], lastMs = hours.at(-1)?.hourMs ?? 0): Cost | null {
  const fromMs = lastMs - DAY_MS;
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
    served,
    workMs: Math.max((startMs + durationMs) / served, LEAST_MS),
    meanMs: durationMs / served,
    cpuMs: cpuMs > 0 ? cpuMs / served : null,
  };
}

export function roomNow(input: RoomInput): Room {
  const { spec, mode, rps, instances, cost, components, freeMemoryBytes, freeCores } = input;
  if (components.every(({ limits }) => limits.concurrency === 0)) return { kind: 'off' };
  if (cost === null) return { kind: 'unmeasured' };
  const settings = spec[mode];
  const places = mode === 'function' && spec.function.fresh ? 1 : settings.concurrency;
  const byPlaces = places / (cost.workMs / 1_000);
  // Modules' code runs on one thread; what a command does nobody knows.
  const byCore = spec.kind !== 'command' && cost.cpuMs !== null ? 1_000 / cost.cpuMs : Infinity;
  const { most } = instanceRange(spec, mode);
  const fitting = instances + Math.max(0, Math.floor(freeMemoryBytes / settings.memoryBytes));
  const candidates: [BoundName, number][] = [
    [mode === 'function' ? 'instances' : 'replicas', most * byPlaces],
    ['core-each', most * byCore],
    ['memory', fitting < most ? fitting * Math.min(byPlaces, byCore) : Infinity],
    ['cpu', cost.cpuMs === null ? Infinity : rps + Math.max(0, freeCores) / (cost.cpuMs / 1_000)],
    ['rps', leastOf(input, cost, ({ limits }) => limits.rps)],
    [
      'concurrency',
      leastOf(
        input,
        cost,
        ({ limits, cost: its }) => limits.concurrency && limits.concurrency / (its!.workMs / 1_000),
      ),
    ],
  ];
  const bounds = candidates
    .filter(([, bound]) => Number.isFinite(bound))
    .map(([name, bound]) => ({ name, rps: bound }))
    .sort((a, b) => a.rps - b.rps);
  const { name, rps: mostRps } = bounds[0]!;
  return { kind: 'measured', mostRps, moreRps: Math.max(0, mostRps - rps), boundedBy: name, bounds };
}

/** What the limits of each of its components let through of all, by its part of the requests. One that is switched off has none. */
function leastOf(
  { components }: RoomInput,
  { served }: Cost,
  rpsOf: (component: RoomInput['components'][number]) => number | null,
): number {
  const bounds = components.map((component) => {
    const { cost, limits } = component;
    const rps = cost === null || limits.concurrency === 0 ? null : rpsOf(component);
    return rps === null ? Infinity : (rps * served) / cost!.served;
  });
  return Math.min(...bounds);
}
