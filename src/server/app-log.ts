import type { LogReader } from '../control/log-book.ts';
import type { LogSink } from '../model/log.ts';

/** The log of one app: whoever writes of a component into it need not know the app. */
export function appLog(log: LogSink, app: string): LogSink {
  return { write: (entry) => log.write({ ...entry, app }) };
}

/** The part of a server's log that is of one app. */
export function logOf(log: LogReader, app: string): LogReader {
  return {
    query: (query) => log.query({ ...query, app }),
    follow: (filter, listener) => log.follow({ ...filter, app }, listener),
  };
}
