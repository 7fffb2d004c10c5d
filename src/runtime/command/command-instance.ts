import type { Clock } from '../../base/clock.ts';
import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Mode } from '../../model/app.ts';
import type { HttpExchange } from '../../model/http.ts';
import type {
  Health,
  Instance,
  InstanceEnded,
  InstanceState,
  InstanceUsage,
  StartOrder,
  UpgradeRequest,
} from '../../model/instance.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
} from '../../model/invocation.ts';
import type { CommandRevision } from '../../model/revision.ts';
import type { ManagedProcess, ProcessEnd } from '../process/managed-process.ts';
import type { MemoryWatch } from '../process/memory-watch.ts';
import { Forward } from './forward.ts';
import { endedBadly, type InFlight } from './outcome.ts';
import { probeConnect, probePath, type Address } from './probe.ts';
import { describeEnd } from './start-failure.ts';
import { Tunnel } from './tunnel.ts';
import { UpstreamAgent, type Upstream } from './upstream.ts';

/** A connection's end comes before its process'; how long a verdict waits for the latter. */
const CRASH_VERDICT_MS = 250;
/**
 * What a program wrote before it ended is still read, as fast as the client takes it. A connection that lives longer
 * than this is held open by a stranger.
 */
const AFTERLIFE_MS = 10_000;

export interface CommandInstanceOptions {
  readonly order: StartOrder;
  readonly revision: CommandRevision;
  readonly process: ManagedProcess;
  readonly address: Address;
  readonly clock: Clock;
  readonly memory: MemoryWatch;
}

/** A program that listens on a port, as an instance: requests are proxied to it. States as in {@link InstanceState}. */
export class CommandInstance implements Instance, Upstream {
  readonly id: string;
  readonly engine = 'command';
  readonly pid: number;
  readonly revision: CommandRevision;
  readonly mode: Mode;
  readonly inspectUrl = null;
  /** Programs call nobody by the platform. */
  readonly calling = 0;
  readonly ended: Promise<InstanceEnded>;
  readonly component: string;
  readonly address: Address;
  readonly agent = new UpstreamAgent();
  readonly #process: ManagedProcess;
  readonly #clock: Clock;
  readonly #inFlight = new Set<InFlight>();
  #state: InstanceState = 'ready';
  /** Why the platform ended it; null while it has not. */
  #endedFor: string | null = null;
  #killedWith: FulcrumError | null = null;

  constructor(options: CommandInstanceOptions) {
    const { order, revision, process, memory } = options;
    this.id = order.instanceId;
    this.mode = order.mode;
    this.revision = revision;
    this.component = revision.spec.name;
    this.address = options.address;
    this.#process = process;
    this.pid = process.pid;
    this.#clock = options.clock;
    const unwatch = memory.watch({
      pid: process.pid,
      memoryBytes: order.memoryBytes,
      exceeded: (heldBytes) => this.#exceeded(heldBytes, order.memoryBytes),
    });
    this.ended = process.ended.then((end) => {
      unwatch();
      return this.#gone(end);
    });
  }

  get state(): InstanceState {
    return this.#state;
  }

  get draining(): boolean {
    return this.#state !== 'ready';
  }

  handlersOf(): null {
    return null;
  }

  callThroughServer(): void {
    // It holds no other component.
  }

  http(exchange: HttpExchange): void {
    const refusal = this.#refusal();
    if (refusal !== null) return exchange.ended(refusal);
    void this.#track(new Forward(this, exchange)).then((end) => exchange.ended(end));
  }

  upgrade(request: UpgradeRequest): Promise<InvocationEnd> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.resolve(refusal);
    return this.#track(new Tunnel(this, request, this.#clock));
  }

  invoke(invocation: Invocation, _context: InvocationContext): Promise<InvocationResult> {
    const what =
      invocation.kind === 'call' ? `no function "${invocation.function}"` : `no ${invocation.kind} handler`;
    const text = `The component "${this.component}" is a command and has ${what}: it takes HTTP requests only.`;
    return Promise.resolve({
      ...endedBadly('refused', new FulcrumError('handler-missing', text)),
      value: null,
      thrown: null,
    });
  }

  async healthy(timeoutMs: number): Promise<Health> {
    if (this.#process.hasEnded) return { healthy: false, reason: 'its process has ended' };
    const path = this.revision.spec.healthPath;
    return path === null
      ? await probeConnect(this.address, timeoutMs, this.#clock)
      : await probePath(this.address, path, timeoutMs, this.#clock);
  }

  measure(): Promise<InstanceUsage | null> {
    return this.#process.measure();
  }

  drain(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'draining';
    for (const work of this.#inFlight) work.drain();
  }

  async stop(graceMs: number, why: string): Promise<void> {
    this.drain();
    if (this.#state === 'draining') {
      this.#state = 'ending';
      this.#endedFor ??= why;
    }
    if (this.#state !== 'ended') await this.#process.stop(graceMs);
    await this.ended;
  }

  kill(error: FulcrumError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ending';
    this.#endedFor ??= error.message;
    this.#killedWith ??= error;
    this.#process.kill();
    this.#crashAll(this.#killedWith);
  }

  async crashed(): Promise<FulcrumError | null> {
    const waiting = Promise.withResolvers<null>();
    const timer = this.#clock.after(CRASH_VERDICT_MS, () => waiting.resolve(null));
    const end = await Promise.race([this.#process.ended, waiting.promise]);
    timer.cancel();
    return end === null ? null : this.#crash(end);
  }

  /**
   * Draining instances still take requests: one may have been given its slot just before. Whoever gives slots gives
   * no more of them.
   */
  #refusal(): InvocationEnd | null {
    if (this.#state === 'ready' || this.#state === 'draining') return null;
    const text = `The instance ${this.id} of "${this.component}" has ended or is ending.`;
    return endedBadly('refused', new FulcrumError('instance-crashed', text));
  }

  #track(work: InFlight & { readonly ended: Promise<InvocationEnd> }): Promise<InvocationEnd> {
    this.#inFlight.add(work);
    return work.ended.then((end) => {
      this.#inFlight.delete(work);
      return end;
    });
  }

  #exceeded(heldBytes: number, limitBytes: number): void {
    const text = `The component "${this.component}" held ${formatBytes(heldBytes)} of memory and may hold ${formatBytes(limitBytes)}; its instance was ended. Give it more by \`memory\`, or find what it keeps.`;
    this.kill(new FulcrumError('memory-exceeded', text));
  }

  #gone(end: ProcessEnd): InstanceEnded {
    this.#state = 'ended';
    if (this.#inFlight.size === 0) this.agent.destroy();
    else {
      // Requests whose answers are already under way come to their end by themselves.
      this.#clock.after(AFTERLIFE_MS, () => {
        this.#crashAll(this.#crash(end));
        this.agent.destroy();
      });
    }
    return {
      reason: this.#endedFor ?? describeEnd(end),
      exitCode: end.exitCode,
      signal: end.signal,
      expected: this.#endedFor !== null,
    };
  }

  #crash(end: ProcessEnd): FulcrumError {
    if (this.#killedWith !== null) return this.#killedWith;
    const why =
      this.#endedFor === null
        ? `ended with ${describeEnd(end)} during the request`
        : `was ended (${this.#endedFor}) before the request was over`;
    return new FulcrumError('instance-crashed', `The instance of "${this.component}" ${why}.`);
  }

  #crashAll(error: FulcrumError): void {
    for (const work of this.#inFlight) work.crash(error);
  }
}
