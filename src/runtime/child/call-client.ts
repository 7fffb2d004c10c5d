import { authorsFrames } from '../../base/author-stack.ts';
import { FulcrumError } from '../../base/errors.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_INSTANCE_STREAMS } from '../wire/limits.ts';
import type { CallHead } from '../wire/messages.ts';
import { PayloadBuffer } from '../wire/payload-buffer.ts';
import { fromThrown, readFailure } from '../wire/thrown.ts';
import { tooLarge } from '../wire/too-large.ts';
import { scopes } from './invocation.ts';
import type { Link } from './link.ts';
import { decodeValue, encodeValue } from './values.ts';

/** Calls that may wait here for others to end, because the server takes only so many at a time. */
const MAX_WAITING = 10_000;

/** Frames of the caller that a stack from elsewhere is given. */
const MAX_CALLER_FRAMES = 5;

/**
 * An error that came from another component has that one's frames. Behind an `await`, V8 still knows who waits: those are the caller's,
 * and go below. Costs nothing where no call fails.
 */
function withCaller(error: unknown): unknown {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return error;
  const frames = authorsFrames(new Error('called here').stack ?? '').slice(0, MAX_CALLER_FRAMES);
  if (frames.length > 0) error.stack = `${error.stack}\n${frames.join('\n')}`;
  return error;
}

/** Calls from this instance to other components. */
export class CallClient {
  readonly #link: Link;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(link: Link) {
    this.#link = link;
  }

  /** Calls that have not been answered, those that wait among them. */
  get underWay(): number {
    return this.#running + this.#waiting.length;
  }

  /** Rejects with what the function threw, or with an error that carries a code of Fulcrum's. */
  async call(component: string, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const parent = scopes.getStore()?.stream ?? null;
    const bytes = encodeValue(args, 'clone', 'arguments');
    await this.#slot();
    try {
      return await this.#send(component, functionName, bytes, parent);
    } catch (error) {
      throw withCaller(error);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #slot(): Promise<void> {
    if (this.#running >= MAX_INSTANCE_STREAMS) {
      if (this.#waiting.length >= MAX_WAITING) {
        const message = `More than ${MAX_WAITING} calls to other components wait in this instance. Make fewer at a time.`;
        throw new FulcrumError('overloaded', message);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  #send(component: string, functionName: string, bytes: Uint8Array, parent: number | null): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const { connection } = this.#link;
    const stream = connection.open();
    const value = new PayloadBuffer();
    stream.handler = {
      context: null,
      data: (chunk) => {
        if (value.push(chunk)) stream.consumed(chunk.length);
        else reject(tooLarge('result'));
      },
      frame: (type, _flags, payload) => {
        if (type === FRAME.DONE) {
          connection.forget(stream);
          try {
            resolve(decodeValue(value.take(), 'clone'));
          } catch (error) {
            reject(error);
          }
        } else if (type === FRAME.FAILED) {
          connection.forget(stream);
          const failure = readFailure(payload, 'server');
          const { thrown, retryAfterS } = failure;
          const error =
            thrown === null ? new FulcrumError(failure.code, failure.message) : fromThrown(thrown);
          if (typeof retryAfterS === 'number') Object.assign(error, { retryAfterS });
          reject(error);
        }
      },
      drained: () => undefined,
      stopped: () => undefined,
      lost: (error) => reject(error),
    };
    const head: Partial<CallHead> = {
      kind: 'call',
      function: functionName,
      encoding: 'clone',
      to: component,
      parent,
    };
    connection.writer.json(FRAME.CALL, 0, stream.id, head);
    stream.write(bytes);
    stream.endBody();
    return promise;
  }
}
