import { formatDuration } from '../base/duration.ts';

/** How long a call took: what stays in a process takes microseconds. */
export function formatCallDuration(durationMs: number): string {
  return durationMs > 0 && durationMs < 0.1
    ? `${Math.ceil(durationMs * 1_000)}µs`
    : formatDuration(durationMs);
}
