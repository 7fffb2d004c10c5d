import type { LogEntry } from '../model/log.ts';

/** Which entries of the log book are asked for. What is absent does not restrict. */
export interface LogFilter {
  /** An app's id. */
  readonly app?: string | undefined;
  readonly component?: string | undefined;
  readonly requestId?: string | undefined;
  /** Epoch milliseconds of the earliest entry. */
  readonly sinceMs?: number | undefined;
  /** The least serious level. */
  readonly level?: LogEntry['level'] | undefined;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogEntry['level'][];

const RANK: Readonly<Record<LogEntry['level'], number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function matches(filter: LogFilter, entry: LogEntry): boolean {
  return (
    (filter.app === undefined || entry.app === filter.app) &&
    (filter.component === undefined || entry.component === filter.component) &&
    (filter.requestId === undefined || entry.requestId === filter.requestId) &&
    (filter.sinceMs === undefined || entry.atMs >= filter.sinceMs) &&
    (filter.level === undefined || RANK[entry.level] >= RANK[filter.level])
  );
}
