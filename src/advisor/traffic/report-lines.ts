import type { Fault } from './bad-rows.ts';
import { LoggedFunctions } from './logged.ts';
import { parseMoment } from './moments.ts';
import type { ReaderOptions, ReadTrace, TraceReader } from './traced.ts';

const MB = 1024 ** 2;
/** So many starts show how long one takes. */
const MOST_STARTS = 100_000;

const REPORT = /REPORT RequestId/;
const JSON_REPORT = /"platform\.report"/;
const MOMENT = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?\s?(?:Z|[+-]\d\d:?\d\d)?|\b\d{13}\b/;
const GROUP = /\/aws\/lambda\/([A-Za-z0-9_-]+)/;
const AMOUNTS = {
  duration: /(?<!Billed |Init |Restore )\bDuration: (\d+(?:\.\d+)?) ms/,
  billed: /\bBilled Duration: (\d+(?:\.\d+)?) ms/,
  memory: /\bMemory Size: (\d+) MB/,
  init: /\bInit Duration: (\d+(?:\.\d+)?) ms/,
} as const;
const EXPECTED = 'REPORT RequestId: … Duration: N ms Billed Duration: N ms Memory Size: N MB';

interface Report {
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly memoryMb: number;
  /** NaN where the instance was there already. */
  readonly initMs: number;
}

export function isReportRow(line: string): boolean {
  return REPORT.test(line) || JSON_REPORT.test(line);
}

/**
 * REPORT lines of AWS Lambda in CloudWatch, as text or in Lambda's JSON log format, with the time that `aws logs tail`, `filter-log-events`, or an export puts beside
 * them; all other lines of a log are passed over. A report is written at the end of an invocation: it arrived its duration and init before.
 */
export class ReportReader implements TraceReader {
  readonly #functions = new LoggedFunctions();
  readonly #startsMs: number[] = [];
  readonly #options: ReaderOptions;
  #name = '';

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  begin(name: string): void {
    this.#name = name;
  }

  read(line: string): Fault | null {
    const text = REPORT.test(line);
    if (!text && !JSON_REPORT.test(line)) return null;
    const report = text ? textReport(line) : jsonReport(line);
    if ('found' in report) return report;
    const { endedAtMs, durationMs, memoryMb, initMs } = report;
    const cold = !Number.isNaN(initMs);
    if (cold && this.#startsMs.length < MOST_STARTS) this.#startsMs.push(initMs);
    this.#functions.add({
      name: GROUP.exec(line)?.[1] ?? this.#name,
      arrivedAtMs: endedAtMs - durationMs - (cold ? initMs : 0),
      durationMs,
      cpuMs: NaN,
      memoryBytes: memoryMb * MB,
    });
    return null;
  }

  finish(): ReadTrace {
    return { ...this.#functions.finish(this.#options.durations), startsMs: this.#startsMs };
  }
}

function textReport(line: string): Report | Fault {
  const at = line.search(REPORT);
  const [before, report] = [line.slice(0, at), line.slice(at)];
  const amount = (name: keyof typeof AMOUNTS): number => Number(AMOUNTS[name].exec(report)?.[1] ?? NaN);
  const [durationMs, memoryMb] = [amount('duration'), amount('memory')];
  if (Number.isNaN(durationMs) || Number.isNaN(amount('billed')) || Number.isNaN(memoryMb)) {
    return { found: report, expected: EXPECTED };
  }
  // `filter-log-events` puts it behind, everybody else before.
  const moment = MOMENT.exec(before) ?? MOMENT.exec(report.replace(/^REPORT RequestId: \S+/, ''));
  const endedAtMs = moment === null ? null : parseMoment(moment[0].replace(/\s(?=[+-])/, ''));
  if (endedAtMs === null) {
    return { found: line, expected: 'a time on the same line, as `aws logs tail --format short` puts it' };
  }
  return { endedAtMs, durationMs, memoryMb, initMs: amount('init') };
}

function jsonReport(line: string): Report | Fault {
  const expected =
    '{"time":"…","type":"platform.report","record":{"metrics":{"durationMs":N,"memorySizeMB":N,…}}}';
  let value: PlatformReport | null = null;
  try {
    value = JSON.parse(line.slice(line.indexOf('{'))) as PlatformReport;
  } catch {
    return { found: line, expected };
  }
  const endedAtMs = typeof value.time === 'string' ? parseMoment(value.time) : null;
  const { durationMs, memorySizeMB, initDurationMs } = value.record?.metrics ?? {};
  if (endedAtMs === null || !isAmount(durationMs) || !isAmount(memorySizeMB))
    return { found: line, expected };
  return {
    endedAtMs,
    durationMs,
    memoryMb: memorySizeMB,
    initMs: isAmount(initDurationMs) ? initDurationMs : NaN,
  };
}

interface PlatformReport {
  readonly time?: unknown;
  readonly record?: {
    readonly metrics?: {
      readonly durationMs?: unknown;
      readonly memorySizeMB?: unknown;
      readonly initDurationMs?: unknown;
    };
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}
