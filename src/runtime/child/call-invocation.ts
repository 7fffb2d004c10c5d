import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { MessageSaid } from '../../model/invocation.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import type { CallHead } from '../wire/messages.ts';
import { PayloadBuffer } from '../wire/payload-buffer.ts';
import { writeSaid } from '../wire/said-lines.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import type { Failure } from '../wire/thrown.ts';
import { thrownByAuthor } from './author-errors.ts';
import type { CpuMeter } from './cpu-meter.ts';
import { stackOf, type InvocationScope } from './invocation.ts';
import type { ModuleHandlers } from './module-handlers.ts';
import { QueueDelivery } from './queue-delivery.ts';
import { decodeValue, encodeValue } from './values.ts';

export interface CallInvocationOptions {
  readonly connection: WireConnection;
  readonly stream: WireStream;
  readonly head: CallHead;
  readonly scope: InvocationScope;
  readonly env: unknown;
  readonly cpu: CpuMeter;
  readonly handlers: ModuleHandlers;
  /** What a `queue` handler says of a message is sent when it says it, and not at the end. */
  readonly saysAtOnce: boolean;
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
  readonly #whole = Promise.withResolvers<void>();
  #onDrained: (() => void) | null = null;
  /** Of a batch. */
  #delivery: QueueDelivery | null = null;

  constructor(options: CallInvocationOptions) {
    this.#options = options;
    this.#stream = options.stream;
    this.#stream.handler = this;
    this.#cpuMark = options.cpu.begin();
    this.over = this.#run();
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.BODY_END) this.#whole.resolve();
    if (type !== FRAME.ABORT) return;
    this.#options.scope.abort(payload.toString('latin1'));
    this.#delivery?.close();
    this.#whole.resolve();
    this.stopped();
  }

  data(chunk: Buffer): void {
    this.#payload.push(chunk);
    this.#stream.consumed(chunk.length);
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
    const { connection, scope, cpu, head } = this.#options;
    let failure: Failure | null = null;
    try {
      await this.#whole.promise;
      if (this.#options.scope.signal.aborted)
        throw new Refusal('bad-request', 'The call was given up before it had arrived.');
      const result = await this.#work(decodeValue(this.#payload.take(), head.encoding));
      if (this.#delivery === null || !this.#options.saysAtOnce)
        await this.#send(encodeValue(result, head.encoding, 'result'));
    } catch (error) {
      failure = this.#failureOf(error);
    }
    await scope.settled();
    if (this.#delivery !== null) {
      this.#delivery.close();
      await this.#sent();
    }
    const cpuMicros = await new Promise<number>((told) => cpu.end(this.#cpuMark, told));
    if (failure === null) connection.writer.number(FRAME.DONE, this.#stream.id, cpuMicros);
    else connection.writer.json(FRAME.FAILED, 0, this.#stream.id, { ...failure, cpuMicros });
    connection.forget(this.#stream);
  }

  async #work(input: unknown): Promise<unknown> {
    const { head, handlers, scope, env } = this.#options;
    switch (head.kind) {
      case 'call': {
        const called = handlers.functions.get(head.function ?? '');
        if (called === undefined) {
          throw new Refusal(
            'call-unknown-function',
            `The component exports no function \`${head.function}\`.`,
          );
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
        throw new Refusal('bad-request', 'Events are published by instances, and not to them.');
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
    this.#stream.write(bytes);
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
    const { scope, head } = this.#options;
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
