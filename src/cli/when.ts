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
