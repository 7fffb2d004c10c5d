import type { Clock } from '../base/clock.ts';
import type { LogEntry } from '../model/log.ts';
import type { LogQuery, LogReader } from './log-book.ts';

/** One line of a followed log, as newline-delimited JSON. */
export type LogStreamLine =
  | { readonly kind: 'entry'; readonly entry: LogEntry }
  /** So many entries were written faster than they were read, and are not in this stream. */
  | { readonly kind: 'missed'; readonly count: number }
  /** Nothing was written for a while; tells both ends that the connection lives. */
  | { readonly kind: 'heartbeat' };

export const HEARTBEAT_MS = 15_000;

interface StreamOptions {
  readonly book: LogReader;
  readonly query: LogQuery;
  readonly clock: Clock;
  /** Ends the stream, cleanly. */
  readonly signal: AbortSignal;
  readonly onEnd: () => void;
}

/** The entries that `query` finds, then those that follow, until the reader goes or `signal` aborts. Read slowly, it holds the follower back. */
export function logStream(options: StreamOptions): ReadableStream<Uint8Array> {
  const { book, query, clock, signal, onEnd } = options;
  const encoder = new TextEncoder();
  let wanted = Promise.withResolvers<void>();
  let stop = (): void => undefined;

  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (lines: readonly LogStreamLine[]): void => {
        controller.enqueue(encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
      };
      // Something is always sent at once, so that a client sees the stream open.
      const kept = book.query(query).map((entry): LogStreamLine => ({ kind: 'entry', entry }));
      send(kept.length === 0 ? [{ kind: 'heartbeat' }] : kept);
      const unfollow = book.follow(query, async ({ missed, entries }) => {
        const lines = entries.map((entry): LogStreamLine => ({ kind: 'entry', entry }));
        send(missed === 0 ? lines : [{ kind: 'missed', count: missed }, ...lines]);
        if ((controller.desiredSize ?? 0) <= 0) {
          wanted = Promise.withResolvers<void>();
          await wanted.promise;
        }
      });
      const heartbeat = clock.every(HEARTBEAT_MS, () => {
        if ((controller.desiredSize ?? 0) > 0) send([{ kind: 'heartbeat' }]);
      });
      const onAbort = (): void => {
        stop();
        controller.close();
      };
      stop = () => {
        unfollow();
        heartbeat.cancel();
        signal.removeEventListener('abort', onAbort);
        wanted.resolve();
        onEnd();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    },
    pull() {
      wanted.resolve();
    },
    cancel() {
      stop();
    },
  });
}
