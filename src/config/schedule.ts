import { Cron } from 'croner';
import { z } from 'zod';
import { parseDuration } from '../base/duration.ts';
import { messageOf } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import {
  DEFAULT_RETRY,
  type RetrySettings,
  type Schedule,
  type ScheduledAt,
} from '../model/work-settings.ts';
import { retrySchema, retrySettings } from './events.ts';
import { quote } from './issues.ts';
import { type Reading, refine, text } from './reading.ts';

const DEFAULT_TIME_ZONE = 'UTC';
const DEFAULT_NAME = 'schedule';
const EXPECTED_CRON =
  "a cron line of five or six fields, such as '0 2 * * *' (every day at two), or '@every 30s'";
const EXPECTED_ZONE = "a time zone such as 'Europe/Berlin'";
const EXPECTED_SCHEDULE = 'an object such as { cron, timeZone } or { at }';
const MOST_SCHEDULES = 100;
/** Words that other crons know (crontab(5)). A line says by itself at what minute it is. */
const LINES: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};
/** Whether a line ever ticks must not depend on the day it is asked. */
const REFERENCE_DATE = new Date(Date.UTC(2024, 0, 1));
const SHORTEST_EVERY_MS = 1_000;
const LONGEST_EVERY_MS = 365 * 86_400_000;
/** A tick is one of many: what does not go well three times may well go by the next. */
const RETRY: RetrySettings = { ...DEFAULT_RETRY, attempts: 3 };

const cronText = text(EXPECTED_CRON, readCron);

const nameText = text("a name such as 'nightly'", (written): Reading<string> =>
  /^[a-z][a-z0-9-]{0,40}$/.test(written)
    ? { value: written }
    : { problem: 'lower-case letters, digits and hyphens, beginning with a letter, are a name' },
);

const atText = text("a time such as '2026-12-24T18:00:00+01:00'", (written): Reading<number> => {
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(written);
  const atMs = Date.parse(written);
  if (!whole) return { problem: 'not a date and time with its offset from UTC' };
  return Number.isNaN(atMs) || !isOfCalendar(written)
    ? { problem: 'there is no such time' }
    : { value: atMs };
});

const line = cronText.transform((when): Schedule => schedule({ cron: when }));

const object = refine(
  z.strictObject(
    {
      cron: cronText.optional(),
      at: atText.optional(),
      timeZone: text(EXPECTED_ZONE, readTimeZone).optional(),
      name: nameText.optional(),
      missed: z.enum(['run', 'skip'], { error: "'run' or 'skip'" }).optional(),
      overlap: z.enum(['skip', 'allow'], { error: "'skip' or 'allow'" }).optional(),
      retry: retrySchema.optional(),
    },
    { error: EXPECTED_SCHEDULE },
  ),
  EXPECTED_SCHEDULE,
  (given): Reading<Schedule> => {
    if ((given.cron === undefined) === (given.at === undefined)) return { problem: 'one of cron and at' };
    if (given.timeZone !== undefined && given.cron?.kind !== 'cron')
      return { problem: 'a time zone is for a cron line' };
    return { value: schedule(given) };
  },
);

/** A cron line, `@every 30s`, an object where more is to be said, or a list of those. */
export const scheduleSchema = z.union([
  line.transform((one): readonly Schedule[] => [one]),
  object.transform((one): readonly Schedule[] => [one]),
  refine(
    z.array(z.union([line, object]), { error: 'a list of such' }).readonly(),
    `each with a name of its own, at most ${MOST_SCHEDULES}`,
    readNamed,
  ),
]);

function schedule(given: {
  readonly cron?: ScheduledAt | undefined;
  readonly at?: number | undefined;
  readonly timeZone?: string | undefined;
  readonly name?: string | undefined;
  readonly missed?: Schedule['missed'] | undefined;
  readonly overlap?: Schedule['overlap'] | undefined;
  readonly retry?: Parameters<typeof retrySettings>[0];
}): Schedule {
  const { cron, at, timeZone } = given;
  const when: ScheduledAt =
    cron === undefined
      ? { kind: 'at', atMs: at! }
      : cron.kind === 'cron'
        ? { ...cron, timeZone: timeZone ?? DEFAULT_TIME_ZONE }
        : cron;
  return {
    name: given.name ?? DEFAULT_NAME,
    when,
    missed: given.missed ?? 'run',
    overlap: given.overlap ?? 'skip',
    retry: retrySettings(given.retry, RETRY),
  };
}

function readNamed(schedules: readonly Schedule[]): Reading<readonly Schedule[]> {
  if (schedules.length > MOST_SCHEDULES) return { problem: `${schedules.length} schedules` };
  const names = schedules.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? { value: schedules } : { problem: `two have the name ${quote(twice)}` };
}

function readCron(written: string): Reading<ScheduledAt> {
  if (written.trim().startsWith('@')) return readEvery(written.trim());
  const cron = written.trim().split(/\s+/).join(' ');
  const fields = cron === '' ? 0 : cron.split(' ').length;
  if (fields !== 5 && fields !== 6) return { problem: `has ${fields} ${fields === 1 ? 'field' : 'fields'}` };
  try {
    const pattern = new Cron(cron, { mode: '5-or-6-parts', timezone: 'UTC', paused: true });
    if (pattern.nextRun(REFERENCE_DATE) === null) return { problem: 'this moment never comes' };
  } catch (error) {
    const reason = messageOf(error).replace(/^CronPattern: /, '');
    return { problem: `${reason.charAt(0).toLowerCase()}${reason.slice(1)}` };
  }
  return { value: { kind: 'cron', cron, timeZone: DEFAULT_TIME_ZONE } };
}

/** The parser of dates takes 30 February for 2 March. */
function isOfCalendar(written: string): boolean {
  const day = written.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) && !written.slice(11).startsWith('24');
}

function readEvery(written: string): Reading<ScheduledAt> {
  if (!/^@every\b/.test(written)) {
    const same = LINES[written.toLowerCase()];
    const problem = 'of these words only @every is known';
    return same === undefined ? { problem } : { problem, expected: quote(same) };
  }
  const found = /^@every\s+(\S+)$/.exec(written)?.[1];
  const everyMs = found === undefined ? null : parseDuration(found);
  if (everyMs === null) return { problem: 'not a duration behind @every' };
  if (everyMs < SHORTEST_EVERY_MS) return { problem: 'less than 1s' };
  if (everyMs > LONGEST_EVERY_MS) return { problem: 'more than 365d' };
  return { value: { kind: 'every', everyMs, text: `@every ${found}` } };
}

function readTimeZone(written: string): Reading<string> {
  if (!/^[A-Za-z]/.test(written)) return { problem: 'not the name of a time zone' };
  try {
    return { value: new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions().timeZone };
  } catch {
    const near = nearest(written, Intl.supportedValuesOf('timeZone'));
    return {
      problem: 'there is no such time zone',
      ...(near === null ? {} : { expected: `a time zone such as ${quote(near)}` }),
    };
  }
}
