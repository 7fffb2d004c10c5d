import type { Fault } from './bad-rows.ts';
import { countedTraffic, type Count } from './counted.ts';
import { csvFields, csvNumber } from './csv.ts';
import { fromLogNormal } from './durations.ts';
import { parseMoment } from './moments.ts';
import type { ReaderOptions, ReadTrace, TracedFunction, TraceReader } from './traced.ts';

interface Series {
  readonly name: string;
  readonly rows: { atMs: number; value: number }[];
}

/**
 * `timestamp,value`: how many arrivals there were in the interval that begins at each timestamp. The interval is what most rows are apart; of a
 * longer gap nothing is known, and nothing is taken to have arrived in it. Each file is a function of its own.
 */
export class SeriesReader implements TraceReader {
  readonly #series: Series[] = [];
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  begin(name: string): void {
    this.#series.push({ name, rows: [] });
  }

  read(line: string): Fault | null {
    if (line.trim() === '') return null;
    const fields = csvFields(line);
    if (/^"?timestamp"?\s*,\s*"?value"?\s*$/i.test(line)) return null;
    if (fields.length !== 2) return { found: line, expected: 'timestamp,value' };
    const atMs = parseMoment(fields[0]!.trim());
    if (atMs === null) {
      return {
        found: fields[0]!,
        expected: 'a time such as 2026-01-31 12:00:00, or s or ms since the epoch',
      };
    }
    const value = csvNumber(fields[1]);
    if (value === null || value < 0) return { found: fields[1]!, expected: 'a count of at least 0' };
    this.#series.at(-1)!.rows.push({ atMs, value });
    return null;
  }

  finish(): ReadTrace {
    const { durations } = this.#options;
    const functions = this.#series
      .filter(({ rows }) => rows.length > 0)
      .map(({ name, rows }) => tracedSeries(name, rows, this.#options));
    const notes = [`Durations are not in the trace: log-normal with ${durations.text} is assumed.`];
    return { functions, notes: functions.length > 0 ? notes : [], startsMs: [] };
  }
}

function tracedSeries(name: string, unsorted: Series['rows'], { durations }: ReaderOptions): TracedFunction {
  const rows = unsorted.toSorted((a, b) => a.atMs - b.atMs);
  const intervalMs = commonGap(rows.map(({ atMs }) => atMs));
  const counts: Count[] = [];
  let arrivals = 0;
  let told = 0;
  for (const { atMs, value } of rows) {
    // Of values that are no whole numbers, what is left over comes with the next.
    told += value;
    const count = Math.round(told) - arrivals;
    arrivals += count;
    if (count > 0) counts.push({ fromMs: atMs, lengthMs: intervalMs, count });
  }
  return {
    name,
    arrivals,
    memoryBytes: null,
    span: { fromMs: rows[0]!.atMs, toMs: rows.at(-1)!.atMs + intervalMs },
    traffic: (options) =>
      inOrder(countedTraffic(name, counts, arrivals, fromLogNormal(durations.distribution), options)),
  };
}

/** Rows that are nearer to each other than the interval overlap. */
function inOrder(traffic: ReturnType<typeof countedTraffic>): ReturnType<typeof countedTraffic> {
  traffic.arrivedAtMs.sort();
  return traffic;
}

const ONE_ROW_MS = 60_000;

/** What most of the times are apart; a minute where there is only one. */
function commonGap(timesMs: readonly number[]): number {
  const seen = new Map<number, number>();
  let [commonest, most] = [ONE_ROW_MS, 0];
  for (let i = 1; i < timesMs.length; i++) {
    const gapMs = timesMs[i]! - timesMs[i - 1]!;
    if (gapMs === 0) continue;
    const count = (seen.get(gapMs) ?? 0) + 1;
    seen.set(gapMs, count);
    if (count > most) [commonest, most] = [gapMs, count];
  }
  return commonest;
}
