import { isUsageHead } from '../own/usage-line.ts';
import { AccessLogReader, isAccessLogRow } from './access-log.ts';
import { ArrivalListReader, isArrivalListHead } from './arrival-list.ts';
import { azureKindOf } from './azure.ts';
import { FulcrumReader } from './fulcrum.ts';
import { JsonLinesReader } from './json-lines.ts';
import { isReportRow, ReportReader } from './report-lines.ts';
import { SeriesReader } from './series.ts';
import type { ReaderOptions, TraceReader } from './traced.ts';

/** As `--format` names them. */
export const FORMATS = [
  'access-log',
  'arrivals',
  'azure',
  'cloudwatch',
  'fulcrum',
  'jsonl',
  'series',
] as const;
export type Format = (typeof FORMATS)[number];

export const READERS: Readonly<Record<Exclude<Format, 'azure'>, (options: ReaderOptions) => TraceReader>> = {
  'access-log': (options) => new AccessLogReader(options),
  arrivals: (options) => new ArrivalListReader(options),
  cloudwatch: (options) => new ReportReader(options),
  fulcrum: () => new FulcrumReader(),
  jsonl: (options) => new JsonLinesReader(options),
  series: (options) => new SeriesReader(options),
};

/** So many lines are looked at: a log may begin with others than those that tell. */
export const LINES_TO_TELL = 200;

/** What these first lines of a file are of; null where nothing is like them. */
export function formatOf(lines: readonly string[]): Format | null {
  const told = lines.map((line) => line.replace(/^\uFEFF/, '')).filter((line) => line.trim() !== '');
  const head = told[0];
  if (head === undefined) return null;
  if (azureKindOf(head) !== null) return 'azure';
  if (isUsageHead(head)) return 'fulcrum';
  if (told.some(isReportRow)) return 'cloudwatch';
  // A broken row among the first must not hide what all others are.
  if (told.some(isAccessLogRow)) return 'access-log';
  if (told.some((line) => /^\s*\{.*\}\s*$/.test(line))) return 'jsonl';
  if (/^"?timestamp"?\s*,\s*"?value"?\s*$/i.test(head)) return 'series';
  if (isArrivalListHead(head)) return 'arrivals';
  return told.some((line) =>
    /^\d{4}-\d\d-\d\d[T ][^,]*,\s*\d+(?:\.\d+)?$|^\d{9,19},\s*\d+(?:\.\d+)?$/.test(line),
  )
    ? 'series'
    : null;
}
