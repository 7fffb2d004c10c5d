import type { Fault } from './bad-rows.ts';
import { countedTraffic, type Count } from './counted.ts';
import { csvFields, csvNumber } from './csv.ts';
import { fromLogNormal, fromPercentiles, type Durations } from './durations.ts';
import type { ReaderOptions, ReadTrace, Span, TracedFunction } from './traced.ts';

export type AzureKind = 'invocations' | 'durations' | 'memory';

const MB = 1024 ** 2;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The first day of the trace was a Monday. */
const FIRST_DAY_MS = Date.UTC(2019, 6, 15);
const SHARES = [0, 1, 25, 50, 75, 99, 100];
const NAME_LENGTH = 12;

/** Which of the files of the trace begins with this line; null where none does. */
export function azureKindOf(head: string): AzureKind | null {
  if (!head.includes('HashApp')) return null;
  if (head.includes('AverageAllocatedMb')) return 'memory';
  if (head.includes('percentile_Average_')) return 'durations';
  return /HashFunction,Trigger,\d+/.test(head) ? 'invocations' : null;
}

/** Minutes of a day with invocations, and how many. */
interface Day {
  readonly dayMs: number;
  readonly minutes: Uint16Array;
  readonly counts: Uint32Array;
}

interface Invoked {
  readonly key: string;
  readonly appKey: string;
  readonly name: string;
  readonly days: Day[];
  arrivals: number;
}

/**
 * The Azure Functions trace of 2019 (Shahrad et al., Serverless in the Wild, ATC 2020): invocations by minute, percentiles of durations and of memory. One file
 * of invocations is one day; of the first file that tells a function's durations or memory all days are taken. Only what happened is kept in
 * memory: some bytes for each minute in which a function was called.
 */
export class AzureTrace {
  readonly #options: ReaderOptions;
  readonly #functions = new Map<string, Invoked>();
  readonly #names = new Set<string>();
  readonly #durations = new Map<string, Durations>();
  readonly #memoryMb = new Map<string, number>();
  #columns: readonly string[] = [];
  #kind: AzureKind = 'invocations';
  #days = 0;
  #span: Span = { fromMs: Infinity, toMs: -Infinity };
  /** Room for the minutes of one row. */
  readonly #minutes: number[] = [];
  readonly #counts: number[] = [];

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** @returns what is wrong with the first line of a file, which tells its kind; null where nothing is. */
  begin(head: string): Fault | null {
    const kind = azureKindOf(head);
    if (kind === null) {
      return {
        found: head,
        expected: 'the head of a file of the Azure Functions trace: HashOwner,HashApp,…',
      };
    }
    this.#kind = kind;
    this.#columns = head.split(',');
    if (kind !== 'invocations') return null;
    const minutes = this.#columns.slice(4).map(Number);
    const wrong = minutes.findIndex(
      (minute, i) => !(minute >= 1 && minute <= 1_440) || (i > 0 && minute !== minutes[i - 1]! + 1),
    );
    if (wrong >= 0) {
      return {
        found: this.#columns[wrong + 4]!,
        expected: 'minutes of a day, one after the other: numbers from 1 to 1440',
      };
    }
    const dayMs = FIRST_DAY_MS + this.#days++ * DAY_MS;
    this.#span = {
      fromMs: Math.min(this.#span.fromMs, dayMs + (minutes[0]! - 1) * MINUTE_MS),
      toMs: Math.max(this.#span.toMs, dayMs + minutes.at(-1)! * MINUTE_MS),
    };
    return null;
  }

  read(line: string): Fault | null {
    if (line.trim() === '') return null;
    if (this.#kind === 'invocations') return this.#readInvocations(line);
    const fields = csvFields(line);
    if (fields.length !== this.#columns.length) {
      return {
        found: `${fields.length} columns`,
        expected: `${this.#columns.length} columns, as many as the head has`,
      };
    }
    const row = new Map(this.#columns.map((name, i) => [name, fields[i]!]));
    return this.#kind === 'durations' ? this.#readDurations(row) : this.#readMemory(row);
  }

  finish(): ReadTrace {
    const { durations: assumed } = this.#options;
    let [withoutDurations, withoutMemory] = [0, 0];
    const functions = [...this.#functions.values()]
      .filter(({ arrivals }) => arrivals > 0)
      .map((invoked): TracedFunction => {
        const { key, appKey, name, arrivals, days } = invoked;
        const durations = this.#durations.get(key);
        if (durations === undefined) withoutDurations++;
        const memoryMb = this.#memoryMb.get(key) ?? this.#memoryMb.get(appKey);
        if (memoryMb === undefined) withoutMemory++;
        const drawn = durations ?? fromLogNormal(assumed.distribution);
        return {
          name,
          arrivals,
          memoryBytes: memoryMb === undefined ? null : Math.ceil(memoryMb) * MB,
          span: this.#span,
          traffic: (options) => countedTraffic(name, countsOf(days), arrivals, drawn, options),
        };
      });
    const notes = [
      'Within each minute arrivals are placed at random; durations are drawn between the percentiles of the trace.',
    ];
    if (withoutDurations > 0)
      notes.push(
        `${functionsText(withoutDurations)} no durations in the trace: log-normal with ${assumed.text} is assumed.`,
      );
    if (withoutMemory > 0) notes.push(`${functionsText(withoutMemory)} no memory in the trace.`);
    return { functions, notes: functions.length > 0 ? notes : [], startsMs: [] };
  }

  #readInvocations(line: string): Fault | null {
    let at = 0;
    for (let field = 0; field < 4; field++) {
      const comma = line.indexOf(',', at);
      if (comma < 0)
        return { found: line, expected: `${this.#columns.length} columns, as many as the head has` };
      at = comma + 1;
    }
    const [owner, app, hash, trigger] = line.slice(0, at).split(',') as [string, string, string, string];
    if (hash === '') return { found: line, expected: 'a HashFunction' };
    const fault = this.#readCounts(line, at);
    if (fault !== null) return fault;
    const invoked = this.#functionOf(owner, app, hash, trigger);
    const day: Day = {
      dayMs: FIRST_DAY_MS + (this.#days - 1) * DAY_MS,
      minutes: Uint16Array.from(this.#minutes),
      counts: Uint32Array.from(this.#counts),
    };
    invoked.days.push(day);
    for (const count of day.counts) invoked.arrivals += count;
    return null;
  }

  /** Reads digits and commas without making 1,440 strings of a line, nearly all of which would be `0`. */
  #readCounts(line: string, from: number): Fault | null {
    this.#minutes.length = 0;
    this.#counts.length = 0;
    const first = Number(this.#columns[4]);
    let column = 4;
    let count = 0;
    let digits = 0;
    for (let at = from; at <= line.length; at++) {
      const code = at === line.length ? COMMA : line.charCodeAt(at);
      if (code !== COMMA) {
        if (code < DIGIT_0 || code > DIGIT_9 || ++digits > 9) {
          const found = line.slice(at - Math.min(digits, 9)).split(',')[0]!;
          return {
            found,
            expected: `a count of invocations in column ${this.#columns[column] ?? column + 1}`,
          };
        }
        count = count * 10 + code - DIGIT_0;
        continue;
      }
      if (digits === 0)
        return {
          found: '',
          expected: `a count of invocations in column ${this.#columns[column] ?? column + 1}`,
        };
      if (count > 0) {
        this.#minutes.push(first + column - 5);
        this.#counts.push(count);
      }
      column++;
      count = 0;
      digits = 0;
    }
    if (column === this.#columns.length) return null;
    return {
      found: `${column} columns`,
      expected: `${this.#columns.length} columns, as many as the head has`,
    };
  }

  #readDurations(row: ReadonlyMap<string, string>): Fault | null {
    const percentiles: { share: number; ms: number }[] = [];
    let before = 0;
    for (const share of SHARES) {
      const name = `percentile_Average_${share}`;
      const ms = csvNumber(row.get(name));
      if (ms === null || ms < 0)
        return { found: row.get(name) ?? '', expected: `${name}: a number of ms, at least 0` };
      // They are of averages over half minutes, and cross here and there.
      before = Math.max(before, ms);
      percentiles.push({ share: share / 100, ms: before });
    }
    const averageMs = csvNumber(row.get('Average'));
    if (averageMs === null || averageMs < 0)
      return { found: row.get('Average') ?? '', expected: 'Average: a number of ms, at least 0' };
    const key = keyOf(row.get('HashOwner')!, row.get('HashApp')!, row.get('HashFunction') ?? '');
    if (!this.#durations.has(key)) this.#durations.set(key, fromPercentiles(percentiles, averageMs));
    return null;
  }

  /** In the trace as it was published, memory is of an app; in samples of it, of a function. */
  #readMemory(row: ReadonlyMap<string, string>): Fault | null {
    const name = 'AverageAllocatedMb_pct100';
    const memoryMb = csvNumber(row.get(name));
    if (memoryMb === null || memoryMb <= 0)
      return { found: row.get(name) ?? '', expected: `${name}: a number of MB above 0` };
    const key = keyOf(row.get('HashOwner')!, row.get('HashApp')!, row.get('HashFunction') ?? '');
    if (!this.#memoryMb.has(key)) this.#memoryMb.set(key, memoryMb);
    return null;
  }

  #functionOf(owner: string, app: string, hash: string, trigger: string): Invoked {
    const key = keyOf(owner, app, hash);
    const there = this.#functions.get(key);
    if (there !== undefined) return there;
    const short = `${trigger === '' ? 'function' : trigger}-${hash.slice(0, NAME_LENGTH)}`;
    const name = this.#names.has(short) ? `${short}-${this.#names.size}` : short;
    this.#names.add(name);
    const invoked = { key, appKey: keyOf(owner, app, ''), name, days: [], arrivals: 0 };
    this.#functions.set(key, invoked);
    return invoked;
  }
}

const [COMMA, DIGIT_0, DIGIT_9] = [0x2c, 0x30, 0x39];

function keyOf(owner: string, app: string, hash: string): string {
  return `${owner}/${app}/${hash}`;
}

function functionsText(count: number): string {
  return count === 1 ? '1 function has' : `${count.toLocaleString('en-GB')} functions have`;
}

function* countsOf(days: readonly Day[]): Generator<Count> {
  for (const { dayMs, minutes, counts } of days) {
    for (let i = 0; i < minutes.length; i++) {
      yield { fromMs: dayMs + minutes[i]! * MINUTE_MS, lengthMs: MINUTE_MS, count: counts[i]! };
    }
  }
}
