import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { UsageLine } from '../model/usage-export.ts';

const CHUNK_CHARACTERS = 64 * 1024;
/** Who takes nothing for so long is taken for gone: what is read of the store for them is held all the while. */
export const UNREAD_MS = 60_000;

interface UsageStreamOptions {
  readonly lines: AsyncIterator<UsageLine>;
  readonly clock: Clock;
  /** Breaks the stream off. */
  readonly signal: AbortSignal;
  /** Called once, however it ends. */
  readonly onEnd: () => void;
}

/** `lines` as newline-delimited JSON. Takes no more of them than are read, and holds one chunk; cut short, it ends with an error and without its last line. */
export function usageStream({ lines, clock, signal, onEnd }: UsageStreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop = (_error: Error | null): void => undefined;
  let unread = clock.after(UNREAD_MS, () => stop(UNREAD));
  const waitAgain = (): void => {
    unread.cancel();
    unread = clock.after(UNREAD_MS, () => stop(UNREAD));
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let ended = false;
        const onAbort = (): void => stop(CLOSING);
        stop = (error) => {
          if (ended) return;
          ended = true;
          unread.cancel();
          signal.removeEventListener('abort', onAbort);
          if (error !== null) controller.error(error);
          void giveUp(lines);
          onEnd();
        };
        signal.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        waitAgain();
        let text = '';
        try {
          // A page of the store is there at once, and may be told in many chunks: requests get their turn between them.
          await nextTurn();
          while (text.length < CHUNK_CHARACTERS) {
            const { value, done } = await lines.next();
            if (done === true) {
              if (text !== '') controller.enqueue(encoder.encode(text));
              stop(null);
              controller.close();
              return;
            }
            text += `${JSON.stringify(value)}\n`;
          }
          controller.enqueue(encoder.encode(text));
        } catch (error) {
          stop(error as Error);
        }
      },
      cancel() {
        stop(null);
      },
    },
    { highWaterMark: 1 },
  );
}

/** A generator that is at work on a page ends after it; nobody waits for that. */
async function giveUp(lines: AsyncIterator<UsageLine>): Promise<void> {
  try {
    await lines.return?.();
  } catch {
    // Whoever read has been told already that it has ended.
  }
}

const UNREAD = new FulcrumError('client-gone', 'Nothing of the usage was read for a minute.');
const CLOSING = new FulcrumError('shutting-down', 'The server shut down before all of the usage was sent.');
