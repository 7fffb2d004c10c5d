import { authorsFrames } from '../../base/author-stack.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { MadeEvent } from '../../sdk/event.ts';
import type { PublishedEvent } from '../../sdk/handler-types.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_INSTANCE_STREAMS, MAX_PUBLISHING_BYTES } from '../wire/limits.ts';
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

/** What this instance asks of others: calls of other components, and events to be published. */
export class CallClient {
  readonly #link: Link;
  #running = 0;
  /** Of events under way. */
  #publishingBytes = 0;
  readonly #waiting: { readonly publishingBytes: number; readonly go: () => void }[] = [];

  constructor(link: Link) {
    this.#link = link;
  }

  /** What has not been answered, and what waits to be asked. */
  get underWay(): number {
    return this.#running + this.#waiting.length;
  }

  /** Rejects with what the function threw, or with an error that carries a code of Fulcrum's. */
  async call(component: string, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const parent = scopes.getStore()?.stream ?? null;
    const bytes = encodeValue(args, 'clone', 'arguments');
    const head: Partial<CallHead> = {
      kind: 'call',
      function: functionName,
      encoding: 'clone',
      to: component,
      parent,
    };
    return decodeValue(await this.#ask(head, bytes, 0), 'clone');
  }

  /** Resolves when the event is kept. Rejects with an error that carries a code of Fulcrum's. */
  async publish({ data, ...event }: MadeEvent): Promise<PublishedEvent> {
    const parent = scopes.getStore()?.stream ?? null;
    const head: Partial<CallHead> = { kind: 'publish', event, encoding: 'json', parent };
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    return decodeValue(await this.#ask(head, bytes, bytes.length), 'json') as PublishedEvent;
  }

  async #ask(head: Partial<CallHead>, bytes: Uint8Array, publishingBytes: number): Promise<Uint8Array> {
    await this.#slot(publishingBytes);
    try {
      return await this.#send(head, bytes);
    } catch (error) {
      throw withCaller(error);
    } finally {
      this.#running--;
      this.#publishingBytes -= publishingBytes;
      this.#next();
    }
  }

  async #slot(publishingBytes: number): Promise<void> {
    if (this.#waiting.length > 0 || !this.#fits(publishingBytes)) {
      if (this.#waiting.length >= MAX_WAITING) {
        const message = `More than ${MAX_WAITING} calls to other components and events wait in this instance. Make fewer at a time.`;
        throw new FulcrumError('overloaded', message);
      }
      await new Promise<void>((go) => this.#waiting.push({ publishingBytes, go }));
      return;
    }
    this.#take(publishingBytes);
  }

  /** Whoever waits goes in the order in which they came. */
  #next(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#fits(next.publishingBytes)) return;
      this.#waiting.shift();
      this.#take(next.publishingBytes);
      next.go();
    }
  }

  #fits(publishingBytes: number): boolean {
    return (
      this.#running < MAX_INSTANCE_STREAMS && this.#publishingBytes + publishingBytes <= MAX_PUBLISHING_BYTES
    );
  }

  #take(publishingBytes: number): void {
    this.#running++;
    this.#publishingBytes += publishingBytes;
  }

  #send(head: Partial<CallHead>, bytes: Uint8Array): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
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
          resolve(value.take());
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
    connection.writer.json(FRAME.CALL, 0, stream.id, head);
    stream.write(bytes);
    stream.endBody();
    return promise;
  }
}
