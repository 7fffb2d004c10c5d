import type { Fault } from './bad-rows.ts';
import { csvFields, csvNumber } from './csv.ts';
import { LoggedFunctions } from './logged.ts';
import { parseMoment } from './moments.ts';
import type { ReaderOptions, ReadTrace, TraceReader } from './traced.ts';

const TIMES = new Set(['timestamp', 'time', 'arrivedatms']);
const DURATIONS = new Set(['durationms', 'duration_ms']);

/** Whether the line is the head of a list of arrivals: it names a column `timestamp`, and none of them `value`. */
export function isArrivalListHead(line: string): boolean {
  const names = columnsOf(line);
  return names.length > 0 && !names.includes('value') && names.some((name) => TIMES.has(name));
}

/** Comma-separated values with a head: one row an arrival, with `timestamp` and, perhaps, `durationMs` among its columns. */
export class ArrivalListReader implements TraceReader {
  readonly #functions = new LoggedFunctions();
  readonly #options: ReaderOptions;
  #name = '';
  #columns: { count: number; time: number; duration: number } | null = null;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  begin(name: string): void {
    this.#name = name;
    this.#columns = null;
  }

  read(line: string): Fault | null {
    if (line.trim() === '') return null;
    if (this.#columns === null) {
      if (!isArrivalListHead(line))
        return { found: line, expected: 'names of columns, one of them timestamp' };
      const names = columnsOf(line);
      this.#columns = {
        count: names.length,
        time: names.findIndex((name) => TIMES.has(name)),
        duration: names.findIndex((name) => DURATIONS.has(name)),
      };
      return null;
    }
    const { count, time, duration } = this.#columns;
    const fields = csvFields(line);
    if (fields.length !== count) {
      return {
        found: `${fields.length} columns: ${line}`,
        expected: `${count} columns, as many as the head has`,
      };
    }
    const arrivedAtMs = parseMoment(fields[time]!.trim());
    if (arrivedAtMs === null) {
      return {
        found: fields[time]!,
        expected: 'a time such as 2026-01-31 12:00:00.123, or s or ms since the epoch',
      };
    }
    const durationMs = duration < 0 || fields[duration] === '' ? NaN : csvNumber(fields[duration]);
    if (durationMs === null || durationMs < 0) {
      return { found: fields[duration]!, expected: 'a duration of at least 0 ms' };
    }
    this.#functions.add({ name: this.#name, arrivedAtMs, durationMs, cpuMs: NaN, memoryBytes: NaN });
    return null;
  }

  finish(): ReadTrace {
    return this.#functions.finish(this.#options.durations);
  }
}

function columnsOf(line: string): string[] {
  return csvFields(line).map((name) => name.trim().toLowerCase());
}
