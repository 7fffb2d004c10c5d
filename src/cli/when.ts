import { formatDuration } from '../base/duration.ts';

/** A moment as a person says it, seen from `nowMs`: `5m ago`, `in 89d`. */
export function relativeTime(atMs: number, nowMs: number): string {
  const awayMs = atMs - nowMs;
  if (Math.abs(awayMs) < 1_000) return 'now';
  const text = formatDuration(Math.round(Math.abs(awayMs) / 1_000) * 1_000);
  return awayMs < 0 ? `${text} ago` : `in ${text}`;
}

/** A moment as local date and time: `2026-01-02 12:30:00`. */
export function dateTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A local date as a person says it, seen from `nowMs`: `12 Jan`, or `12 Jan 2028` where that is not clear. */
export function dayOf(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const clear = Math.abs(atMs - nowMs) < 330 * 86_400_000;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${clear ? '' : ` ${at.getFullYear()}`}`;
}

/** The same where the exact day of a far year says too much: `12 Jan`, or `Jan 2028`. */
export function dayOrMonthOf(atMs: number, nowMs: number): string {
  const day = dayOf(atMs, nowMs);
  return /\d{4}$/.test(day) ? day.replace(/^\d+ /, '') : day;
}

/** The date with the time: `14 Nov 18:00`. */
export function hourOf(atMs: number, nowMs: number): string {
  return `${dayOf(atMs, nowMs)} ${dateTime(atMs).slice(11, 16)}`;
}
