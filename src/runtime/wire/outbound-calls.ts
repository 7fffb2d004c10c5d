import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError, asFulcrumError } from '../../base/errors.ts';
import { requestId } from '../../base/ids.ts';
import type { Caller } from '../../model/calls.ts';
import type { Invocation, InvocationContext, InvocationResult, ThrownError } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { MAX_ASSEMBLED_BYTES } from './limits.ts';
import type { CallHead } from './messages.ts';
import { PayloadBuffer } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { noteRefusal } from './refused-calls.ts';
import { thrownOf, type Failure } from './thrown.ts';
import { tooLarge } from './too-large.ts';

/** How long a call may take that no invocation has made (code at a module's top level, work left behind). */
const ORPHAN_TIMEOUT_MS = 30_000;

/** Calls that one instance makes to other components, at the server's end. */
export class OutboundCalls {
  readonly #component: string;
  readonly #connection: WireConnection;
  readonly #caller: Caller;
  readonly #clock: Clock;
  readonly #gone = new AbortController();
  #assembledBytes = 0;

  constructor(component: string, connection: WireConnection, caller: Caller, clock: Clock) {
    this.#component = component;
    this.#connection = connection;
    this.#caller = caller;
    this.#clock = clock;
  }

  /** The instance is gone: calls that no invocation has made are given up; the others have their invocation's signal. */
  close(): void {
    this.#gone.abort(new FulcrumError('client-gone', 'The instance that made the call has ended.'));
  }

  /** The instance has opened a stream with CALL. */
  opened(stream: WireStream, head: CallHead): void {
    const { to, function: functionName } = head;
    if (to === null || functionName === null)
      throw protocolError('a CALL from an instance that names no function');
    const args = new PayloadBuffer();
    let state: 'arguments' | 'running' | 'over' = 'arguments';
    const release = (): void => {
      this.#assembledBytes -= args.lengthBytes;
    };
    const answer = (result: InvocationResult): void => {
      if (state === 'over') return;
      state = 'over';
      this.#answer(stream, head, result);
    };
    const handler: StreamHandler = {
      context: null,
      data: (chunk) => {
        if (state === 'over') return;
        if (state !== 'arguments') throw protocolError('data behind the end of a body');
        this.#assembledBytes += chunk.length;
        if (args.push(chunk) && this.#assembledBytes <= MAX_ASSEMBLED_BYTES) {
          stream.consumed(chunk.length);
          return;
        }
        release();
        answer(failed(tooLarge('arguments')));
      },
      frame: (type) => {
        // The instance's own calls are given up with their invocation; it does not do so one by one.
        if (type === FRAME.ABORT) return;
        if (state !== 'arguments' || type !== FRAME.BODY_END) {
          throw protocolError(`frame of type ${type} in a call's stream`);
        }
        state = 'running';
        release();
        const payload = { encoding: head.encoding, bytes: args.take() };
        void this.#call(to, { kind: 'call', function: functionName, args: payload }, head).then(answer);
      },
      drained: () => {
        if (state === 'over') this.#done(stream);
      },
      stopped: () => this.#done(stream),
      lost: () => {
        if (state === 'arguments') release();
        state = 'over';
      },
    };
    stream.handler = handler;
  }

  async #call(to: string, invocation: Invocation, head: CallHead): Promise<InvocationResult> {
    try {
      const parent = this.#parent(head);
      const result = await this.#caller.call(this.#component, to, invocation, parent);
      if (result.error !== null) noteRefusal(parent, to, result.error);
      return result;
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

  #parent(head: CallHead): InvocationContext {
    const parent =
      head.parent === null ? null : (this.#connection.stream(head.parent)?.handler.context ?? null);
    return (
      parent ?? {
        requestId: requestId(),
        traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
        trigger: 'call',
        deadlineMs: this.#clock.monotonicMs() + ORPHAN_TIMEOUT_MS,
        signal: this.#gone.signal,
      }
    );
  }
}

function failed(error: FulcrumError): InvocationResult {
  const thrown: ThrownError = thrownOf(error);
  return { outcome: 'handler-error', error, cpuMs: 0, value: null, thrown };
}
