import type { ScheduleRecord } from '../../model/schedule-store.ts';
import type { ScheduleStatus } from '../../model/status.ts';
import { scheduleText, type Schedule, type ScheduledAt } from '../../model/work-settings.ts';
import { planSchedule } from './plan.ts';
import { nextTick } from './ticks.ts';

/** When it ticks, as text: what it is shown as, and what a change of it is known by. */
export function scheduleSpec(when: ScheduledAt): string {
  const zone = when.kind === 'cron' && when.timeZone !== 'UTC' ? ` ${when.timeZone}` : '';
  return `${scheduleText(when)}${zone}`;
}

/** @param record null: nothing is known of it yet. */
export function scheduleStatus(
  schedule: Schedule,
  record: ScheduleRecord | null,
  nowMs: number,
): ScheduleStatus {
  return {
    name: schedule.name,
    text: scheduleSpec(schedule.when),
    lastAtMs: record?.lastTickMs ?? null,
    lastState: record?.last?.state ?? null,
    lastMessage: record?.last?.message ?? null,
    nextAtMs: nextDueMs(schedule, record, nowMs),
  };
}

/** The tick that comes next; one that is due and not fired yet is that. */
function nextDueMs(schedule: Schedule, record: ScheduleRecord | null, nowMs: number): number | null {
  if (record === null) return nextTick(schedule.when, nowMs);
  const plan = planSchedule(schedule, record, { nowMs, putBack: false });
  if (plan.do === 'wait') return plan.untilMs;
  return plan.do === 'fire' ? plan.tickMs : nextTick(schedule.when, nowMs);
}
