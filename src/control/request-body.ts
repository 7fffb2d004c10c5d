import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';

/** For a body that is read whole, to arrive. */
const WHOLE_MS = 30_000;
/** For the next piece of one that is streamed. */
const PIECE_MS = 30_000;

/** A request's JSON. Rejects with `bad-request`, `body-too-large` or `body-timeout`. */
export async function readJson(incoming: IncomingMessage, maxBytes: number, clock: Clock): Promise<unknown> {
  // Besides being right, asking for the type keeps plain HTML forms of other pages out.
  if (!/^application\/json\b/i.test(incoming.headers['content-type'] ?? '')) {
    throw new FulcrumError('bad-request', 'Send JSON, with `Content-Type: application/json`.');
  }
  const bytes = await readBytes(incoming, maxBytes, clock);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new FulcrumError('bad-request', 'The request’s body is not valid JSON.', { cause: error });
  }
}

/** A request's whole body. Rejects with `body-too-large` or `body-timeout`. */
export async function readBytes(incoming: IncomingMessage, maxBytes: number, clock: Clock): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bodyPieces(incoming, maxBytes, clock, WHOLE_MS)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A request's body as it comes; what is not taken waits at the client. Throws `body-too-large` or `body-timeout`. */
export function streamBody(
  incoming: IncomingMessage,
  maxBytes: number,
  clock: Clock,
): AsyncIterable<Uint8Array> {
  return bodyPieces(incoming, maxBytes, clock, null);
}

/** @param wholeMs for all of it; null: each piece has its own time, in which the reader's does not count. */
async function* bodyPieces(
  incoming: IncomingMessage,
  maxBytes: number,
  clock: Clock,
  wholeMs: number | null,
): AsyncGenerator<Uint8Array> {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const beganMs = clock.monotonicMs();
  let bytes = 0;
  // Not `for await`: leaving such a loop destroys the request, and nobody would get to read why it was refused.
  const iterator = incoming.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const leftMs = wholeMs === null ? PIECE_MS : wholeMs - (clock.monotonicMs() - beganMs);
      const next = await within(iterator.next() as Promise<IteratorResult<Buffer, undefined>>, leftMs, clock);
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield next.value;
    }
  } finally {
    // Not waited for: where a piece was waited for in vain, this would wait for it as well.
    iterator.return?.(undefined).catch(() => undefined);
  }
}

async function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(Math.max(0, ms), () =>
    late.reject(new FulcrumError('body-timeout', 'The request’s body did not arrive in time.')),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } catch (error) {
    if (error instanceof FulcrumError) throw error;
    throw new FulcrumError('client-gone', 'The client went away before its request had arrived.', {
      cause: error,
    });
  } finally {
    timer.cancel();
  }
}

function tooLarge(maxBytes: number): FulcrumError {
  return new FulcrumError('body-too-large', `This takes at most ${formatBytes(maxBytes)} per request.`);
}
