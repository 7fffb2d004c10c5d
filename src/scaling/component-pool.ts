import type { Clock } from '../base/clock.ts';
import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { instanceId } from '../base/ids.ts';
import type { InstanceEnded, InstanceHome, Runtime } from '../model/instance.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { Revision } from '../model/revision.ts';
import type { Slot } from '../model/slot.ts';
import type { Lost, Plan, Snapshot } from './decide.ts';
import { HealthWatch } from './health.ts';
import { InstanceSlot } from './instance-slot.ts';
import type { Journal } from './journal.ts';
import type { ModeSettings } from './mode-settings.ts';
import { PooledInstance, type PooledState } from './pooled-instance.ts';
import { RestartBackoff } from './restart-backoff.ts';

/** How long an instance that let an invocation time out has for a ping before it counts as hung. */
const PING_MS = 50;

/** What a pool tells the component it belongs to. */
export interface PoolOwner {
  /** An instance became free: whoever waits may have it, now. */
  roomFor(pool: ComponentPool): void;
  /** Something happened that may call for another decision. */
  changed(): void;
  failed(message: string): void;
  /** The last instance of a pool that was told to go is gone. */
  emptied(pool: ComponentPool): void;
}

export interface PoolOptions {
  readonly component: string;
  readonly revision: Revision;
  readonly settings: ModeSettings;
  readonly runtime: Runtime;
  readonly home: InstanceHome;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly owner: PoolOwner;
  /** Function mode: how many instances may be starting at the same time. */
  readonly startsAtOnce: number;
  /** The inspector's port for the next instance; null for none. */
  readonly inspectPort: () => number | null;
}

interface Awaited {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: FulcrumError) => void;
}

/**
 * The instances of one revision in one mode. A pool `serves` until it is told to go; then it `leaves`, takes no more
 * work and starts nothing, and is over when its last instance is gone.
 */
export class ComponentPool {
  readonly revision: Revision;
  readonly settings: ModeSettings;
  /** Function mode: instances that should be there whatever waits. */
  warm = 0;
  /** The error of the last start that failed. */
  startError: FulcrumError | null = null;

  readonly #o: PoolOptions;
  readonly #instances: PooledInstance[] = [];
  readonly #backoff = new RestartBackoff();
  readonly #health: HealthWatch | null;
  readonly #concurrency: number;
  /** Replicas that died or did not start and have no successor yet: at most as many as there are replicas. */
  #lost: Lost[] = [];
  #state: 'serves' | 'leaves' = 'serves';
  #awaited: Awaited | null = null;

  constructor(o: PoolOptions) {
    this.#o = o;
    this.revision = o.revision;
    this.settings = o.settings;
    const { mode, settings } = o.settings;
    this.#concurrency = mode === 'function' && settings.fresh ? 1 : settings.concurrency;
    this.#health =
      mode === 'service'
        ? new HealthWatch(o.clock, settings.healthIntervalMs, () => this.#instances, {
            failing: (one) => this.#failing(one),
            recovered: (one) => {
              o.journal.note('info', `instance ${one.id} answers its health checks again`, one);
              o.owner.changed();
            },
          })
        : null;
  }

  get engine(): Runtime['engine'] {
    return this.#o.runtime.engine;
  }

  get instances(): readonly PooledInstance[] {
    return this.#instances;
  }

  get inFlight(): number {
    return this.#instances.reduce((sum, one) => sum + one.inFlight, 0);
  }

  get retryAtMs(): number {
    return this.#backoff.retryAtMs;
  }

  /** A slot, where an instance is free. @param arrivedMs when its invocation began to wait; null: it has just come. */
  take(arrivedMs: number | null): Slot | null {
    const one = this.settings.mode === 'function' ? this.#newestFree() : this.#leastLoaded();
    if (one === null) return null;
    const nowMs = arrivedMs === null ? 0 : this.#o.clock.monotonicMs();
    return new InstanceSlot(one, this, arrivedMs, nowMs);
  }

  snapshot(queued: number): Snapshot {
    const { retryAtMs, failures } = this.#backoff;
    const common = { queued, instances: this.#instances, retry: { retryAtMs, failures } };
    return this.settings.mode === 'function'
      ? {
          mode: 'function',
          settings: this.settings.settings,
          warm: this.warm,
          startsAtOnce: this.#o.startsAtOnce,
          ...common,
        }
      : { mode: 'service', settings: this.settings.settings, lost: this.#lost, ...common };
  }

  carryOut(plan: Plan, occasion: string | null = null): void {
    for (const reason of plan.starts) this.#start(occasion === null ? reason : `${occasion}: ${reason}`);
    if (plan.starts.length > 0) this.#lost = this.#lost.slice(plan.starts.length);
    for (const { id, reason } of plan.ends) {
      this.#instances.find((one) => one.id === id)?.drain(reason, this.#drainMs);
    }
  }

  /** Resolves when `count` instances are ready. Rejects with `start-failed` when that cannot be any more, or with what the pool was abandoned with. */
  ready(count: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#awaited = { count, resolve, reject };
    this.#settleAwaited(this.startError);
    return promise;
  }

  /** Takes no more work and lets go of every instance as its work is done; after `drainMs` of those that are still at it. */
  leave(reason: string, drainMs = this.#drainMs): void {
    this.#leave();
    for (const one of this.#instances) {
      one.giveUp(new FulcrumError('shutting-down', reason));
      one.drain(reason, drainMs);
    }
    this.#reportIfEmpty();
  }

  /** Kills every instance of a pool that leaves. */
  kill(error: FulcrumError): void {
    for (const one of this.#instances) one.kill(error, error.message);
  }

  /** Gives up a pool that never served. */
  abandon(error: FulcrumError): void {
    this.#awaited?.reject(error);
    this.#awaited = null;
    this.leave('not needed any more', 0);
  }

  async measure(): Promise<void> {
    await Promise.all(
      this.#instances.map(async (one) => {
        const usage = await one.instance?.measure();
        if (usage) one.usage = usage;
      }),
    );
  }

  /** Why `count` instances that were ready are not good enough: one holds more memory than it may, or has ended; null where all is well. */
  async tooLarge(count: number): Promise<FulcrumError | null> {
    await this.measure();
    const { memoryBytes } = this.settings.settings;
    for (const { usage } of this.#instances) {
      if (usage === null || usage.memoryBytes <= memoryBytes) continue;
      const holds = `${formatBytes(usage.memoryBytes)} of memory once it has started, and may hold ${formatBytes(memoryBytes)}`;
      return new FulcrumError(
        'memory-exceeded',
        `Component "${this.#o.component}" holds ${holds}. Raise \`memory\`, or load less at the start.`,
      );
    }
    const ready = this.#instances.filter((one) => one.state === 'ready').length;
    return ready >= count ? null : (this.startError ?? endedAtOnce(this.#o.component));
  }

  released(one: PooledInstance, end: InvocationEnd): void {
    const timedOut = end.outcome === 'timeout' && this.settings.mode === 'function';
    if (timedOut && one.inFlight > 1) this.#suspect(one);
    one.finish();
    if (timedOut && one.inFlight === 0) this.#killHung(one, end.error);
    if (this.#mayStillWork(one, end)) one.drain('an invocation was given up', this.#drainMs);
    if (one.state === 'ready') this.#o.owner.roomFor(this);
  }

  becameReady(one: PooledInstance): void {
    const tookMs = one.readyAtMs - one.startedAtMs;
    this.#o.journal.note('info', `instance ${one.id} is ready after ${formatDuration(tookMs)}`, one, {
      tookMs,
    });
    if (this.settings.mode === 'function') this.#backoff.succeeded();
    this.#settleAwaited(null);
    this.#o.owner.roomFor(this);
    this.#o.owner.changed();
  }

  failedToStart(one: PooledInstance, error: FulcrumError): void {
    this.startError = error;
    this.#o.journal.note('error', error.message, one, error.details);
    this.#lose(one, 'start failed');
    this.#o.owner.failed(error.message);
    this.#settleAwaited(error);
    this.#o.owner.changed();
  }

  ended(one: PooledInstance, end: InstanceEnded, before: PooledState): void {
    this.#instances.splice(this.#instances.indexOf(one), 1);
    const crashed = before === 'ready' || (before === 'draining' && !end.expected);
    const reason = one.endReason ?? end.reason;
    if (before !== 'starting') {
      this.#o.journal.note(
        crashed ? 'warn' : 'info',
        `instance ${one.id} ended${crashed ? ' by itself' : ''}: ${reason}`,
        one,
        { exitCode: end.exitCode, signal: end.signal, served: one.served },
      );
    }
    if (before === 'ready') {
      if (this.settings.mode === 'service') this.#lose(one, end.reason);
      this.#o.owner.failed(`Instance ${one.id} ended by itself: ${end.reason}`);
      this.#settleAwaited(
        new FulcrumError(
          'start-failed',
          `Component "${this.#o.component}" could not be started: an instance ended right after its start (${end.reason}).`,
        ),
      );
    }
    this.#o.owner.changed();
    this.#reportIfEmpty();
  }

  /** The newest, so that the others grow idle and the pool shrinks. */
  #newestFree(): PooledInstance | null {
    const fresh = this.settings.mode === 'function' && this.settings.settings.fresh;
    for (let i = this.#instances.length - 1; i >= 0; i--) {
      const one = this.#instances[i]!;
      if (one.hasRoom(this.#concurrency) && !(fresh && one.served > 0)) return one;
    }
    return null;
  }

  /** The least loaded sound replica; one that fails its health checks only where no other is there or comes. */
  #leastLoaded(): PooledInstance | null {
    let best: PooledInstance | null = null;
    let lastResort: PooledInstance | null = null;
    let others = false;
    for (const one of this.#instances) {
      if (one.state === 'starting' || (one.state === 'ready' && one.failing === null)) others = true;
      if (!one.hasRoom(this.#concurrency)) continue;
      if (one.failing !== null) lastResort ??= one;
      else if (best === null || one.inFlight < best.inFlight) best = one;
    }
    return best ?? (others ? null : lastResort);
  }

  #start(reason: string): void {
    const one = new PooledInstance(
      {
        id: instanceId(),
        component: this.#o.component,
        revision: this.revision,
        home: this.#o.home,
        settings: this.settings,
        inspectPort: this.#o.inspectPort(),
        reason,
      },
      this.#o.clock,
      this,
    );
    this.#instances.push(one);
    this.#o.journal.note('info', `instance ${one.id} starts: ${reason}`, one);
    one.begin(this.#o.runtime);
  }

  /**
   * A module's instance says when a handler is over, a program does not: after a request that was given up it may still be
   * at it, and must not be given another beside it where it was promised one at a time.
   */
  #mayStillWork(one: PooledInstance, { outcome }: InvocationEnd): boolean {
    if (this.settings.mode !== 'function' || this.#concurrency > 1 || this.engine !== 'command') return false;
    return outcome === 'cancelled' || outcome === 'bad-response';
  }

  /** An invocation timed out beside others: no new work, and an end at once where the instance does not even answer a ping. */
  #suspect(one: PooledInstance): void {
    if (one.state !== 'ready') return;
    one.drain('an invocation timed out', this.#drainMs);
    void one.instance!.healthy(PING_MS).then((health) => {
      if (!health.healthy && one.state === 'draining') this.#killHung(one, null);
    });
  }

  /** @param error the timeout that gave it away; null where other invocations are the ones that still run on it. */
  #killHung(one: PooledInstance, error: FulcrumError | null): void {
    const known =
      error ??
      new FulcrumError(
        'instance-crashed',
        `The instance of component "${this.#o.component}" was ended because another invocation had made it hang.`,
      );
    one.kill(known, 'an invocation timed out');
  }

  #failing(one: PooledInstance): void {
    const text = `instance ${one.id} ${one.failing}`;
    this.#o.journal.note('warn', text, one);
    this.#o.owner.failed(text);
    this.#o.owner.changed();
  }

  #lose(one: PooledInstance, reason: string): void {
    this.#backoff.failed(this.#o.clock.monotonicMs());
    if (this.settings.mode === 'function') return;
    this.#lost = [...this.#lost, { id: one.id, reason }].slice(-this.settings.settings.minReplicas);
  }

  #settleAwaited(error: FulcrumError | null): void {
    if (this.#awaited === null) return;
    const ready = this.#instances.filter((one) => one.state === 'ready').length;
    const starting = this.#instances.filter((one) => one.state === 'starting').length;
    if (ready >= this.#awaited.count) this.#awaited.resolve();
    else if (error !== null && ready + starting < this.#awaited.count) this.#awaited.reject(error);
    else return;
    this.#awaited = null;
  }

  #leave(): void {
    this.#state = 'leaves';
    this.#health?.close();
  }

  #reportIfEmpty(): void {
    if (this.#state === 'leaves' && this.#instances.length === 0) this.#o.owner.emptied(this);
  }

  /** How long work in flight may go on: in function mode its own timeout bounds it anyway. */
  get #drainMs(): number {
    const { mode, settings } = this.settings;
    return mode === 'service' ? settings.drainMs : settings.timeoutMs + 1_000;
  }
}

function endedAtOnce(component: string): FulcrumError {
  return new FulcrumError(
    'start-failed',
    `Component "${component}" could not be started: an instance ended right after its start.`,
  );
}
