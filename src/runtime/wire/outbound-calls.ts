import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError, asFulcrumError } from '../../base/errors.ts';
import { MAX_EVENT_BYTES } from '../../base/event-limits.ts';
import { requestId } from '../../base/ids.ts';
import type { InstanceHome } from '../../model/instance.ts';
import type { Invocation, InvocationContext, InvocationResult, ThrownError } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { MAX_ASSEMBLED_BYTES, MAX_PAYLOAD_BYTES, MAX_PUBLISHING_BYTES } from './limits.ts';
import type { CallHead, EventHead } from './messages.ts';
import { PayloadBuffer } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { noteRefusal } from './refused-calls.ts';
import { thrownOf, type Failure } from './thrown.ts';
import { tooLarge } from './too-large.ts';

/** How long a call may take that no invocation has made (code at a module's top level, work left behind). */
const ORPHAN_TIMEOUT_MS = 30_000;

/** What an instance asks of others, and what bounds it. */
interface Asked {
  readonly mostBytes: number;
  readonly tooLarge: () => FulcrumError;
  /** Whether the body is held until it is answered, and not only until it is whole. */
  readonly holds: boolean;
  /** Never rejects. */
  readonly answer: (bytes: Uint8Array) => Promise<InvocationResult>;
}

/** What one instance asks for, calls of other components and events to be published, at the server's end. */
export class OutboundCalls {
  readonly #component: string;
  readonly #connection: WireConnection;
  readonly #home: InstanceHome;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  #assembledBytes = 0;
  /** Of events, until they are kept. */
  #publishingBytes = 0;

  constructor(component: string, connection: WireConnection, home: InstanceHome, clock: Clock) {
    this.#component = component;
    this.#connection = connection;
    this.#home = home;
    this.#clock = clock;
  }

  /** The instance is gone: calls that no invocation has made are given up; the others have their invocation's signal. */
  close(): void {
    this.#gone.abort(new FulcrumError('client-gone', 'The instance that made the call has ended.'));
  }

  /** The instance has opened a stream with CALL. */
  opened(stream: WireStream, head: CallHead): void {
    stream.handler = this.#receive(stream, head, this.#asked(head));
  }

  #asked(head: CallHead): Asked {
    const { kind, to, function: functionName, encoding, event } = head;
    if (kind === 'publish' && event) {
      const traceparent = this.#contextOf(head)?.traceparent ?? null;
      return {
        mostBytes: MAX_EVENT_BYTES,
        tooLarge: eventTooLarge,
        holds: true,
        answer: (data) => this.#publish(event, traceparent, data),
      };
    }
    if (kind !== 'call' || to === null || functionName === null)
      throw protocolError('a CALL from an instance that names no function');
    return {
      mostBytes: MAX_PAYLOAD_BYTES,
      tooLarge: () => tooLarge('arguments'),
      holds: false,
      answer: (bytes) => this.#call(to, { kind, function: functionName, args: { encoding, bytes } }, head),
    };
  }

  #receive(stream: WireStream, head: CallHead, asked: Asked): StreamHandler {
    const body = new PayloadBuffer(asked.mostBytes);
    let state: 'body' | 'running' | 'over' = 'body';
    const hold = (bytes: number): boolean => {
      if (asked.holds) return (this.#publishingBytes += bytes) <= MAX_PUBLISHING_BYTES;
      return (this.#assembledBytes += bytes) <= MAX_ASSEMBLED_BYTES;
    };
    const release = (): void => void hold(-body.lengthBytes);
    const answer = (result: InvocationResult): void => {
      if (state === 'over') return;
      state = 'over';
      this.#answer(stream, head, result);
    };
    return {
      context: null,
      data: (chunk) => {
        if (state === 'over') return;
        if (state !== 'body') throw protocolError('data behind the end of a body');
        const fits = hold(chunk.length);
        if (body.push(chunk) && fits) {
          stream.consumed(chunk.length);
          return;
        }
        release();
        answer(failed(fits || !asked.holds ? asked.tooLarge() : tooMuchAtATime()));
      },
      frame: (type) => {
        // The instance's own calls are given up with their invocation; it does not do so one by one.
        if (type === FRAME.ABORT) return;
        if (state !== 'body' || type !== FRAME.BODY_END) {
          throw protocolError(`frame of type ${type} in a call's stream`);
        }
        state = 'running';
        if (!asked.holds) release();
        void asked.answer(body.take()).then((result) => {
          if (asked.holds) release();
          answer(result);
        });
      },
      drained: () => {
        if (state === 'over') this.#done(stream);
      },
      stopped: () => this.#done(stream),
      lost: () => {
        if (state === 'body') release();
        state = 'over';
      },
    };
  }

  async #call(to: string, invocation: Invocation, head: CallHead): Promise<InvocationResult> {
    try {
      const parent = this.#parent(head);
      const result = await this.#home.caller.call(this.#component, to, invocation, parent);
      if (result.error !== null) noteRefusal(parent, to, result.error);
      return result;
    } catch (error) {
      return failed(asFulcrumError(error));
    }
  }

  /** What has been published is published, whatever becomes of the instance. */
  async #publish(event: EventHead, traceparent: string | null, data: Uint8Array): Promise<InvocationResult> {
    try {
      const extensions = traceparent === null ? {} : { traceparent };
      const order = { ...event, data, id: null, source: null, timeMs: null, extensions };
      const [published] = await this.#home.publisher.publish(this.#component, [order]);
      const bytes = Buffer.from(JSON.stringify(published));
      const value = { encoding: 'json', bytes } as const;
      return { outcome: 'ok', error: null, cpuMs: 0, value, thrown: null };
    } catch (error) {
      return failed(asFulcrumError(error));
    }
  }

  #answer(stream: WireStream, head: CallHead, result: InvocationResult): void {
    if (result.value === null || result.value.encoding !== head.encoding) {
      const error =
        result.error ??
        new FulcrumError('internal', 'A call was answered in another encoding than it was made in.');
      const failure: Failure = {
        code: error.code,
        message: error.message,
        thrown: result.thrown ?? thrownOf(error),
        cpuMicros: 0,
        retryAfterS: error.retryAfterS,
      };
      this.#connection.writer.json(FRAME.FAILED, 0, stream.id, failure);
      this.#connection.forget(stream);
    } else if (stream.write(result.value.bytes)) {
      this.#done(stream);
    }
  }

  #done(stream: WireStream): void {
    if (this.#connection.stream(stream.id) !== stream) return;
    this.#connection.writer.number(FRAME.DONE, stream.id, 0);
    this.#connection.forget(stream);
  }

  /** Of the invocation that asks, if it still runs. */
  #contextOf({ parent }: CallHead): InvocationContext | null {
    return parent === null ? null : (this.#connection.stream(parent)?.handler.context ?? null);
  }

  #parent(head: CallHead): InvocationContext {
    return (
      this.#contextOf(head) ?? {
        requestId: requestId(),
        traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
        trigger: 'call',
        deadlineMs: this.#clock.monotonicMs() + ORPHAN_TIMEOUT_MS,
        signal: this.#gone.signal,
      }
    );
  }
}

function eventTooLarge(): FulcrumError {
  return new FulcrumError('event-invalid', "An event's data takes more than 1 MB.");
}

function tooMuchAtATime(): FulcrumError {
  const message = 'The events that this instance publishes at a time take more than 32 MB.';
  return new FulcrumError('overloaded', message, { retryAfterS: 1 });
}

function failed(error: FulcrumError): InvocationResult {
  const thrown: ThrownError = thrownOf(error);
  return { outcome: 'handler-error', error, cpuMs: 0, value: null, thrown };
}
