import { coarsely } from '../base/coarse.ts';
import type { Limits, Mode, UnitSpec } from '../model/app.ts';
import type {
  CapacityReport,
  ComponentCapacity,
  ComponentPeak,
  LimitForecast,
  LimitName,
  MachineCapacity,
  Peak,
  Reach,
} from '../model/capacity.ts';
import type { UsageHour } from '../model/usage-store.ts';
import { membersOf } from '../model/units.ts';
import {
  burstOf,
  demandOf,
  instanceRange,
  instancesNeeded,
  instancesPresent,
  outagesOf,
  seriesOf,
  together,
  type HourDemand,
} from './demand.ts';
import { DAY_MS, Forecast, HOUR_MS, WEEKEND_DAYS, type HourlySeries } from './forecast.ts';
import { costOf, roomNow } from './room-now.ts';

/** What the machine has for all apps, and what of it they have promised each other or use. */
export interface Machine {
  readonly memoryBytes: number;
  /** Memory settings of all instances that exist. */
  readonly memoryPromisedBytes: number;
  readonly cpus: number;
  /** In cores, of the last minute. */
  readonly cpuUsed: number;
}

/** The same for whoever may know of these components only: what others have is told coarsely, and by that what is free. */
export function withOthersCoarse(machine: Machine, components: readonly ComponentInput[]): Machine {
  const { memoryBytes, memoryPromisedBytes, cpus, cpuUsed } = machine;
  const coarse = (used: number, own: number, all: number): number =>
    own + coarsely(Math.max(0, used - own), all);
  const memory = components.reduce((sum, { now }) => sum + now.memoryBytes, 0);
  const cpu = components.reduce((sum, { now }) => sum + now.cpuCores, 0);
  return {
    ...machine,
    memoryPromisedBytes: Math.round(coarse(memoryPromisedBytes, memory, memoryBytes)),
    cpuUsed: coarse(cpuUsed, cpu, cpus),
  };
}

export interface CapacityInput {
  readonly app: string;
  readonly environment: string;
  readonly nowMs: number;
  readonly machine: Machine;
  readonly components: readonly ComponentInput[];
}

/** What has instances, and was asked of: of a group all members together, and each by itself. */
export interface ComponentInput {
  readonly spec: UnitSpec;
  readonly mode: Mode;
  readonly now: {
    readonly rps: number;
    readonly cpuCores: number;
    readonly instances: number;
    readonly memoryBytes: number;
  };
  /** By time. The present hour, which is not over, is left out. */
  readonly hours: readonly UsageHour[];
  /** That one, as far as it has come: what a request takes is known from the first on. Null where there was none. */
  readonly present: UsageHour | null;
  /** Most requests at the same time in its busiest minute, counted from arrivals; null where they are not kept or too many. */
  readonly peakConcurrency: number | null;
  /** In the order of the group; one where it is a component. */
  readonly components: readonly LimitedInput[];
}

/** One component with what may be asked of it. Hours as above. */
export interface LimitedInput {
  readonly name: string;
  readonly limits: Limits;
  readonly hours: readonly UsageHour[];
  readonly present: UsageHour | null;
}

/** Work in slices of some milliseconds: between two of them others have their turn. */
export type Sliced<T> = Generator<undefined, T>;

/** A component with what was asked of it. */
interface Asked extends ComponentInput {
  readonly demand: readonly (HourDemand | null)[];
  readonly burst: number;
  readonly limited: readonly (LimitedInput & { readonly demand: readonly (HourDemand | null)[] })[];
}

/**
 * Joins demand, forecasts and room into what is shown. In slices, so that whoever drives it can let others have their turn.
 */
export function* capacityReport(input: CapacityInput): Sliced<CapacityReport> {
  const { nowMs, machine } = input;
  const toMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  const outages = outagesOf(
    input.components.map(({ hours }) => hours),
    toMs,
  );
  yield;
  const asked: Asked[] = [];
  for (const component of input.components) {
    const demand = demandOf(component.hours, toMs, outages);
    const most = Math.max(0, ...demand.map((hour) => hour?.concurrency ?? 0));
    const burst = burstOf(component.peakConcurrency, most);
    const limited = component.components.map((one) => ({
      ...one,
      demand: demandOf(one.hours, toMs, outages),
    }));
    asked.push({ ...component, demand, burst, limited });
    yield;
  }
  const components: ComponentCapacity[] = [];
  for (const component of asked) {
    components.push(yield* componentCapacity(component, machine, nowMs));
  }
  const firsts = asked.flatMap(({ demand }) => demand[0]?.atMs ?? []);
  const fromMs = firsts.length === 0 ? null : Math.min(...firsts);
  const days = fromMs === null ? 0 : (toMs - fromMs) / DAY_MS;
  const memory = yield* memoryOf(asked, machine, nowMs, fromMs);
  const cpu = yield* cpuOf(asked, machine, nowMs, fromMs);
  return {
    app: input.app,
    environment: input.environment,
    atMs: nowMs,
    usage: { fromMs, toMs, days, outageHours: outages.size, weekends: days >= WEEKEND_DAYS },
    machine: { memory, cpu },
    components,
  };
}

function* componentCapacity(component: Asked, machine: Machine, nowMs: number): Sliced<ComponentCapacity> {
  const { spec, mode, now } = component;
  const lastMs = component.present?.hourMs ?? component.hours.at(-1)?.hourMs;
  const costIn = ({ hours, present }: Pick<ComponentInput, 'hours' | 'present'>): ReturnType<typeof costOf> =>
    costOf(present === null ? hours : [...hours, present], lastMs);
  const cost = costIn(component);
  const peak = peakOf(component);
  yield;
  const limits = yield* limitsOf(component, nowMs);
  return {
    name: spec.name,
    members: spec.kind === 'group' ? membersOf(spec) : null,
    mode,
    now: { rps: now.rps, instances: now.instances, memoryBytes: now.memoryBytes },
    peak,
    meanMs: cost?.meanMs ?? null,
    cpuMs: cost?.cpuMs ?? null,
    room: roomNow({
      spec,
      mode,
      rps: now.rps,
      instances: now.instances,
      cost,
      components: component.components.map((one) => ({ limits: one.limits, cost: costIn(one) })),
      freeMemoryBytes: machine.memoryBytes - machine.memoryPromisedBytes,
      freeCores: machine.cpus - machine.cpuUsed,
    }),
    limits,
    first: firstOf(limits),
  };
}

function peakOf({ spec, mode, demand, burst, peakConcurrency }: Asked): ComponentPeak | null {
  const needed = (of: Mode): Peak | null => most(demand, (hour) => instancesNeeded(spec, of, hour, burst));
  const rps = most(demand, (hour) => hour.rps);
  const mean = most(demand, (hour) => hour.concurrency);
  const cpuCores = most(demand, (hour) => hour.cpuCores);
  const present = needed(mode);
  if (rps === null || mean === null || cpuCores === null || present === null) return null;
  const instances = (of: Mode): number => Math.ceil(needed(of)?.value ?? 0);
  return {
    rps,
    concurrency: { atMs: mean.atMs, value: peakConcurrency ?? mean.value },
    concurrencyFrom: peakConcurrency === null ? 'mean' : 'arrivals',
    cpuCores,
    instances: {
      function: instances('function'),
      service: Math.max(instances('service'), spec.service.minReplicas),
    },
    memoryBytes: {
      atMs: present.atMs,
      value: instancesPresent(spec, mode, present.value) * spec[mode].memoryBytes,
    },
  };
}

function* limitsOf({ spec, mode, demand, burst, limited }: Asked, nowMs: number): Sliced<LimitForecast[]> {
  const forecast = function* (
    name: LimitName,
    { component, limit, demand: of }: { component: string; limit: number | null; demand: Asked['demand'] },
    valueOf: (hour: HourDemand) => number,
  ): Sliced<LimitForecast[]> {
    const peak = most(of, valueOf);
    if (limit === null || limit <= 0 || peak === null) return [];
    const reached = yield* reachOf(seriesOf(of, valueOf), limit, nowMs);
    return [{ name, component, limit, peak: peak.value, reached }];
  };
  const forecasts = yield* forecast(
    mode === 'function' ? 'instances' : 'replicas',
    { component: spec.name, limit: instanceRange(spec, mode).most, demand },
    (hour) => instancesNeeded(spec, mode, hour, burst),
  );
  const ofEach: LimitForecast[] = [];
  for (const { name: component, limits, demand: its } of limited) {
    const of = (limit: number | null) => ({ component, limit, demand: its });
    ofEach.push(...(yield* forecast('rps', of(limits.rps), (hour) => hour.rps)));
    const atOnce = (hour: HourDemand): number => burst * together(hour.concurrency);
    ofEach.push(...(yield* forecast('concurrency', of(limits.concurrency), atOnce)));
  }
  const inOrder = (name: LimitName): LimitForecast[] =>
    ofEach
      .filter((one) => one.name === name)
      .sort((a, b) => Math.min(orderOf(a.reached), NEVER) - Math.min(orderOf(b.reached), NEVER));
  return [...forecasts, ...inOrder('rps'), ...inOrder('concurrency')];
}

function* memoryOf(
  components: readonly Asked[],
  machine: Machine,
  nowMs: number,
  fromMs: number | null,
): Sliced<MachineCapacity> {
  const own = components.reduce((sum, { now }) => sum + now.memoryBytes, 0);
  const others = Math.max(0, machine.memoryPromisedBytes - own);
  const atMost = components.reduce(
    (sum, { spec, mode }) => sum + instanceRange(spec, mode).most * spec[mode].memoryBytes,
    others,
  );
  const series = summed(components, fromMs, others, ({ spec, mode, burst }, hour) => {
    const needed = hour === null ? 0 : instancesNeeded(spec, mode, hour, burst);
    return instancesPresent(spec, mode, needed) * spec[mode].memoryBytes;
  });
  return {
    now: machine.memoryPromisedBytes,
    others,
    peak: peakOfSeries(series),
    limit: machine.memoryBytes,
    reached:
      atMost <= machine.memoryBytes ? { kind: 'fits' } : yield* reachOf(series, machine.memoryBytes, nowMs),
  };
}

function* cpuOf(
  components: readonly Asked[],
  machine: Machine,
  nowMs: number,
  fromMs: number | null,
): Sliced<MachineCapacity> {
  const own = components.reduce((sum, { now }) => sum + now.cpuCores, 0);
  const others = Math.max(0, machine.cpuUsed - own);
  const series = summed(components, fromMs, others, (_, hour) => hour?.cpuCores ?? 0);
  return {
    now: machine.cpuUsed,
    others,
    peak: peakOfSeries(series),
    limit: machine.cpus,
    reached: yield* reachOf(series, machine.cpus, nowMs),
  };
}

/** All components together, hour by hour. Their busiest minutes are added up, for they may meet. */
function summed(
  components: readonly Asked[],
  fromMs: number | null,
  others: number,
  valueOf: (component: Asked, hour: HourDemand | null) => number,
): HourlySeries {
  if (fromMs === null) return { fromMs: 0, values: [] };
  const longest = Math.max(...components.map(({ demand }) => demand.length));
  const values = Array.from({ length: longest }, (): number | null => others);
  for (const component of components) {
    const missing = longest - component.demand.length;
    for (let i = 0; i < longest; i++) {
      const hour = i < missing ? null : component.demand[i - missing]!;
      // Nothing is known of an outage; before a component's first request there was none, and what it always has.
      if (values[i] === null) continue;
      values[i] = i >= missing && hour === null ? null : values[i]! + valueOf(component, hour);
    }
  }
  return { fromMs, values };
}

function* reachOf(series: HourlySeries, limit: number, nowMs: number): Sliced<Reach> {
  yield;
  const forecast = Forecast.of(series);
  yield;
  if (forecast === null) return { kind: 'unknown' };
  return forecast.reaches(limit, Math.floor(nowMs / HOUR_MS) * HOUR_MS);
}

function peakOfSeries({ fromMs, values }: HourlySeries): Peak | null {
  let peak: Peak | null = null;
  for (const [i, value] of values.entries()) {
    if (value !== null && (peak === null || value > peak.value)) peak = { value, atMs: fromMs + i * HOUR_MS };
  }
  return peak;
}

function most(demand: readonly (HourDemand | null)[], valueOf: (hour: HourDemand) => number): Peak | null {
  let peak: Peak | null = null;
  for (const hour of demand) {
    if (hour === null) continue;
    const value = valueOf(hour);
    if (peak === null || value > peak.value) peak = { value, atMs: hour.atMs };
  }
  return peak;
}

function firstOf(limits: readonly LimitForecast[]): LimitName | null {
  const dated = limits
    .map(({ name, reached }) => ({ name, at: orderOf(reached) }))
    .filter(({ at }) => at < Infinity)
    .sort((a, b) => a.at - b.at);
  return dated[0]?.name ?? null;
}

/** Two of which neither is ever reached keep their order. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** What is reached by the trend goes before what may be. */
function orderOf(reach: Reach): number {
  if (reach.kind === 'reached') return 0;
  if (reach.kind === 'expected') return reach.expectedMs;
  return reach.kind === 'possible' ? Number.MAX_SAFE_INTEGER / 2 + reach.earlyMs : Infinity;
}
