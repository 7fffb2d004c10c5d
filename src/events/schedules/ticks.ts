import { Cron } from 'croner';
import type { ScheduledAt } from '../../model/work-settings.ts';

/** Reading a line takes longer than all that is asked of it. A schedule of a config is the same object as long as that serves. */
const read = new WeakMap<ScheduledAt, Cron>();

/**
 * The first tick after `afterMs` (epoch ms), itself excluded; null: never again.
 *
 * Where the clocks of a time zone change it is as with Vixie cron (its manual, in https://unix.stackexchange.com/questions/272779). A line that names
 * its hours and minutes, without `*` and steps: a time that does not come, the clocks being put forward, is made up for at the first
 * one that does; one that comes twice counts once, the first time. Any other line goes by the clock on the wall: it has nothing in the hour that
 * does not come, and ticks in both of one that comes twice.
 */
export function nextTick(when: ScheduledAt, afterMs: number): number | null {
  switch (when.kind) {
    case 'cron':
      return cronOf(when).nextRun(new Date(afterMs))?.getTime() ?? null;
    case 'every':
      return (Math.floor(afterMs / when.everyMs) + 1) * when.everyMs;
    case 'at':
      return when.atMs > afterMs ? when.atMs : null;
  }
}

/** The last tick up to `uptoMs`, itself included; null: there was none. The inverse of {@link nextTick}. */
export function latestTick(when: ScheduledAt, uptoMs: number): number | null {
  switch (when.kind) {
    case 'cron':
      // What it is given is excluded.
      return (
        cronOf(when)
          .previousRuns(1, new Date(Math.floor(uptoMs) + 1))[0]
          ?.getTime() ?? null
      );
    case 'every':
      return Math.floor(uptoMs / when.everyMs) * when.everyMs;
    case 'at':
      return when.atMs <= uptoMs ? when.atMs : null;
  }
}

/** Whether it names times of the day, and not how often: what is to happen at two o'clock is not to happen twice on one day. */
export function isFixedTime(when: ScheduledAt): boolean {
  if (when.kind !== 'cron') return when.kind === 'at';
  const fields = when.cron.split(' ');
  const ofTheDay = fields.slice(0, fields.length === 6 ? 3 : 2);
  return !ofTheDay.some((field) => /[*?/]/.test(field));
}

function cronOf(when: Extract<ScheduledAt, { kind: 'cron' }>): Cron {
  let cron = read.get(when);
  if (cron === undefined) {
    cron = new Cron(when.cron, {
      mode: '5-or-6-parts',
      timezone: when.timeZone,
      paused: true,
      fixedTimeRule: 'no-wildcard',
    });
    read.set(when, cron);
  }
  return cron;
}
