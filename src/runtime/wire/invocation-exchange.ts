import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationResult,
  Outcome,
  Payload,
  Returned,
  ThrownError,
} from '../../model/invocation.ts';
import { readCallAnswer, writeCall } from './call-frame.ts';
import { pathOf } from './chain-text.ts';
import { ChannelIn } from './channel-in.ts';
import { ChannelOut } from './channel-out.ts';
import type { WireConnection } from './connection.ts';
import { readDone } from './done.ts';
import { FRAME } from './frames.ts';
import { MAX_CALL_CHANNELS } from './limits.ts';
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
 *
 * Where streams are in what a function returns, BODY_END says that the value is whole; it is running on until they have ended.
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
  readonly #isCall: boolean;
  /** Streams and signals among the arguments, and in the result. */
  readonly #passed: readonly ChannelOut[];
  readonly #returned: ChannelIn[] = [];
  readonly #onReturned: ((returned: Returned) => void) | null;
  /** What was returned, once that is whole. */
  #value: Uint8Array | null = null;
  readonly #onAbort = (): void => this.#aborted();
  #state: 'running' | 'unheard' | 'over' = 'running';
  #givenUp: GivenUp | null = null;
  #deadline: Timer | null = null;

  /**
   * The signal must not have aborted.
   * @param minor the version of the wire that the instance speaks. @param ofGroup it holds several components.
   */
  constructor(
    invocation: Invocation,
    context: InvocationContext,
    connection: WireConnection,
    minor: number,
    clock: Clock,
    ofGroup = false,
  ) {
    this.context = context;
    this.#tells = invocation.kind === 'queue';
    this.#isCall = invocation.kind === 'call';
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
      ...(ofGroup && { component: context.component, path: pathOf(context.call) }),
      requestId: context.requestId,
      traceparent: context.traceparent,
      trigger: context.trigger,
      remainingMs: Math.max(context.deadlineMs - clock.monotonicMs(), 0),
    };
    const passed = (invocation.kind === 'call' ? invocation.passed : null) ?? [];
    this.#onReturned = (invocation.kind === 'call' ? invocation.onReturned : null) ?? null;
    let channels: readonly ChannelOut[] = [];
    const pass = (): void => {
      channels = passed.map((source, number) => new ChannelOut(connection, this.#stream, number, source));
    };
    writeCall(connection.writer, this.#stream, head, payload.bytes, minor, passed.length === 0 ? null : pass);
    this.#passed = channels;
    context.signal.addEventListener('abort', this.#onAbort);
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.DONE) {
      const cpuMs = readDone(payload);
      if (this.#returned.length > 0 && this.#value === null)
        throw protocolError('streams without a result that is whole');
      const bytes = this.#value ?? this.#answer.take();
      this.#connection.forget(this.#stream);
      this.#finish('ok', null, cpuMs, null, bytes);
    } else if (type === FRAME.ANSWER && this.#isCall) {
      const { value, cpuMs } = readCallAnswer(payload);
      this.#connection.forget(this.#stream);
      this.#finish('ok', null, cpuMs, null, value);
    } else if (type === FRAME.FAILED) {
      const failure = readFailure(payload, 'instance');
      this.#connection.forget(this.#stream);
      const error = errorOf(failure, this.context);
      this.#finish('handler-error', error, failure.cpuMicros / 1_000, failure.thrown);
    } else if (type === FRAME.BODY_END && this.#value === null && !this.#tells) {
      this.#whole(this.#answer.take());
    } else {
      throw protocolError(`frame of type ${type} in a call's stream`);
    }
  }

  channel(channel: WireStream, number: number): void {
    if (this.#value !== null || number !== this.#returned.length || number >= MAX_CALL_CHANNELS)
      throw protocolError('a channel of a result out of turn');
    const returned = new ChannelIn(this.#connection, channel, (error) => this.#named(error));
    this.#returned.push(returned);
    if (this.#state !== 'running') returned.cancel();
  }

  data(chunk: Buffer): void {
    if (this.#value !== null) throw protocolError('data behind the end of a result');
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

  /** What the function returned has come; streams in it go on. */
  #whole(bytes: Uint8Array): void {
    this.#value = bytes;
    if (this.#state !== 'running') return;
    if (this.#onReturned !== null) {
      this.#onReturned({ value: { encoding: this.#encoding, bytes }, passed: this.#returned });
    } else if (this.#returned.length > 0) {
      const message = `The function of "${this.context.component}" returned streams or signals, and whoever called it takes none. Call it from another component, or have it return plain data.`;
      this.#giveUp({ outcome: 'handler-error', error: new FulcrumError('call-not-cloneable', message) });
    }
  }

  /** An error that a stream of the result fails with: whoever reads it may be far from here. */
  #named(error: FulcrumError): FulcrumError {
    const { component, requestId } = this.context;
    const message = `Component "${component}" failed while a stream that it had returned was read (request ${requestId}): ${error.message}`;
    return new FulcrumError(error.code, message, { cause: error });
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
    this.#closeChannels(givenUp.error);
    this.#deadline = this.#clock.after(unheardMs(this.context, this.#clock), () =>
      this.#end({ outcome: 'timeout', error: outlasted(), cpuMs: 0, thrown: null }),
    );
  }

  #closeChannels(error: FulcrumError | null): void {
    for (const passed of this.#passed) passed.close(error);
    // Those of a function that ended well have ended before it: whatever goes on is not what was promised.
    const left = error ?? new FulcrumError('handler-error', 'The function ended before its stream did.');
    for (const returned of this.#returned) returned.fail(left);
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
    this.#closeChannels(end.error);
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
