import type { ScheduleRecord } from '../../model/schedule-store.ts';
import type { Schedule } from '../../model/work-settings.ts';
import { isFixedTime, latestTick, nextTick } from './ticks.ts';

/** What is to be done about a schedule now. Times are epoch ms. */
export type SchedulePlan =
  /** `untilMs` null: it never ticks again. */
  | { readonly do: 'wait'; readonly untilMs: number | null }
  /** `passedOver`: there were other ticks before it that nobody has fired, and nobody will. */
  | { readonly do: 'fire'; readonly tickMs: number; readonly passedOver: boolean }
  | { readonly do: 'skip'; readonly tickMs: number; readonly why: string }
  /** What is known of it lies so far ahead that the clock must have been put back. */
  | { readonly do: 'rewind'; readonly aheadMs: number };

export interface PlanClock {
  readonly nowMs: number;
  /** The clock of this machine has been seen to be put back by more than {@link PUT_BACK_MS}, and that has not been dealt with. */
  readonly putBack: boolean;
}

/**
 * A clock that goes back by more has been put back. Less is a server of times that sets it right, or another machine's that differs: five
 * minutes are what Kerberos commonly allows.
 */
export const PUT_BACK_MS = 5 * 60_000;
/**
 * Vixie cron's bound: put back by less, what falls into the time that comes again is not run again; by more, the new time is taken as it is. There,
 * too, it holds for what names times of the day only (its manual, in https://unix.stackexchange.com/questions/272779).
 */
const MOST_REPEATED_MS = 3 * 3_600_000;
/** A tick that is later than that was missed. One server that makes room for another is quicker. */
const MISSED_AFTER_MS = 60_000;
const WAS_PAST = 'Its time had passed when it was first seen.';

/**
 * What is to be done about a schedule, by what is known of it.
 *
 * Ticks count that come after the last one, or, before there was one, after `sinceMs`. Of those that are due only the latest is fired: the ones before it were missed,
 * and one run makes up for all (`missed: 'run'`), or was missed too and is skipped (`missed: 'skip'`).
 *
 * Where the clock was put back, the last tick lies in the future. Up to 3 h nothing is done until that is past: nothing runs twice. Beyond, and
 * for what goes by how often and not by the time of the day as soon as this machine's clock is seen to be put back, time begins
 * again where the clock is: `rewind`. What has a single time (`at`) has it once, whatever the clock does.
 */
export function planSchedule(
  { when, missed }: Pick<Schedule, 'when' | 'missed'>,
  { sinceMs, lastTickMs }: Pick<ScheduleRecord, 'sinceMs' | 'lastTickMs'>,
  { nowMs, putBack }: PlanClock,
): SchedulePlan {
  if (when.kind === 'at') {
    if (lastTickMs !== null) return { do: 'wait', untilMs: null };
    if (when.atMs <= sinceMs) return { do: 'skip', tickMs: when.atMs, why: WAS_PAST };
    if (when.atMs > nowMs) return { do: 'wait', untilMs: when.atMs };
    return due(when.atMs, false);
  }
  const fromMs = lastTickMs ?? sinceMs;
  const aheadMs = fromMs - nowMs;
  if (aheadMs > (putBack && !isFixedTime(when) ? PUT_BACK_MS : MOST_REPEATED_MS))
    return { do: 'rewind', aheadMs };
  const tickMs = latestTick(when, nowMs);
  if (tickMs === null || tickMs <= fromMs)
    return { do: 'wait', untilMs: nextTick(when, Math.max(nowMs, fromMs)) };
  return due(tickMs, nextTick(when, fromMs) !== tickMs);

  function due(tickMs: number, passedOver: boolean): SchedulePlan {
    return missed === 'skip' && nowMs - tickMs > MISSED_AFTER_MS
      ? { do: 'skip', tickMs, why: `It was missed: it was due at ${new Date(tickMs).toISOString()}.` }
      : { do: 'fire', tickMs, passedOver };
  }
}
