import { InvalidArgumentError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { parseDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';

/** A moment that a person names: so long before now, or by its date. */
export type Moment =
  | { readonly kind: 'ago'; readonly ms: number }
  | { readonly kind: 'at'; readonly atMs: number };

const DATE = /^\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)?$/;

/** `30d`, `12h`; `2026-11`, `2026-11-01`, `2026-11-01T12:00Z`. Without a zone it is UTC, as the days of bills are. */
export function moment(text: string): Moment {
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return { kind: 'ago', ms };
  const zoned = /T.*(?:Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const atMs = DATE.test(text) ? Date.parse(zoned) : Number.NaN;
  // `2026-02-30` would be taken for the second of March.
  const day = text.split('T')[0]!;
  const isDate = !Number.isNaN(atMs) && new Date(Date.parse(day)).toISOString().startsWith(day);
  if (!isDate || atMs < 0)
    throw new InvalidArgumentError('It is a duration such as 30d or 12h, or a date such as 2026-11-01.');
  return { kind: 'at', atMs };
}

const MINUTE_MS = 60_000;
const DEFAULT: Moment = { kind: 'ago', ms: 30 * 86_400_000 };

/** What `--since` (30 days ago) and `--until` (now, and never later) say, in ms since the epoch. Throws `usage` where nothing lies between the two. */
export function spanOf(
  { since = DEFAULT, until }: { readonly since?: Moment; readonly until?: Moment },
  nowMs = systemClock.nowMs(),
): { readonly fromMs: number; readonly toMs: number } {
  const untilMs = until === undefined ? nowMs : momentMs(until, nowMs);
  // The rest of a month has not been used yet, and services of it would be priced as if it had.
  const toMs = Math.ceil(Math.min(untilMs, nowMs));
  // What is counted is counted by the minute.
  const fromMs = Math.floor(momentMs(since, nowMs) / MINUTE_MS) * MINUTE_MS;
  if (fromMs < toMs) return { fromMs, toMs };
  throw new FulcrumError(
    'usage',
    `--since (${new Date(fromMs).toISOString()}) is not before ${untilMs >= nowMs ? 'now' : `--until (${new Date(toMs).toISOString()})`}.`,
  );
}

function momentMs(moment: Moment, nowMs: number): number {
  return moment.kind === 'at' ? moment.atMs : Math.max(0, nowMs - moment.ms);
}
