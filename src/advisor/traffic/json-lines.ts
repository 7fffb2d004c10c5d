import type { Fault } from './bad-rows.ts';
import { LoggedFunctions } from './logged.ts';
import { momentOf, parseMoment } from './moments.ts';
import type { ReaderOptions, ReadTrace, TraceReader } from './traced.ts';

/**
 * One JSON object a line for each invocation. The keys are those of our own usage records, so that these are read as they are:
 *
 *   arrivedAtMs   ms since the epoch; or `timestamp` or `time`: ISO 8601, or a number of s, ms, µs or ns since the epoch
 *   durationMs    optional: what the handler took
 *   cpuMs         optional: of that, CPU time
 *   memoryBytes   optional: memory setting of the instance
 *   component     optional: which function it is; else the file's name
 *   outcome       optional: of one that is `refused`, which no instance has worked on, the duration says nothing
 *
 * Other keys are passed over.
 */
export class JsonLinesReader implements TraceReader {
  readonly #functions = new LoggedFunctions();
  readonly #options: ReaderOptions;
  #name = '';

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  begin(name: string): void {
    this.#name = name;
  }

  read(line: string): Fault | null {
    if (line.trim() === '') return null;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      return { found: line, expected: 'a JSON object on a line of its own' };
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      return { found: line, expected: 'a JSON object such as {"timestamp":"…","durationMs":12}' };
    }
    const fields = row as Readonly<Record<string, unknown>>;
    const moment = fields['arrivedAtMs'] ?? fields['timestamp'] ?? fields['time'];
    const arrivedAtMs = momentIn(moment);
    if (arrivedAtMs === null) {
      return {
        found: moment === undefined ? line : JSON.stringify(moment),
        expected: 'arrivedAtMs, timestamp or time: ISO 8601, or a number of s, ms, µs or ns since the epoch',
      };
    }
    for (const key of ['durationMs', 'cpuMs', 'memoryBytes']) {
      const value = fields[key];
      if (value === undefined || value === null) continue;
      if (typeof value !== 'number' || !(value >= 0)) {
        return { found: `${key}: ${JSON.stringify(value)}`, expected: `${key}: a number of at least 0` };
      }
    }
    const { component } = fields;
    if (component !== undefined && (typeof component !== 'string' || component === '')) {
      return { found: `component: ${JSON.stringify(component)}`, expected: 'component: a name' };
    }
    const refused = fields['outcome'] === 'refused';
    this.#functions.add({
      name: component ?? this.#name,
      arrivedAtMs,
      durationMs: refused ? NaN : numberIn(fields['durationMs']),
      cpuMs: refused ? NaN : numberIn(fields['cpuMs']),
      memoryBytes: numberIn(fields['memoryBytes']),
    });
    return null;
  }

  finish(): ReadTrace {
    return this.#functions.finish(this.#options.durations);
  }
}

function momentIn(value: unknown): number | null {
  if (typeof value === 'number') return momentOf(value);
  return typeof value === 'string' ? parseMoment(value) : null;
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}
