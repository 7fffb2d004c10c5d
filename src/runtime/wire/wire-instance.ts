import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Mode } from '../../model/app.ts';
import type {
  Engine,
  HandlerList,
  Health,
  Instance,
  InstanceEnded,
  InstanceState,
  InstanceUsage,
  StartOrder,
  UpgradeRequest,
} from '../../model/instance.ts';
import type { HttpExchange } from '../../model/http.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
} from '../../model/invocation.ts';
import type { Revision } from '../../model/revision.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import type { WireConnection } from './connection.ts';
import { ANSWER_MINOR as UPGRADE_MINOR, COMPOSE_MINOR, FRAME } from './frames.ts';
import { HeadTexts } from './head-texts.ts';
import { carryHttp } from './http-exchange.ts';
import type { InstanceLog } from './instance-log.ts';
import { InvocationExchangeStream } from './invocation-exchange.ts';
import type { Ready } from './messages.ts';
import type { Session } from './session.ts';
import { UpgradeExchangeStream } from './upgrade-exchange.ts';
import { describeEnd, endError, refusedByInstance } from './process-end.ts';

/** The process of an instance, however it came to be. A ManagedProcess is one; so will be a fork of a zygote. */
export interface InstanceProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  readonly hasEnded: boolean;
  lastOutput(): string;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  kill(): void;
  measure(): Promise<InstanceUsage | null>;
}

export interface WireInstanceOptions {
  readonly engine: Engine;
  readonly order: StartOrder;
  readonly process: InstanceProcess;
  readonly connection: WireConnection;
  readonly session: Pick<Session, 'calling'>;
  readonly ready: Ready;
  readonly lines: InstanceLog;
  /** The minor version of the wire that it speaks. */
  readonly minor: number;
  readonly clock: Clock;
}

/** How long after a process' end its last frames are waited for, and after a lost connection its process' end. */
const LAST_FRAMES_MS = 250;
const LAST_BREATH_MS = 2_000;

/** An instance that is reached over the wire: everything about it but how its process begins. */
export class WireInstance implements Instance {
  readonly id: string;
  readonly engine: Engine;
  readonly pid: number;
  readonly revision: Revision;
  readonly mode: Mode;
  readonly #ready: Ready;
  readonly #isGroup: boolean;
  readonly inspectUrl: string | null;
  readonly ended: Promise<InstanceEnded>;
  readonly #process: InstanceProcess;
  readonly #connection: WireConnection;
  readonly #session: Pick<Session, 'calling'>;
  readonly #clock: Clock;
  readonly #minor: number;
  readonly #texts = new HeadTexts();
  /** Where it works on one invocation at a time: what it prints by itself, or has printed, is the latest's. */
  readonly #lines: InstanceLog | null;
  #state: InstanceState = 'ready';
  /** Why the platform ends it, once it does. */
  #why: string | null = null;
  /** What its invocations are told, where that is known better than by its process' end. */
  #error: FulcrumError | null = null;

  constructor(options: WireInstanceOptions) {
    const { order } = options;
    this.id = order.instanceId;
    this.engine = options.engine;
    this.pid = options.process.pid;
    this.revision = order.revision;
    this.mode = order.mode;
    this.#ready = options.ready;
    this.#isGroup = order.revision.kind === 'group';
    this.inspectUrl = options.ready.inspectUrl;
    this.#process = options.process;
    this.#connection = options.connection;
    this.#session = options.session;
    this.#clock = options.clock;
    this.#minor = options.minor;
    this.#lines = order.concurrency === 1 ? options.lines : null;
    this.ended = this.#watch();
  }

  get state(): InstanceState {
    return this.#state;
  }

  get calling(): number {
    return this.#session.calling;
  }

  handlersOf(component: string): HandlerList | null {
    const { members, handlers } = this.#ready;
    if (members !== undefined) return Object.hasOwn(members, component) ? members[component]! : null;
    return component === this.revision.spec.name ? handlers : null;
  }

  callThroughServer(members: readonly string[]): void {
    if (!this.#isGroup || this.#minor < COMPOSE_MINOR || this.#connection.state !== 'open') return;
    this.#connection.writer.json(FRAME.VIA_SERVER, 0, 0, { members });
  }

  /** A request that reaches it while it drains is still served: it was given away before. */
  http(exchange: HttpExchange): void {
    const refusal = this.#refusal(exchange.context);
    if (refusal !== null) {
      exchange.body?.cancel();
      exchange.ended(refusal);
      return;
    }
    carryHttp(exchange, this.#connection, this.#clock, this.#texts, this.#isGroup);
  }

  invoke(invocation: Invocation, context: InvocationContext): Promise<InvocationResult> {
    const refusal = this.#refusal(context) ?? this.#refusalOfChannels(invocation);
    if (refusal !== null) {
      if (invocation.kind === 'call') for (const source of invocation.passed ?? []) source.cancel();
      return Promise.resolve({ ...refusal, value: null, thrown: null });
    }
    const [connection, minor, clock] = [this.#connection, this.#minor, this.#clock];
    return new InvocationExchangeStream(invocation, context, connection, minor, clock, this.#isGroup).ended;
  }

  upgrade(request: UpgradeRequest): Promise<InvocationEnd> {
    const refusal = this.#refusal(request.context) ?? this.#refusalToUpgrade(request);
    if (refusal !== null) return Promise.resolve(refusal);
    return new UpgradeExchangeStream(request, this.#connection, this.#clock, this.#isGroup).ended;
  }

  #refusalOfChannels(invocation: Invocation): InvocationEnd | null {
    if (invocation.kind !== 'call' || (invocation.passed ?? []).length === 0) return null;
    if (this.#minor >= COMPOSE_MINOR) return null;
    const message = `The instance of ${this.revision.spec.name} was started by an older Fulcrum, which passed no streams and signals. Deploy it again.`;
    return { outcome: 'handler-error', error: new FulcrumError('call-not-cloneable', message), cpuMs: 0 };
  }

  #refusalToUpgrade({ head, context }: UpgradeRequest): InvocationEnd | null {
    const wanted = head.headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'upgrade');
    const protocol = head.headers[wanted + 1] ?? '';
    const name = this.#isGroup ? context.component : this.revision.spec.name;
    let message: string;
    if (protocol.trim().toLowerCase() !== 'websocket') {
      message = `The component ${name} is a module, and modules can be upgraded to nothing but WebSockets.`;
    } else if (this.#minor < UPGRADE_MINOR) {
      message = `The instance of ${name} was started by an older Fulcrum, which gave modules no WebSockets. Deploy it again.`;
    } else if (!(this.handlersOf(name)?.websocket ?? false)) {
      message = `The component ${name} has no \`websocket\` handler. Add one to its module's default export to accept WebSockets.`;
    } else {
      return null;
    }
    return { outcome: 'handler-error', error: new FulcrumError('upgrade-unsupported', message), cpuMs: 0 };
  }

  async healthy(timeoutMs: number): Promise<Health> {
    if (this.#state === 'ended' || this.#process.hasEnded)
      return { healthy: false, reason: 'the process has ended' };
    if (await this.#connection.ping(timeoutMs)) return { healthy: true };
    return { healthy: false, reason: `no answer to a ping within ${timeoutMs} ms` };
  }

  async measure(): Promise<InstanceUsage | null> {
    return await this.#process.measure();
  }

  drain(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'draining';
    this.#connection.writer.begin(FRAME.GO_AWAY, 0, 0, 0);
    this.#connection.flush();
  }

  async stop(graceMs: number, why: string): Promise<void> {
    this.drain();
    if (this.#state === 'draining') {
      this.#state = 'ending';
      this.#why = why;
    }
    if (this.#state !== 'ended') await this.#process.stop(graceMs);
    await this.ended;
  }

  kill(error: FulcrumError): void {
    this.#why ??= error.message;
    this.fail(error);
  }

  /** Like {@link kill}, where the instance itself is at fault: its end counts as unexpected. */
  fail(error: FulcrumError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ending';
    this.#error ??= error;
    this.#process.kill();
    this.#connection.destroy();
    this.#connection.loseStreams(error);
  }

  /** Why it cannot take an invocation; null where it takes it, as its latest. */
  #refusal(context: InvocationContext): InvocationEnd | null {
    if (context.signal.aborted) return refusedByInstance(context.signal.reason);
    if (this.#isGroup && this.handlersOf(context.component) === null) return notHeld(context, this.revision);
    if (this.#connection.state === 'open' && (this.#state === 'ready' || this.#state === 'draining')) {
      if (this.#lines !== null) this.#lines.requestId = context.requestId;
      return null;
    }
    const error =
      this.#error ??
      new FulcrumError('instance-crashed', 'The instance had ended when the request reached it.');
    return { outcome: 'crashed', error, cpuMs: 0 };
  }

  async #watch(): Promise<InstanceEnded> {
    const brokenBy = await Promise.race([this.#connection.closed, this.#process.ended.then(() => null)]);
    if (this.#process.hasEnded) {
      // What it sent before its end is still on its way through the socket.
      await this.#within(LAST_FRAMES_MS, this.#connection.closed);
    } else {
      if (this.#state !== 'ending') this.#error ??= brokenBy;
      // Without its connection it is of no use, and a process that broke the protocol is not to be trusted.
      await this.#within(
        this.#state === 'ending' || brokenBy === null ? LAST_BREATH_MS : 0,
        this.#process.ended,
      );
      this.#process.kill();
    }
    this.#connection.destroy();
    this.#state = 'ending';
    const end = await this.#process.ended;
    this.#state = 'ended';
    const error = this.#error ?? endError(end, this.#process.lastOutput(), this.#why);
    this.#connection.loseStreams(error);
    const known = this.#error !== null || error.code !== 'instance-crashed';
    const reason = this.#why ?? (known ? error.message : describeEnd(end));
    return { reason, ...end, expected: this.#why !== null };
  }

  async #within(ms: number, event: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(ms, resolve);
    await Promise.race([event, promise]);
    timer.cancel();
  }
}

/** Whoever chose it has chosen wrongly. */
function notHeld({ component, requestId }: InvocationContext, { spec, id }: Revision): InvocationEnd {
  const message = `An instance of the group "${spec.name}" (${id}) was asked for the component "${component}", which it does not hold (request ${requestId}).`;
  return { outcome: 'refused', error: new FulcrumError('internal', message), cpuMs: 0 };
}
