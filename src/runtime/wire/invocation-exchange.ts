import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, type FulcrumError } from '../../base/errors.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationResult,
  Outcome,
  Payload,
  ThrownError,
} from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { readDone } from './done.ts';
import { FRAME } from './frames.ts';
import type { CallHead } from './messages.ts';
import { PayloadBuffer, type PayloadReader } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import { queueAnswer } from './queue-answer.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { errorOf } from './refused-calls.ts';
import { readFailure } from './thrown.ts';
import { tooLarge } from './too-large.ts';
import { endsAtOnce, outlasted, unheardMs, type GivenUp } from './unheard.ts';

/**
 * A function call, a schedule's tick or a batch of events at the server's end of its stream.
 *
 *   running ── DONE, FAILED, connection lost, timeout, shutdown ──▶ over
 *      └── given up for any other reason ──▶ unheard ──DONE, FAILED, …, deadline──▶ over
 */
export class InvocationExchangeStream implements StreamHandler {
  readonly context: InvocationContext;
  readonly ended: Promise<InvocationResult>;
  readonly #encoding: Payload['encoding'];
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #clock: Clock;
  readonly #resolve: (result: InvocationResult) => void;
  readonly #answer: PayloadReader;
  /** What comes is told at once, and so as long as anybody waits for the end. */
  readonly #tells: boolean;
  readonly #onAbort = (): void => this.#aborted();
  #state: 'running' | 'unheard' | 'over' = 'running';
  #givenUp: GivenUp | null = null;
  #deadline: Timer | null = null;

  /** The signal must not have aborted. @param minor the version of the wire that the instance speaks. */
  constructor(
    invocation: Invocation,
    context: InvocationContext,
    connection: WireConnection,
    minor: number,
    clock: Clock,
  ) {
    this.context = context;
    this.#tells = invocation.kind === 'queue';
    this.#answer =
      invocation.kind === 'queue' ? queueAnswer(minor, invocation.onSaid ?? null) : new PayloadBuffer();
    this.#connection = connection;
    this.#clock = clock;
    const payload = payloadOf(invocation);
    this.#encoding = payload.encoding;
    const { promise, resolve } = Promise.withResolvers<InvocationResult>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#stream = connection.open();
    this.#stream.handler = this;
    const head: CallHead = {
      kind: invocation.kind,
      function: invocation.kind === 'call' ? invocation.function : null,
      encoding: payload.encoding,
      to: null,
      parent: null,
      requestId: context.requestId,
      traceparent: context.traceparent,
      trigger: context.trigger,
      remainingMs: Math.max(context.deadlineMs - clock.monotonicMs(), 0),
    };
    connection.writer.json(FRAME.CALL, 0, this.#stream.id, head);
    this.#stream.write(payload.bytes);
    this.#stream.endBody();
    context.signal.addEventListener('abort', this.#onAbort);
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.DONE) {
      const cpuMs = readDone(payload);
      const bytes = this.#answer.take();
      this.#connection.forget(this.#stream);
      this.#finish('ok', null, cpuMs, null, bytes);
    } else if (type === FRAME.FAILED) {
      const failure = readFailure(payload, 'instance');
      this.#connection.forget(this.#stream);
      const error = errorOf(failure, this.context);
      this.#finish('handler-error', error, failure.cpuMicros / 1_000, failure.thrown);
    } else {
      throw protocolError(`frame of type ${type} in a call's stream`);
    }
  }

  data(chunk: Buffer): void {
    if (this.#state !== 'running' && !(this.#state === 'unheard' && this.#tells)) return;
    if (this.#answer.push(chunk)) {
      this.#stream.consumed(chunk.length);
      return;
    }
    this.#giveUp({ outcome: 'handler-error', error: tooLarge('result') });
  }

  drained(): void {}

  stopped(): void {}

  lost(error: FulcrumError): void {
    this.#finish('crashed', error, 0, null);
  }

  #aborted(): void {
    const error = asFulcrumError(this.context.signal.reason);
    if (!endsAtOnce(error)) return this.#giveUp({ outcome: 'cancelled', error });
    if (this.#state === 'running') this.#tellAbort(error);
    this.#end({ outcome: error.code === 'timeout' ? 'timeout' : 'cancelled', error, cpuMs: 0, thrown: null });
  }

  #giveUp(givenUp: GivenUp): void {
    if (this.#state !== 'running') return;
    this.#state = 'unheard';
    this.#givenUp = givenUp;
    this.#tellAbort(givenUp.error);
    this.#deadline = this.#clock.after(unheardMs(this.context, this.#clock), () =>
      this.#end({ outcome: 'timeout', error: outlasted(), cpuMs: 0, thrown: null }),
    );
  }

  #tellAbort(error: FulcrumError): void {
    this.#stream.dropBody();
    this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, error.code);
  }

  #finish(
    outcome: Outcome,
    error: FulcrumError | null,
    cpuMs: number,
    thrown: ThrownError | null,
    bytes: Uint8Array | null = null,
  ): void {
    if (this.#givenUp === null) this.#end({ outcome, error, cpuMs, thrown }, bytes);
    else this.#end({ ...this.#givenUp, cpuMs, thrown: null });
  }

  #end(end: Omit<InvocationResult, 'value'>, bytes: Uint8Array | null = null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#deadline?.cancel();
    this.context.signal.removeEventListener('abort', this.#onAbort);
    this.#stream.dropBody();
    this.#resolve({ ...end, value: bytes === null ? null : { encoding: this.#encoding, bytes } });
  }
}

function payloadOf(invocation: Invocation): Payload {
  switch (invocation.kind) {
    case 'call':
      return invocation.args;
    case 'scheduled':
      return invocation.event;
    case 'queue':
      return invocation.batch;
  }
}
