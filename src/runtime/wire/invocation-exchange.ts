import type { Clock } from '../../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
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
import { PayloadBuffer } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';
import { readFailure } from './thrown.ts';
import { tooLarge } from './too-large.ts';

/** A function call, a schedule's tick or a batch of events at the server's end of its stream. */
export class InvocationExchangeStream implements StreamHandler {
  readonly context: InvocationContext;
  readonly ended: Promise<InvocationResult>;
  readonly #encoding: Payload['encoding'];
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #resolve: (result: InvocationResult) => void;
  readonly #value = new PayloadBuffer();
  readonly #onAbort = (): void => this.#aborted();
  #state: 'running' | 'over' = 'running';

  /** The signal must not have aborted. */
  constructor(invocation: Invocation, context: InvocationContext, connection: WireConnection, clock: Clock) {
    this.context = context;
    this.#connection = connection;
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
      this.#connection.forget(this.#stream);
      this.#finish('ok', null, cpuMs, null);
    } else if (type === FRAME.FAILED) {
      const failure = readFailure(payload, 'instance');
      this.#connection.forget(this.#stream);
      const error = new FulcrumError(failure.code, failure.message);
      this.#finish('handler-error', error, failure.cpuMicros / 1_000, failure.thrown);
    } else {
      throw protocolError(`frame of type ${type} in a call's stream`);
    }
  }

  data(chunk: Buffer): void {
    if (this.#state === 'over') return;
    if (this.#value.push(chunk)) {
      this.#stream.consumed(chunk.length);
      return;
    }
    this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, 'call-too-large');
    this.#finish('handler-error', tooLarge('result'), 0, null);
  }

  drained(): void {}

  stopped(): void {}

  lost(error: FulcrumError): void {
    this.#finish('crashed', error, 0, null);
  }

  #aborted(): void {
    const reason = asFulcrumError(this.context.signal.reason);
    this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, reason.code);
    this.#finish(reason.code === 'timeout' ? 'timeout' : 'cancelled', reason, 0, null);
  }

  #finish(outcome: Outcome, error: FulcrumError | null, cpuMs: number, thrown: ThrownError | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.context.signal.removeEventListener('abort', this.#onAbort);
    this.#stream.dropBody();
    const value = outcome === 'ok' ? { encoding: this.#encoding, bytes: this.#value.take() } : null;
    this.#resolve({ outcome, error, cpuMs, value, thrown });
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
