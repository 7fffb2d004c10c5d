import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { instanceId } from '../base/ids.ts';
import type { InstanceEnded, InstanceHome, Runtime } from '../model/instance.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { Revision } from '../model/revision.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';
import type { WaitingWork } from '../model/work-window.ts';
import { Autoscale } from './autoscale.ts';
import { chooseReplica } from './choose-replica.ts';
import type { Lost, Plan, Snapshot } from './snapshot.ts';
import { Ejections } from './ejections.ts';
import { HealthWatch } from './health.ts';
import { InstanceSlot } from './instance-slot.ts';
import type { InstanceTelling } from './instance-watch.ts';
import type { Journal } from './journal.ts';
import { mayStillWork } from './may-still-work.ts';
import type { ModeSettings } from './mode-settings.ts';
import { NameCounts } from './name-counts.ts';
import { freeOrdinals } from './ordinals.ts';
import type { PoolHabit } from './pool-habit.ts';
import { type AppBudget, PoolRoom } from './pool-room.ts';
import { PooledInstance, type PooledState } from './pooled-instance.ts';
import { ReadyWait } from './ready-wait.ts';
import { type FailedFor, RestartBackoff } from './restart-backoff.ts';
import { endedAtOnce, hungByAnother, tooLarge } from './unit-errors.ts';

/** How long an instance that let an invocation time out has for a ping before it counts as hung. */
const PING_MS = 50;

/** What a pool tells the component it belongs to. */
export interface PoolOwner {
  /** An instance became free: whoever waits may have it, now. */
  roomFor(pool: ComponentPool): void;
  /** One more or one fewer is in flight on an autoscaled service's pool. */
  loadChanged(pool: ComponentPool): void;
  /** Something happened that may call for another decision. */
  changed(): void;
  failed(message: string): void;
  /** The machine has room for what a pool could not start. */
  roomCame(pool: ComponentPool): void;
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
  /** Null: nobody asks what instances live. */
  readonly lives: InstanceTelling | null;
  readonly owner: PoolOwner;
  /** Function mode: how many instances may be starting at the same time. */
  readonly startsAtOnce: number;
  /** Told of every invocation; null where the keep-alive is fixed. */
  readonly habit: PoolHabit | null;
  /** How many replicas to begin with where their number may change. */
  readonly replicas: number;
  /** Null: no bound. */
  readonly budget: AppBudget | null;
  /** Kept work that has been asked for just now; null: there is none. */
  readonly kept: () => WaitingWork | null;
  /** Whether a call is among what waits for an instance. */
  readonly callWaits: () => boolean;
  /** Of a group: members whose calls its instances must not make within the process. */
  readonly throughServer: () => readonly string[];
  /** The inspector's port for the next instance; null for none. */
  readonly inspectPort: () => number | null;
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
  /** Of a service whose replicas' number may change. */
  readonly autoscale: Autoscale | null;

  readonly #o: PoolOptions;
  readonly #instances: PooledInstance[] = [];
  readonly #readyWait: ReadyWait;
  readonly #backoff = new RestartBackoff();
  readonly #health: HealthWatch | null;
  /** Of a service that has more than one replica, or may have. */
  readonly #ejections: Ejections | null;
  readonly #concurrency: number;
  readonly #room: PoolRoom | null;
  /** Replicas that died or did not start and have no successor yet: at most as many as there are replicas. */
  #lost: Lost[] = [];
  #state: 'serves' | 'leaves' = 'serves';
  #inFlight = 0;
  /** Of a group: by member. */
  readonly #inFlightOf: NameCounts | null;

  constructor(o: PoolOptions) {
    this.#o = o;
    this.revision = o.revision;
    this.settings = o.settings;
    this.#inFlightOf = o.revision.kind === 'group' ? new NameCounts() : null;
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
    const isRange = mode === 'service' && settings.maxReplicas > settings.minReplicas;
    this.autoscale = isRange ? new Autoscale(o.replicas, o.budget?.machine.cpus ?? Infinity, o.clock) : null;
    this.#ejections =
      mode === 'service' && settings.maxReplicas > 1
        ? new Ejections(o.clock, this.#instances, {
            note: (level, text, one) => o.journal.note(level, text, one),
            mayTake: () => o.owner.roomFor(this),
          })
        : null;
    this.#room =
      o.budget === null
        ? null
        : new PoolRoom(o.budget, {
            component: o.component,
            settings: o.settings,
            weight: o.revision.spec.weight,
            instances: () => this.#instances,
            callWaits: o.callWaits,
            end: (one, reason) => one.drain(reason, this.#drainMs),
            gave: () => this.#readyWait.look(null),
            roomCame: () => o.owner.roomCame(this),
          });
    this.#readyWait = new ReadyWait({
      component: o.component,
      clock: o.clock,
      instances: this.#instances,
      least: mode === 'service' ? settings.minReplicas : 0,
      room: this.#room,
      startError: () => this.startError,
    });
  }

  /** The machine has no room for it, and never will as long as its services are what they are. */
  get isHopeless(): boolean {
    return this.#room?.isHopeless ?? false;
  }

  /** It has said that it wants more than it has room for. */
  get isShort(): boolean {
    return (this.#room?.short ?? 0) > 0;
  }

  get engine(): Runtime['engine'] {
    return this.#o.runtime.engine;
  }

  /** Invocations that one instance works on at a time. */
  get concurrency(): number {
    return this.#concurrency;
  }

  get instances(): readonly PooledInstance[] {
    return this.#instances;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Of one member of a group. */
  inFlightOf(member: string): number {
    return this.#inFlightOf?.of(member) ?? 0;
  }

  get retryAtMs(): number {
    return this.#backoff.retryAtMs;
  }

  /** By its habit, an instance that has nothing to do now ends now. */
  get endsAtOnce(): boolean {
    return this.#o.habit?.endsAtOnce ?? false;
  }

  /** How many replicas must be ready before they may serve: those that were begun, or one of a function's. */
  get needs(): number {
    const { mode, settings } = this.settings;
    return mode === 'service' ? Math.max(settings.minReplicas, this.#instances.length) : 1;
  }

  /** A slot, where an instance is free. @param arrivedMs when its invocation began to wait; null: it has just come. */
  take({ component, affinityKey }: SlotRequest, arrivedMs: number | null): Slot | null {
    const one =
      this.settings.mode === 'function'
        ? this.#newestFree()
        : chooseReplica(this.#instances, this.#concurrency, affinityKey);
    if (one === null) return null;
    this.#o.habit?.began(arrivedMs);
    this.#inFlight++;
    this.#inFlightOf?.add(component);
    const nowMs = arrivedMs === null ? 0 : this.#o.clock.monotonicMs();
    return new InstanceSlot(one, this, component, arrivedMs, nowMs);
  }

  snapshot(queued: number): Snapshot {
    const { retryAtMs, failures, latest } = this.#backoff;
    const common = { queued, instances: this.#instances, retry: { retryAtMs, failures, latest } };
    return this.settings.mode === 'function'
      ? {
          mode: 'function',
          settings: this.settings.settings,
          warm: this.warm,
          startsAtOnce: this.#o.startsAtOnce,
          habit: this.#o.habit?.view ?? null,
          kept: this.#o.kept(),
          ...common,
        }
      : {
          mode: 'service',
          settings: this.settings.settings,
          lost: this.#lost,
          scale: this.autoscale?.view(this.#o.clock.monotonicMs()) ?? null,
          ...common,
        };
  }

  /** Starts what the plan says and the machine has room for. @param queued invocations that wait for it. */
  carryOut(plan: Plan, queued: number, occasion: string | null = null): void {
    const { remember } = plan;
    const urgent = queued > 0 || this.warm > 0 || this.settings.mode === 'service';
    const starts = this.#room?.admit(plan.starts, urgent) ?? plan.starts;
    const ordinals =
      remember === undefined || starts.length === 0 ? [] : freeOrdinals(this.#instances, starts.length);
    for (const [i, reason] of starts.entries()) {
      this.#start(occasion === null ? reason : `${occasion}: ${reason}`, ordinals[i] ?? 0);
    }
    if (remember !== undefined) {
      // What there is no room for is not replaced yet.
      this.#lost =
        starts.length === plan.starts.length
          ? [...remember.lost]
          : this.#lost.filter(({ ordinal }) => !ordinals.includes(ordinal));
      if (remember.scale !== null && this.autoscale!.remember(remember.scale)) void this.#measureLoad();
    }
    if (plan.prewarms && starts.length > 0) this.#o.habit?.prewarmed();
    for (const { id, reason, withZygote = false } of plan.ends) {
      this.#o.habit?.ends(withZygote);
      this.#instances.find((one) => one.id === id)?.drain(reason, this.#drainMs);
    }
    this.#room?.settle(plan.ends.length > 0);
  }

  /**
   * Resolves when `count` instances are ready, but for those that made room for others. Rejects with `start-failed` when that cannot be any
   * more, with `machine-full` when no room for them came in time, or with what the pool was refused or abandoned with.
   */
  ready(count: number): Promise<void> {
    return this.#readyWait.begin(count);
  }

  /** Who waits for it to be ready waits in vain. */
  refuse(error: FulcrumError): void {
    this.#readyWait.reject(error);
  }

  /** Another component has called it and waits for an instance. */
  called(): void {
    this.#room?.called();
  }

  /** Work comes to it from now on. */
  serve(): void {
    this.warm = 0;
    this.#room?.serve();
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
    this.refuse(error);
    this.leave(error.message, 0);
  }

  async measure(): Promise<void> {
    await Promise.all(
      this.#instances.map(async (one) => {
        const usage = await one.instance?.measure();
        if (usage) one.saw(usage);
      }),
    );
  }

  /** Why `count` instances that were ready are not good enough: one holds more memory than it may, or has ended; null where all is well. */
  async tooLarge(count: number): Promise<FulcrumError | null> {
    await this.measure();
    const { memoryBytes } = this.settings.settings;
    for (const { usage } of this.#instances) {
      if (usage === null || usage.memoryBytes <= memoryBytes) continue;
      return tooLarge(this.revision.spec, usage.memoryBytes, memoryBytes);
    }
    return this.#readyWait.stillReady(count)
      ? null
      : (this.startError ?? endedAtOnce(this.revision.spec, null));
  }

  tried(one: PooledInstance): void {
    this.#ejections!.begin(one);
  }

  trialAnswered(one: PooledInstance, httpStatus: number): boolean {
    return this.#ejections!.answered(one, httpStatus);
  }

  released(
    one: PooledInstance,
    component: string,
    end: InvocationEnd,
    httpStatus: number,
    isTrial: boolean,
  ): void {
    this.#inFlight--;
    this.#inFlightOf?.remove(component);
    this.#o.habit?.over();
    const timedOut = end.outcome === 'timeout' && this.settings.mode === 'function';
    if (timedOut && one.inFlight > 1) this.#suspect(one);
    one.finish();
    if (timedOut && one.inFlight === 0) this.#killHung(one, end.error);
    this.#room?.released(one);
    if (mayStillWork(this.settings, this.engine, this.#concurrency, end))
      one.drain('an invocation was given up', this.#drainMs);
    this.#ejections?.judge(one, end, httpStatus, isTrial);
    if (this.autoscale !== null) this.#o.owner.loadChanged(this);
    if (one.state === 'ready') this.#o.owner.roomFor(this);
  }

  /** Calls of members have limits that had none, or the other way round. */
  limitsChanged(): void {
    if (this.revision.kind !== 'group') return;
    const members = this.#o.throughServer();
    for (const { instance } of this.#instances) instance?.callThroughServer(members);
  }

  becameReady(one: PooledInstance): void {
    const throughServer = this.#o.throughServer();
    // Before it is given anything.
    if (throughServer.length > 0) one.instance!.callThroughServer(throughServer);
    const tookMs = one.readyAtMs - one.startedAtMs;
    this.#o.journal.note('info', `instance ${one.id} is ready after ${formatDuration(tookMs)}`, one, {
      tookMs,
    });
    this.#room?.started(one);
    if (this.settings.mode === 'function') this.#backoff.succeeded();
    this.#readyWait.look(null);
    this.#o.owner.roomFor(this);
    this.#o.owner.changed();
  }

  failedToStart(one: PooledInstance, error: FulcrumError): void {
    this.startError = error;
    this.#room?.started(one);
    this.#o.journal.startFailed(one, error);
    this.#lose(one, 'start failed', error.code === 'resources-exhausted' ? 'shortage' : 'revision');
    this.#o.owner.failed(error.message);
    this.#readyWait.look(error);
    this.#o.owner.changed();
  }

  ended(one: PooledInstance, end: InstanceEnded, before: PooledState): void {
    this.#instances.splice(this.#instances.indexOf(one), 1);
    this.#room?.ended(one);
    this.#ejections?.forget(one);
    const crashed = before === 'ready' || (before !== 'starting' && !end.expected);
    if (before !== 'starting') {
      const { exitCode, signal } = end;
      this.#o.journal.ended(one, crashed, one.endedBy(end, crashed), {
        exitCode,
        signal,
        served: one.served,
      });
    }
    if (before === 'ready') {
      if (this.settings.mode === 'service') this.#lose(one, end.reason);
      this.#o.owner.failed(`Instance ${one.id} ended unexpectedly: ${end.reason}`);
      this.#readyWait.look(endedAtOnce(this.revision.spec, end.reason));
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

  /** For the next round. */
  async #measureLoad(): Promise<void> {
    await this.measure();
    this.autoscale?.setUsage(this.#instances);
  }

  #start(reason: string, ordinal: number): void {
    const one = new PooledInstance(
      {
        id: instanceId(),
        revision: this.revision,
        home: this.#o.home,
        settings: this.settings,
        inspectPort: this.#o.inspectPort(),
        ordinal,
        reason,
        lives: this.#o.lives,
      },
      this.#o.clock,
      this,
    );
    // What may throw comes before anything that would be left behind.
    this.#o.journal.starts(one, reason);
    this.#room?.reserve(one);
    this.#instances.push(one);
    one.begin(this.#o.runtime);
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
    one.kill(error ?? hungByAnother(this.revision.spec), 'an invocation timed out');
  }

  #failing(one: PooledInstance): void {
    const text = `instance ${one.id} ${one.failing}`;
    this.#o.journal.note('warn', text, one);
    this.#o.owner.failed(text);
    this.#o.owner.changed();
  }

  #lose(one: PooledInstance, reason: string, why: FailedFor = 'revision'): void {
    this.#backoff.failed(this.#o.clock.monotonicMs(), why);
    if (this.settings.mode === 'function') return;
    const lost = { id: one.id, ordinal: one.ordinal, reason };
    this.#lost = [...this.#lost, lost].slice(-this.settings.settings.maxReplicas);
  }

  #leave(): void {
    this.#state = 'leaves';
    this.#health?.close();
    this.#ejections?.close();
    this.#room?.leave();
  }

  #reportIfEmpty(): void {
    if (this.#state !== 'leaves' || this.#instances.length > 0) return;
    this.#room?.close();
    this.#o.owner.emptied(this);
  }

  /** How long work in flight may go on: in function mode its own timeout bounds it anyway. */
  get #drainMs(): number {
    const { mode, settings } = this.settings;
    return mode === 'service' ? settings.drainMs : settings.timeoutMs + 1_000;
  }
}
