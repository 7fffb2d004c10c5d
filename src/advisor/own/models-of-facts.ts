import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { FunctionModel, ServiceModel, Times } from '../../model/simulation.ts';
import { FORKED, measuredTimes, SPAWNED, timesOf, type P50P99 } from '../simulator/engine-times.ts';

/** Fewer starts say nothing of their 99th percentile: the engine's own measurements do. */
export const LEAST_STARTS = 20;

/** What is known of the machine, where replays are to be as on it; nothing of it counts on a provider, who has room for all. */
export interface ReplayMachine {
  /** Processors. */
  readonly cpus: number;
  /** How many functions may be starting at the same time. */
  readonly startsAtOnce: number;
}

export interface FactModels {
  readonly function: FunctionModel;
  readonly service: ServiceModel;
}

/**
 * How a unit is replayed in each mode: its settings as they are; starts as they were measured, where at least 20 were, else as the engine's are.
 * @param machine null: nothing bounds it.
 */
export function modelsOfFacts(
  { kind, function: asFunction, service, startsMs }: UnitFacts,
  machine: ReplayMachine | null = null,
): FactModels {
  return {
    function: {
      mode: 'function',
      settings: asFunction,
      // A command cannot be forked: each start is a process of its own.
      coldStart: startTimes(startsMs, 'function', kind === 'command' ? SPAWNED : FORKED),
      provisioned: 0,
      ...(machine === null ? {} : { startsAtOnce: machine.startsAtOnce }),
    },
    service: {
      mode: 'service',
      settings: service,
      start: startTimes(startsMs, 'service', SPAWNED),
      // Node computes in one thread; what a command does is not known, and one processor never undersizes it.
      cpus: 1,
      ...(machine === null ? {} : { machineCpus: machine.cpus }),
    },
  };
}

function startTimes(startsMs: UnitFacts['startsMs'], mode: Mode, engine: P50P99): Times {
  const measured = startsMs[mode];
  return measured.length >= LEAST_STARTS ? measuredTimes(measured) : timesOf(engine);
}

/** What the models rest on that was not measured of this unit, as sentences. */
export function modelNotes({ unit, kind, startsMs }: UnitFacts): string[] {
  const notes: string[] = [];
  if (startsMs.function.length < LEAST_STARTS) {
    const { p50Ms, p99Ms } = kind === 'command' ? SPAWNED : FORKED;
    const engine = kind === 'command' ? 'a process' : 'the fork engine';
    notes.push(`${unit}: a cold start takes p50 ${p50Ms}ms, p99 ${p99Ms}ms, as measured of ${engine}.`);
  }
  if (startsMs.service.length < LEAST_STARTS) {
    notes.push(
      `${unit}: a replica starts in p50 ${SPAWNED.p50Ms}ms, p99 ${SPAWNED.p99Ms}ms, as measured of a process.`,
    );
  }
  return notes;
}
