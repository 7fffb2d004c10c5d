import { Cron } from 'croner';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { Schedule } from '../model/app.ts';
import { quote } from './issues.ts';
import { type Reading, refine, text } from './reading.ts';

const DEFAULT_TIME_ZONE = 'UTC';
const EXPECTED_CRON = "a cron line of five or six fields, such as '0 2 * * *' (every day at two)";
const EXPECTED_ZONE = "a time zone such as 'Europe/Berlin'";
/** Whether a line ever ticks must not depend on the day it is asked. */
const REFERENCE_DATE = new Date(Date.UTC(2024, 0, 1));

const cronText = text(EXPECTED_CRON, readCron);

/** A cron line, or one with its time zone. */
export const scheduleSchema = z.union([
  refine(cronText, EXPECTED_CRON, (cron): Reading<Schedule> => ({
    value: { cron, timeZone: DEFAULT_TIME_ZONE },
  })),
  refine(
    z.strictObject(
      { cron: cronText, timeZone: text(EXPECTED_ZONE, readTimeZone).optional() },
      { error: 'an object { cron, timeZone }' },
    ),
    EXPECTED_CRON,
    (given): Reading<Schedule> => ({
      value: { cron: given.cron, timeZone: given.timeZone ?? DEFAULT_TIME_ZONE },
    }),
  ),
]);

function readCron(written: string): Reading<string> {
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
  return { value: cron };
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
