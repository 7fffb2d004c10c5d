import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import { unknownFunctionText } from '../../model/call-rules.ts';
import type { MessageSaid } from '../../model/invocation.ts';
import { ChannelIn } from '../wire/channel-in.ts';
import { ChannelOut } from '../wire/channel-out.ts';
import type { WireConnection } from '../wire/connection.ts';
import { grantPayload, sendPayload, writeCallAnswer, type CallFrame } from '../wire/call-frame.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_ANSWER_BODY_BYTES, MAX_CALL_CHANNELS, MAX_INSTANCE_CHANNELS } from '../wire/limits.ts';
import { PayloadBuffer } from '../wire/payload-buffer.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { writeSaid } from '../wire/said-lines.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import type { Failure } from '../wire/thrown.ts';
import { thrownByAuthor } from './author-errors.ts';
import { sourceOf } from './channel-sources.ts';
import type { CpuMeter } from './cpu-meter.ts';
import type { Packed } from './crossing.ts';
import { letGoOfStreams } from './held-streams.ts';
import { callOver, IncomingChannel } from './incoming-channel.ts';
import { stackOf, type InvocationScope } from './invocation.ts';
import type { ModuleHandlers } from './module-handlers.ts';
import { QueueDelivery } from './queue-delivery.ts';
import { decodeValue, encodeValue, packValue, unpackValue } from './values.ts';

export interface CallInvocationOptions {
  readonly connection: WireConnection;
  readonly stream: WireStream;
  readonly call: CallFrame;
  readonly scope: InvocationScope;
  readonly env: unknown;
  readonly cpu: CpuMeter;
  readonly handlers: ModuleHandlers;
  /** What a `queue` handler says of a message is sent when it says it, and not at the end. */
  readonly saysAtOnce: boolean;
  /** Whether the server knows of streams and signals that are passed. */
  readonly passes: boolean;
}

/** A function call, a schedule's tick or a batch of events at the instance's end of its stream. */
export class CallInvocation implements StreamHandler {
  readonly context = null;
  /** Resolves when the stream is over. */
  readonly over: Promise<void>;
  readonly #options: CallInvocationOptions;
  readonly #stream: WireStream;
  readonly #payload = new PayloadBuffer();
  readonly #cpuMark: number;
  /** The server may send the whole payload without being told that there is room for it. */
  readonly #isGranted: boolean;
  readonly #whole = Promise.withResolvers<void>();
  /** Streams and signals among the arguments, and in the result. */
  readonly #given: IncomingChannel[] = [];
  #returned: readonly ChannelOut[] = [];
  #isWhole = false;
  #onDrained: (() => void) | null = null;
  /** Of a batch. */
  #delivery: QueueDelivery | null = null;

  constructor(options: CallInvocationOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#stream.handler = this;
    this.#isGranted = grantPayload(options.stream, options.call);
    const { payload } = options.call;
    if (payload !== null) {
      this.#payload.push(payload);
      this.#whole.resolve();
    }
    this.#cpuMark = options.cpu.begin();
    this.over = this.#run();
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.BODY_END) {
      this.#isWhole = true;
      this.#whole.resolve();
    }
    if (type !== FRAME.ABORT) return;
    this.#options.scope.abort(payload.toString('latin1'));
    this.#delivery?.close();
    for (const channel of this.#given) channel.close(this.#options.scope.signal.reason);
    for (const channel of this.#returned) channel.close(callOver());
    this.#whole.resolve();
    this.stopped();
  }

  channel(channel: WireStream, number: number): void {
    if (this.#isWhole || number !== this.#given.length || number >= MAX_CALL_CHANNELS)
      throw protocolError('a channel of arguments out of turn');
    this.#given.push(new IncomingChannel(new ChannelIn(this.#options.connection, channel)));
  }

  data(chunk: Buffer): void {
    this.#payload.push(chunk);
    if (!this.#isGranted) this.#stream.consumed(chunk.length);
  }

  drained(): void {
    this.#onDrained?.();
  }

  stopped(): void {
    this.#stream.dropBody();
    this.#onDrained?.();
  }

  lost(): void {
    // The process ends with its connection.
  }

  async #run(): Promise<void> {
    const { connection, scope, cpu } = this.#options;
    let failure: Failure | null = null;
    /** That goes with the end. */
    let value: Uint8Array | null = null;
    try {
      await this.#whole.promise;
      if (scope.aborted !== null)
        throw new Refusal('bad-request', 'The call was given up before it had arrived.');
      const result = await this.#work(this.#decode(this.#payload.take()));
      if (this.#delivery === null || !this.#options.saysAtOnce) value = await this.#answer(result);
    } catch (error) {
      failure = this.#failureOf(error);
    }
    await scope.settled();
    letGoOfStreams(scope);
    for (const channel of this.#returned) channel.close(null);
    for (const channel of this.#given) channel.close(callOver());
    if (this.#delivery !== null) {
      this.#delivery.close();
      await this.#sent();
    }
    await new Promise<void>((over) =>
      // At once when it is told, which is before this turn's frames are written: a turn later it would go by itself.
      cpu.end(this.#cpuMark, (cpuMicros) => {
        const { id } = this.#stream;
        if (value !== null) writeCallAnswer(connection.writer, id, value, cpuMicros);
        else if (failure === null) connection.writer.number(FRAME.DONE, id, cpuMicros);
        else connection.writer.json(FRAME.FAILED, 0, id, { ...failure, cpuMicros });
        connection.forget(this.#stream);
        over();
      }),
    );
  }

  /** As part of the invocation, whose streams are read and whose signals abort. */
  #decode(bytes: Uint8Array): unknown {
    const { call, scope } = this.#options;
    if (call.head.encoding === 'json') return decodeValue(bytes, 'json');
    if (this.#given.length === 0) return unpackValue(bytes, []);
    return scope.run(() => unpackValue(bytes, this.#given));
  }

  /** @returns the value where it can go with the end; null: it has been sent. */
  async #answer(result: unknown): Promise<Uint8Array | null> {
    const { head, answersWhole } = this.#options.call;
    const { bytes, passed } = head.encoding === 'json' ? encoded(result) : packValue(result, 'result');
    if (passed.length > 0) {
      this.#ensureChannels(passed.length);
      await this.#pass(bytes, passed);
      return null;
    }
    if (answersWhole && !this.#options.scope.waits && bytes.length <= MAX_ANSWER_BODY_BYTES) return bytes;
    await this.#send(bytes);
    return null;
  }

  #ensureChannels(count: number): void {
    const { connection, passes } = this.#options;
    if (!passes)
      throw new FulcrumError(
        'call-not-cloneable',
        'The server is an older Fulcrum, which passes no streams and signals between components. Upgrade it.',
      );
    if (connection.channels + count <= MAX_INSTANCE_CHANNELS) return;
    const message = `A call's result has ${count} streams and signals, where its instance passes ${connection.channels} already and may pass ${MAX_INSTANCE_CHANNELS} at a time.`;
    throw new FulcrumError('call-too-large', message);
  }

  /** The value, and what goes on behind it until the streams in it have ended. */
  async #pass(bytes: Uint8Array, passed: Packed['passed']): Promise<void> {
    const { connection, scope } = this.#options;
    // Who is asked for the next chunk is asked as part of the invocation.
    const channels = scope.run(() =>
      passed.map((outgoing, number) => {
        const channel = new ChannelOut(connection, this.#stream, number, sourceOf(outgoing));
        return { kind: outgoing.kind, channel };
      }),
    );
    this.#returned = channels.map(({ channel }) => channel);
    this.#stream.write(bytes);
    this.#stream.endBody();
    if (scope.signal.aborted) for (const { channel } of channels) channel.close(callOver());
    await this.#sent();
    const streams = channels.filter(({ kind }) => kind === 'stream');
    await Promise.all(streams.map(({ channel }) => channel.over));
  }

  async #work(input: unknown): Promise<unknown> {
    const { call, handlers, scope, env } = this.#options;
    const { head } = call;
    switch (head.kind) {
      case 'call': {
        const called = handlers.functions.get(head.function ?? '');
        if (called === undefined) {
          const message = unknownFunctionText(head.function ?? '', handlers.functions.keys());
          throw new Refusal('call-unknown-function', message);
        }
        if (!Array.isArray(input))
          throw new Refusal('bad-request', 'The arguments of a call must be a list.');
        return await this.#author(() => called(...(input as unknown[])));
      }
      case 'scheduled': {
        const { scheduled } = handlers;
        if (scheduled === null)
          throw new Refusal('handler-missing', 'The component has no `scheduled` handler.');
        return await this.#author(() => scheduled(input, env, scope.context));
      }
      case 'queue': {
        const { queue } = handlers;
        if (queue === null) throw new Refusal('handler-missing', 'The component has no `queue` handler.');
        const delivery = new QueueDelivery(input, {
          onSaid: (said) => this.#say(said),
          onLate: () => scope.report(LATE),
        });
        this.#delivery = delivery;
        await this.#author(() => queue(delivery.batch, env, scope.context));
        return delivery.verdict();
      }
      case 'publish':
      case 'fetch':
        throw new Refusal('bad-request', 'That is asked for by instances, and not of them.');
    }
  }

  /** Runs the author's code, and marks what it throws as the author's. */
  async #author(code: () => unknown): Promise<unknown> {
    try {
      return await this.#options.scope.run(code);
    } catch (error) {
      throw new Thrown(error);
    }
  }

  /** It has left the process when this returns, as far as the server has room for it: what follows may end the process, or take all its time. */
  #say(said: MessageSaid): void {
    if (!this.#options.saysAtOnce) return;
    this.#stream.writeText(writeSaid(said));
    this.#options.connection.flush();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    sendPayload(this.#stream, bytes);
    await this.#sent();
  }

  /** The frame that ends the stream would overtake what still waits for room. */
  async #sent(): Promise<void> {
    if (this.#stream.sent) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    await promise;
  }

  #failureOf(error: unknown): Failure {
    const { scope, call } = this.#options;
    const { head } = call;
    if (error instanceof Refusal)
      return { code: error.code, message: error.message, thrown: null, cpuMicros: 0 };
    if (!(error instanceof Thrown)) {
      const known = error instanceof FulcrumError ? error : null;
      const { code, message } = known ?? asFulcrumError(error, 'bad-request');
      return { code, message, thrown: null, cpuMicros: 0 };
    }
    const thrown = thrownByAuthor(error.value);
    // What a function throws is its caller's to log, or to handle.
    if (head.kind !== 'call') scope.report(stackOf(error.value));
    const what = head.kind === 'call' ? `function \`${head.function}\`` : `\`${head.kind}\` handler`;
    const message = `The ${what} threw ${thrown.name}: ${thrown.message}`;
    return { code: 'handler-error', message, thrown, cpuMicros: 0 };
  }
}

function encoded(result: unknown): Packed {
  return { bytes: encodeValue(result, 'json', 'result'), passed: [] };
}

const LATE =
  'A message was acknowledged, or to be retried, when its invocation was over: that changes nothing. Await what comes before it, or give the promise to ctx.waitUntil().';

class Thrown extends Error {
  readonly value: unknown;

  constructor(value: unknown) {
    super();
    this.value = value;
  }
}

class Refusal extends Error {
  readonly code: Failure['code'];

  constructor(code: Failure['code'], message: string) {
    super(message);
    this.code = code;
  }
}
