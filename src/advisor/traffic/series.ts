import type { Fault } from './bad-rows.ts';
import { countedTraffic, type Count } from './counted.ts';
import { csvFields, csvNumber } from './csv.ts';
import { fromLogNormal } from './durations.ts';
import { parseMoment } from './moments.ts';
import { NumberColumn } from './number-column.ts';
import { orderOf } from './order.ts';
import type { ReaderOptions, ReadTrace, TracedFunction, TraceReader } from './traced.ts';

interface Series {
  readonly name: string;
  readonly atMs: NumberColumn;
  readonly value: NumberColumn;
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
    this.#series.push({ name, atMs: new NumberColumn(), value: new NumberColumn() });
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
    const series = this.#series.at(-1)!;
    series.atMs.add(atMs);
    series.value.add(value);
    return null;
  }

  finish(): ReadTrace {
    const { durations } = this.#options;
    const functions = this.#series
      .filter(({ atMs }) => atMs.count > 0)
      .map((series) => tracedSeries(series, this.#options));
    const notes = [`Durations are not in the trace: log-normal with ${durations.text} is assumed.`];
    return { functions, notes: functions.length > 0 ? notes : [], startsMs: [] };
  }
}

function tracedSeries({ name, ...unsorted }: Series, { durations }: ReaderOptions): TracedFunction {
  const order = orderOf(unsorted.atMs.values);
  const atMs = Float64Array.from(order, (i) => unsorted.atMs.values[i]!);
  const counts = wholeCounts(Float64Array.from(order, (i) => unsorted.value.values[i]!));
  const lengthMs = commonGap(atMs);
  const arrivals = counts.reduce((sum, count) => sum + count, 0);
  return {
    name,
    arrivals,
    memoryBytes: null,
    span: { fromMs: atMs[0]!, toMs: atMs.at(-1)! + lengthMs },
    traffic: (options) =>
      inOrder(
        countedTraffic(
          name,
          intervals(atMs, counts, lengthMs),
          arrivals,
          fromLogNormal(durations.distribution),
          options,
        ),
      ),
  };
}

/** Of values that are no whole numbers, what is left over comes with the next. */
function wholeCounts(values: Float64Array): Float64Array {
  let arrivals = 0;
  let told = 0;
  return values.map((value) => {
    told += value;
    const count = Math.round(told) - arrivals;
    arrivals += count;
    return count;
  });
}

function* intervals(atMs: Float64Array, counts: Float64Array, lengthMs: number): Generator<Count> {
  for (const [i, count] of counts.entries()) if (count > 0) yield { fromMs: atMs[i]!, lengthMs, count };
}

/** Rows that are nearer to each other than the interval overlap. */
function inOrder(traffic: ReturnType<typeof countedTraffic>): ReturnType<typeof countedTraffic> {
  traffic.arrivedAtMs.sort();
  return traffic;
}

const ONE_ROW_MS = 60_000;

/** What most of the times are apart; a minute where there is only one. */
function commonGap(timesMs: Float64Array): number {
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
