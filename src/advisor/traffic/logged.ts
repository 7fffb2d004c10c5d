import { FulcrumError } from '../../base/errors.ts';
import type { Traffic } from '../../model/simulation.ts';
import { ArrivalColumns } from './arrival-columns.ts';
import { fitLogNormal, fromLogNormal } from './durations.ts';
import { Random } from '../random.ts';
import {
  tooMany,
  type AssumedDurations,
  type ReadTrace,
  type TracedFunction,
  type TrafficOptions,
} from './traced.ts';

const MINUTE_MS = 60_000;
/** Whoever puts a random word into every path must not make as many components. */
const MOST_FUNCTIONS = 2_000;
const REST = '(others)';

/** What one row of a log says of an invocation. What it does not say is NaN. */
export interface Logged {
  readonly name: string;
  readonly arrivedAtMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

interface Gathered {
  readonly columns: ArrivalColumns;
  memoryBytes: number;
}

/** Functions of a trace that has a row for each invocation. */
export class LoggedFunctions {
  readonly #functions = new Map<string, Gathered>();

  add({ name, arrivedAtMs, durationMs, cpuMs, memoryBytes }: Logged): void {
    const gathered = this.#of(name);
    gathered.columns.add(arrivedAtMs, durationMs, cpuMs);
    if (memoryBytes > gathered.memoryBytes) gathered.memoryBytes = memoryBytes;
  }

  finish(assumed: AssumedDurations): ReadTrace {
    const functions: TracedFunction[] = [];
    let [fitted, unknown] = [0, 0];
    for (const [name, { columns, memoryBytes }] of this.#functions) {
      if (columns.unknownDurations === columns.count) unknown += columns.count;
      else fitted += columns.unknownDurations;
      functions.push({
        name,
        arrivals: columns.count,
        memoryBytes: memoryBytes > 0 ? memoryBytes : null,
        span: {
          fromMs: Math.floor(columns.firstMs / MINUTE_MS) * MINUTE_MS,
          toMs: (Math.floor(columns.lastMs / MINUTE_MS) + 1) * MINUTE_MS,
        },
        traffic: (options) => trafficOf(name, columns, assumed, options),
      });
    }
    const notes: string[] = [];
    if (unknown > 0)
      notes.push(`Durations are not in the trace: log-normal with ${assumed.text} is assumed.`);
    if (fitted > 0) {
      const rows = fitted === 1 ? '1 invocation has' : `${fitted.toLocaleString('en-GB')} invocations have`;
      notes.push(`${rows} no duration: drawn from a log-normal distribution fitted to the others.`);
    }
    if (this.#functions.has(REST)) {
      notes.push(`More than ${MOST_FUNCTIONS.toLocaleString('en-GB')} components: the rest is ${REST}.`);
    }
    return { functions, notes, startsMs: [] };
  }

  #of(name: string): Gathered {
    const there = this.#functions.get(name);
    if (there !== undefined) return there;
    if (this.#functions.size >= MOST_FUNCTIONS && name !== REST) return this.#of(REST);
    const gathered = { columns: new ArrivalColumns(), memoryBytes: 0 };
    this.#functions.set(name, gathered);
    return gathered;
  }
}

function trafficOf(
  component: string,
  columns: ArrivalColumns,
  assumed: AssumedDurations,
  { span, seed, cpuShare }: TrafficOptions,
): Traffic {
  const problem = tooMany(component, columns.count);
  if (problem !== null) throw new FulcrumError('trace-invalid', problem);
  const { arrivedAtMs, durationMs, cpuMs } = columns.toArrays();
  const durations = fromLogNormal(
    (columns.unknownDurations > 0 ? fitLogNormal(columns.knownDurations()) : null) ?? assumed.distribution,
  );
  const random = new Random(seed, component);
  for (let i = 0; i < durationMs.length; i++) {
    if (Number.isNaN(durationMs[i]!)) durationMs[i] = durations(random);
    if (Number.isNaN(cpuMs[i]!)) cpuMs[i] = durationMs[i]! * cpuShare;
  }
  return { component, arrivedAtMs, durationMs, cpuMs, ...span };
}
