const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration such as `500ms`, `30s`, `1.5h` or `1h30m`. A unit is always needed.
 * @returns whole milliseconds, or null where `text` is no duration.
 */
export function parseDuration(text: string): number | null {
  const whole = text.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(whole)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of whole.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * UNITS_MS[unit!]!;
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : null;
}

/** Writes milliseconds the way a person would say them: `850ms`, `2.5s`, `3m`, `26h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${trim(durationMs, durationMs < 10 ? 1 : 0)}ms`;
  if (durationMs < 120_000) return `${trim(durationMs / 1_000, 1)}s`;
  if (durationMs < 2 * 3_600_000) return `${trim(durationMs / 60_000, 0)}m`;
  if (durationMs < 2 * 86_400_000) return `${trim(durationMs / 3_600_000, 0)}h`;
  return `${trim(durationMs / 86_400_000, 0)}d`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
