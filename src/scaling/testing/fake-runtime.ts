import type { Clock, Timer } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Mode } from '../../model/app.ts';
import type {
  Engine,
  HandlerList,
  Health,
  Instance,
  InstanceHome,
  InstanceEnded,
  InstanceState,
  InstanceUsage,
  Runtime,
  StartOrder,
} from '../../model/instance.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
} from '../../model/invocation.ts';
import { revisionOf, type Revision } from '../../model/revision.ts';

/** What a fake runtime does at a start: how long it takes, and why it fails. */
export interface StartScript {
  readonly takesMs: number;
  readonly fails?: string;
  /** It neither succeeds nor fails, and does not listen to its signal. */
  readonly never?: boolean;
}

/**
 * A runtime in memory that does as it is told and notes every breach of the rules it can see: work on an instance that is
 * not ready, or more of it than the order allowed.
 */
export class FakeRuntime implements Runtime {
  engine: Engine = 'spawn';
  readonly orders: StartOrder[] = [];
  readonly live = new Set<FakeInstance>();
  readonly instances: FakeInstance[] = [];
  readonly breaches: string[] = [];
  starting = 0;
  /** The most processes at one time, those that were starting included. */
  most = 0;
  /** What processes may hold that exist, and the most of it at one time. */
  heldBytes = 0;
  mostBytes = 0;
  workMs = 10;
  stopMs = 3;
  onStart: (order: StartOrder, nth: number) => StartScript = () => ({ takesMs: 20 });
  /** What a function does that is called; it takes `workMs` by default, and returns nothing. */
  onInvoke: (
    instance: FakeInstance,
    invocation: Invocation,
    context: InvocationContext,
  ) => Promise<InvocationResult> = async (instance, _, context) => ({
    ...(await instance.work(context)),
    value: null,
    thrown: null,
  });
  /** Functions that may be begun again. */
  idempotent: readonly string[] = [];
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  start(order: StartOrder): Promise<Instance> {
    this.orders.push(order);
    const script = this.onStart(order, this.orders.length);
    this.starting++;
    this.most = Math.max(this.most, this.starting + this.live.size);
    this.heldBytes += order.memoryBytes;
    this.mostBytes = Math.max(this.mostBytes, this.heldBytes);
    return new Promise((resolve, reject) => {
      if (script.never) return;
      const onAbort = (): void => {
        timer.cancel();
        this.starting--;
        this.heldBytes -= order.memoryBytes;
        reject(order.signal.reason as Error);
      };
      const timer = this.clock.after(script.takesMs, () => {
        order.signal.removeEventListener('abort', onAbort);
        this.starting--;
        if (script.fails !== undefined) {
          this.heldBytes -= order.memoryBytes;
          reject(new FulcrumError('start-failed', script.fails, { details: { output: 'last words' } }));
          return;
        }
        const instance = new FakeInstance(this, order);
        this.live.add(instance);
        this.instances.push(instance);
        resolve(instance);
      });
      order.signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** What was said last of each revision's zygote; null: as configured. */
  readonly zygoteKeepMs = new Map<string, number | null>();

  keepZygote({ id }: Revision, _home: InstanceHome, keepAliveMs: number | null): void {
    this.zygoteKeepMs.set(id, keepAliveMs);
  }

  forget(): void {
    // It keeps nothing.
  }

  async close(): Promise<void> {
    for (const instance of this.live) instance.crash('closed');
  }
}

export class FakeInstance implements Instance {
  readonly engine: Engine;
  readonly pid: number;
  readonly id: string;
  readonly revision: Revision;
  readonly mode: Mode;
  readonly inspectUrl: string | null;
  readonly ended: Promise<InstanceEnded>;
  readonly order: StartOrder;
  state: InstanceState = 'ready';
  health: 'well' | 'bad' | 'silent' = 'well';
  /** Its handlers take no notice of an abort, and never end. */
  hung = false;
  served = 0;
  /** How many of its invocations wait for what they have called. */
  calling = 0;
  /** How busy it keeps a core, since it began. */
  cpuMsPerMs = 0;
  stopReason: string | null = null;
  killed: FulcrumError | null = null;
  drained = false;
  readonly #runtime: FakeRuntime;
  readonly #resolveEnded: (end: InstanceEnded) => void;
  readonly #working = new Set<(end: InvocationEnd) => void>();
  #ending: Timer | null = null;

  constructor(runtime: FakeRuntime, order: StartOrder) {
    this.#runtime = runtime;
    this.engine = runtime.engine;
    this.order = order;
    this.id = order.instanceId;
    this.pid = runtime.instances.length + 1000;
    this.revision = order.revision;
    this.mode = order.mode;
    this.inspectUrl = order.inspectPort === null ? null : `ws://127.0.0.1:${order.inspectPort}`;
    const { promise, resolve } = Promise.withResolvers<InstanceEnded>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  get inFlight(): number {
    return this.#working.size;
  }

  /** One invocation of `takesMs`; 0 ends at once, and Infinity only by an abort or with the instance. */
  work(context: InvocationContext, takesMs = this.#runtime.workMs): Promise<InvocationEnd> {
    if (revisionOf(this.revision, context.component) === null)
      this.#runtime.breaches.push(`work of ${context.component} on ${this.id}, which does not hold it`);
    if (this.state !== 'ready') this.#runtime.breaches.push(`work on ${this.id}, which is ${this.state}`);
    if (this.#working.size >= this.order.concurrency) this.#runtime.breaches.push(`too much for ${this.id}`);
    if (this.state === 'ended') return Promise.resolve(crashed('gone'));
    return new Promise((resolve) => {
      const finish = (end: InvocationEnd): void => {
        if (!this.#working.delete(finish)) return;
        context.signal.removeEventListener('abort', onAbort);
        timer?.cancel();
        this.served++;
        resolve(end);
      };
      const onAbort = (): void => {
        if (!this.hung) finish({ outcome: 'handler-error', error: aborted(), cpuMs: 0 });
      };
      this.#working.add(finish);
      context.signal.addEventListener('abort', onAbort);
      const timer =
        this.hung || takesMs === Number.POSITIVE_INFINITY
          ? null
          : this.#runtime.clock.after(takesMs, () => finish({ outcome: 'ok', error: null, cpuMs: 1 }));
    });
  }

  /** What its calls were said to have to come to the server for. */
  throughServer: readonly string[] = [];

  handlersOf(component: string): HandlerList | null {
    if (revisionOf(this.revision, component) === null) return null;
    const { idempotent } = this.#runtime;
    const none = { fetch: false, scheduled: false, queue: false, websocket: false };
    return { ...none, functions: idempotent, idempotent };
  }

  callThroughServer(members: readonly string[]): void {
    this.throughServer = members;
  }

  http(): void {
    throw new Error('not used here');
  }

  invoke(invocation: Invocation, context: InvocationContext): Promise<InvocationResult> {
    return this.#runtime.onInvoke(this, invocation, context);
  }

  upgrade(): Promise<InvocationEnd> {
    throw new Error('not used here');
  }

  healthy(timeoutMs: number): Promise<Health> {
    if (this.health === 'well' && !this.hung) return Promise.resolve({ healthy: true });
    const bad: Health = { healthy: false, reason: this.health === 'bad' ? 'status 500' : 'no answer' };
    if (this.health === 'bad') return Promise.resolve(bad);
    return new Promise((resolve) => {
      this.#runtime.clock.after(timeoutMs, () => resolve(bad));
    });
  }

  async measure(): Promise<InstanceUsage | null> {
    if (this.state === 'ended') return null;
    return { memoryBytes: 5_000_000, cpuMs: 7 + this.cpuMsPerMs * this.#runtime.clock.monotonicMs() };
  }

  drain(): void {
    this.drained = true;
    if (this.state === 'ready') this.state = 'draining';
  }

  async stop(_graceMs: number, why: string): Promise<void> {
    this.stopReason ??= why;
    this.drain();
    if (this.state === 'draining') {
      this.state = 'ending';
      this.#ending = this.#runtime.clock.after(this.#runtime.stopMs, () => this.#end(why, true));
    }
    await this.ended;
  }

  kill(error: FulcrumError): void {
    if (this.state === 'ended') return;
    this.killed = error;
    this.state = 'ending';
    this.#ending?.cancel();
    this.#ending = this.#runtime.clock.after(1, () => this.#end('SIGKILL', true));
  }

  crash(reason = 'exit code 1'): void {
    this.#end(reason, false);
  }

  #end(reason: string, expected: boolean): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.#ending?.cancel();
    this.#runtime.live.delete(this);
    this.#runtime.heldBytes -= this.order.memoryBytes;
    for (const finish of this.#working) finish(crashed(reason));
    this.#resolveEnded({ reason, exitCode: 1, signal: null, expected });
  }
}

function crashed(reason: string): InvocationEnd {
  return {
    outcome: 'crashed',
    error: new FulcrumError('instance-crashed', `It ended: ${reason}.`),
    cpuMs: 0,
  };
}

function aborted(): FulcrumError {
  return new FulcrumError('handler-error', 'The handler gave up.');
}
