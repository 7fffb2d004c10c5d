/**
 * One unit while it is deployed, a component by itself or a group: who waits for it, the pool that serves it, and the pools that are
 * leaving. Of a group, who waits stands in one queue: an instance serves any of its members.
 *
 *   new ── route() ──▶ serving ── leave() ──▶ leaving ── last waiter served, last instance gone ──▶ gone
 *                        └──────────────────── close() ──▶ closed ── last instance gone ──────────────▶ │
 *
 * `serving` takes invocations. `leaving` finishes those that already wait; `closed` has refused them.
 */
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import { revisionOf, type Revision } from '../model/revision.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';
import type { ComponentStatus, InstanceStatus } from '../model/status.ts';
import type { WaitingWork } from '../model/work-window.ts';
import { Activator } from './activator.ts';
import { ComponentPool, type PoolOwner } from './component-pool.ts';
import { decide } from './decide.ts';
import type { PresentComponent } from './dispatcher.ts';
import type { Habit } from './habit.ts';
import { replicasFor } from './decide-service.ts';
import { Journal } from './journal.ts';
import { KeptWork } from './kept-work.ts';
import { type ModeSettings, modeSettings } from './mode-settings.ts';
import { PoolHabit } from './pool-habit.ts';
import { Turns } from './turns.ts';
import type { ComponentOptions, PrepareOptions } from './unit-options.ts';
import { closing, noRoomEver, notStarted } from './unit-errors.ts';
import { type MemberOwner, UnitMembers } from './unit-members.ts';
import { Wake } from './wake.ts';

/** What scaling knows for a component's {@link ComponentStatus}. */
export type ComponentScaleStatus = Pick<
  ComponentStatus,
  'name' | 'mode' | 'modeSetting' | 'revision' | 'engine' | 'instances' | 'queued' | 'lastError' | 'decisions'
>;

/** How the author and whoever operates it want a component to run. */
export interface ModeChoice {
  /** What the config says. */
  readonly configured: ModeSetting;
  /** What holds: the configured one, unless it was changed since. */
  readonly chosen: ModeSetting;
  /** Where that is `auto`: what it means at present. Absent: a function, as all begin. */
  readonly mode?: Mode;
}

/** How soon a component is looked at again where looking failed. */
const STUMBLED_MS = 1_000;

export class ScaledComponent implements PoolOwner, MemberOwner {
  readonly name: string;
  /** Deploys and mode switches of this component, one at a time. */
  readonly turns = new Turns();
  choice: ModeChoice | null = null;

  readonly #o: ComponentOptions;
  readonly #journal: Journal;
  readonly #activator: Activator;
  readonly #wake: Wake;
  readonly #members: UnitMembers;
  readonly #kept = new KeptWork();
  /** Every pool that still has instances, and the one that serves. */
  readonly #pools = new Set<ComponentPool>();
  /** Why the pools that are not served from yet were prepared. */
  readonly #occasions = new WeakMap<ComponentPool, string>();
  readonly #inspectPorts = new WeakMap<ComponentPool, number | null>();
  #state: 'new' | 'serving' | 'leaving' | 'closed' | 'gone' = 'new';
  #pool: ComponentPool | null = null;
  #lastError: string | null = null;
  #poked = false;
  /** Whose past it waits for, or has. */
  #habit: Habit | null = null;

  constructor(o: ComponentOptions) {
    this.name = o.name;
    this.#o = o;
    this.#members = new UnitMembers(o.members, o.isGroup, o.limitsOf, this);
    this.#journal = new Journal(o.name, o.clock, o.home.log);
    this.#activator = new Activator(o.name, o.clock, () => this.changed(), o.isGroup ? o.members : null);
    this.#wake = new Wake(o.clock, () => this.step());
  }

  get isGroup(): boolean {
    return this.#o.isGroup;
  }

  /** The components that it holds. */
  get members(): readonly string[] {
    return this.#o.members;
  }

  /** The pool that serves. Throws where there is none yet. */
  get pool(): ComponentPool {
    if (this.#pool === null)
      throw new FulcrumError('internal', `Component "${this.name}" serves nothing yet.`);
    return this.#pool;
  }

  get mode(): Mode {
    return this.pool.settings.mode;
  }

  get inspectPort(): number | null {
    return this.#inspectPorts.get(this.pool) ?? null;
  }

  /** Replicas that take work; 0 where it runs as a function. */
  get readyReplicas(): number {
    if (this.#pool?.settings.mode !== 'service') return 0;
    return this.#pool.instances.filter((one) => one.state === 'ready' && one.failing === null).length;
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return this.load === 0;
  }

  /** What waits and what is in flight, of pools that leave, too. */
  get load(): number {
    let load = this.#activator.size;
    for (const pool of this.#pools) load += pool.inFlight;
    return load;
  }

  loadOf(member: string): number {
    if (!this.isGroup) return this.load;
    let load = this.#activator.sizeOf(member);
    for (const pool of this.#pools) load += pool.inFlightOf(member);
    return load;
  }

  get retryAfterS(): number {
    return this.#activator.retryAfterS;
  }

  /** How long an invocation of a member may take: its own timeout, but for a debugger's sake. */
  timeoutMs(member: string): number {
    const { revision, settings } = this.pool;
    if (!this.isGroup || this.inspectPort !== null) return settings.settings.timeoutMs;
    return revisionOf(revision, member)!.spec[settings.mode].timeoutMs;
  }

  /**
   * What usage records say of invocations of a member that got no slot. Memory is the unit's: an invocation holds the whole process while
   * it lasts, whichever member it is of, and calls within that process are no invocations of their own.
   */
  present(member: string): PresentComponent | null {
    if (this.#pool === null) return null;
    const { revision, settings } = this.#pool;
    const { id } = revisionOf(revision, member) ?? revision;
    return { revision: id, mode: settings.mode, memoryBytes: settings.settings.memoryBytes };
  }

  /** See {@link WorkWindow}. */
  workWindow(member: string, work: WaitingWork): number {
    const pool = this.#pool;
    if (pool === null || this.#state !== 'serving') return 0;
    const most = this.#members.limitsOf(member).holds.concurrency;
    const { mode, settings } = pool.settings;
    return this.#kept.window(
      member,
      mode === 'service'
        ? {
            mode,
            concurrency: settings.concurrency,
            readyReplicas: this.readyReplicas,
            load: this.load,
            queued: this.#activator.size,
            ...{ most, work },
          }
        : {
            mode,
            each: pool.concurrency,
            maxInstances: settings.maxInstances,
            startsAtOnce: this.#o.startsAtOnce,
            instances: pool.instances.length,
            isShort: pool.isShort,
            memory: null,
            ...{ most, work },
          },
      this.#o.clock.monotonicMs(),
    );
  }

  /** Nothing is left of it; `ComponentOptions.gone` has been told. */
  get gone(): boolean {
    return this.#state === 'gone';
  }

  /** See {@link SlotSource.take}. */
  take(request: SlotRequest): Slot | Promise<Slot> {
    if (this.#state !== 'serving') throw this.#refusal();
    if (request.signal.aborted) throw request.signal.reason;
    const limits = this.#members.limitsOf(request.component);
    if (limits.any) limits.admit(request);
    const pool = this.pool;
    // Nobody overtakes those who wait.
    if (this.#activator.size === 0) {
      const slot = pool.take(request, null);
      if (slot !== null) {
        if (pool.autoscale !== null) this.loadChanged(pool);
        return slot;
      }
    }
    if (request.trigger === 'call') pool.called();
    const waiting = this.#activator.enter(request, pool.settings.settings.maxQueued);
    if (pool.autoscale !== null) this.loadChanged(pool);
    this.changed();
    return waiting;
  }

  /** Whether it already runs exactly this. */
  serves(revision: Revision, mode: Mode, inspectPort: number | null): boolean {
    if (this.#pool === null || this.#state !== 'serving') return false;
    const { revision: present, settings } = this.#pool;
    return (
      present.id === revision.id &&
      present.envDigest === revision.envDigest &&
      settings.mode === mode &&
      this.inspectPort === inspectPort
    );
  }

  /**
   * A pool beside the one that serves. A service's replicas, and as many function instances as `warm` says, are begun at
   * once; see {@link ComponentPool.ready}. It must then be given to `route`, or be abandoned.
   */
  prepare({ revision, mode, occasion, warm, replicas = 0, inspectPort }: PrepareOptions): ComponentPool {
    const { home } = this.#o;
    const isAdaptive = revision.spec.function.keepAlive === 'adaptive' && inspectPort === null;
    // Where it was adaptive before, and may be again, its uses meanwhile count.
    const habit = isAdaptive ? this.#o.habits.of(this.members) : this.#o.habits.known(this.members);
    if (isAdaptive) this.#awaitPast(habit);
    const settings = modeSettings(revision.spec, mode, inspectPort !== null);
    const runtime = this.#o.runtimeFor(revision.spec, mode);
    const pool: ComponentPool = new ComponentPool({
      component: this.name,
      revision,
      settings,
      habit:
        habit === null
          ? null
          : new PoolHabit({
              habit,
              isFollowed: () =>
                isAdaptive && this.#pool === pool && this.#o.followsHabit() && !this.#members.areOff,
              keepZygote: (keepAliveMs) => {
                if (mode === 'function') runtime.keepZygote(revision, home, keepAliveMs);
              },
            }),
      runtime,
      home,
      clock: this.#o.clock,
      startsAtOnce: this.#o.startsAtOnce,
      replicas: this.#firstReplicas(settings, replicas),
      budget: this.#o.budget,
      kept: () => this.#kept.latest(this.#o.clock.monotonicMs()),
      callWaits: () => this.#activator.calls > 0,
      throughServer: () => this.#members.throughServer,
      journal: this.#journal,
      lives: this.#o.lives,
      owner: this,
      inspectPort: () => this.#freeInspectPort(inspectPort),
    });
    this.#pools.add(pool);
    this.#inspectPorts.set(pool, inspectPort);
    this.#occasions.set(pool, occasion);
    pool.warm = warm;
    this.#begin(pool);
    return pool;
  }

  /** From now on `pool` serves, those who wait included; the one that served until now drains. */
  route(pool: ComponentPool, why: string): void {
    const before = this.#pool;
    this.#pool = pool;
    this.#state = 'serving';
    this.#lastError = null;
    this.#members.enter();
    pool.serve();
    pool.autoscale?.begin(before?.autoscale ?? null);
    before?.leave(why);
    this.step();
  }

  /** Takes nothing new; who waits is still served. */
  leave(): void {
    this.#state = 'leaving';
    this.step();
  }

  /** Takes nothing, refuses who waits, and ends every instance as its work is done, or after `drainMs`. */
  close(drainMs: number): void {
    if (this.#state === 'gone') return;
    this.#state = 'closed';
    this.#wake.cancel();
    this.#activator.refuseNewest(this.#activator.size, this.#refusal());
    for (const pool of this.#pools) pool.leave('the server shuts down', drainMs);
    this.#goIfDone();
  }

  /** Kills what {@link close} has left, with all that is in flight. */
  kill(): void {
    for (const pool of this.#pools) pool.kill(this.#refusal());
  }

  /**
   * Looks at what is there, decides and carries it out. Runs whenever something has happened or fallen due: in timers and microtasks, where
   * a fault of ours would end the server with everything on it. So it is told, and tried again.
   */
  step(): void {
    try {
      this.#step();
    } catch (error) {
      this.#wake.by(this.#o.clock.monotonicMs() + STUMBLED_MS);
      this.#stumbled(error);
    }
  }

  #step(): void {
    const pool = this.#pool;
    if (pool === null || (this.#state !== 'serving' && this.#state !== 'leaving')) return;
    this.#serve(pool);
    this.loadChanged(pool);
    if (this.#state === 'leaving' && this.#activator.size === 0) {
      pool.leave('the component was removed');
      return;
    }
    const plan = decide(pool.snapshot(this.#activator.size), this.#o.clock.monotonicMs());
    pool.carryOut(plan, this.#activator.size);
    if (pool.isHopeless) {
      this.#activator.refuseNewest(this.#activator.size, noRoomFor(pool));
      // Nobody waits any more, and the machine is to know.
      this.changed();
    }
    if (plan.refuse > 0) this.#refuseStart(pool, plan.refuse);
    if (plan.wakeAtMs !== null) this.#wake.by(plan.wakeAtMs);
  }

  roomFor(pool: ComponentPool): void {
    if (pool !== this.#pool) return;
    this.#serve(pool);
    if (this.#state === 'leaving') this.changed();
    // What it was short of nobody waits for any more: others may have that room.
    if (pool.isShort && this.#activator.size === 0) this.changed();
    if (pool.settings.mode !== 'function') return;
    const { fresh, keepAliveMs } = pool.settings.settings;
    if (fresh || pool.endsAtOnce) this.changed();
    else this.#wake.by(this.#o.clock.monotonicMs() + keepAliveMs);
  }

  loadChanged(pool: ComponentPool): void {
    if (pool === this.#pool) pool.autoscale?.setLoad(pool.inFlight + this.#activator.size);
  }

  /** Asks for another step once what happens now is over; many askings make one step. */
  changed(): void {
    if (this.#poked) return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.step();
    });
  }

  /** What may be asked of a member has changed so that its instances, or decisions, go by it. */
  limitsChanged(): void {
    for (const pool of this.#pools) pool.limitsChanged();
    this.changed();
  }

  roomCame(pool: ComponentPool): void {
    if (pool === this.#pool) return this.changed();
    if (!this.#pools.has(pool)) return;
    // To begin it again would be to ask for the same room again, for ever.
    if (pool.isHopeless) return pool.refuse(noRoomFor(pool));
    try {
      this.#begin(pool);
    } catch (error) {
      this.#stumbled(error);
      pool.refuse(asFulcrumError(error));
    }
  }

  failed(message: string): void {
    this.#lastError = message;
  }

  emptied(pool: ComponentPool): void {
    this.#pools.delete(pool);
    this.#goIfDone();
  }

  status(): ComponentScaleStatus {
    const instances: InstanceStatus[] = [];
    for (const pool of this.#pools) {
      for (const one of pool.instances) {
        const status = one.status();
        if (status !== null) instances.push(status);
      }
    }
    return {
      name: this.name,
      mode: this.#pool?.settings.mode ?? null,
      modeSetting: this.choice?.chosen ?? null,
      revision: this.#pool?.revision.id ?? null,
      engine: this.#pool?.engine ?? null,
      instances,
      queued: this.#activator.size,
      lastError: this.#lastError,
      decisions: this.#journal.decisions,
    };
  }

  async measure(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.measure()));
  }

  /** Writes into its own log, or a member's. */
  note(text: string, whose: string = this.name): void {
    this.#journal.note('info', text, null, null, whose);
  }

  #serve(pool: ComponentPool): void {
    if (this.#activator.size > 0)
      this.#activator.serve(({ request, arrivedMs }) => pool.take(request, arrivedMs));
  }

  /** A new pool of a service begins with what the present one has, or its load wants: no deploy or switch is felt for want of replicas. */
  #firstReplicas({ mode, settings }: ModeSettings, elsewhere: number): number {
    if (mode === 'function') return 0;
    if (this.#pool?.settings.mode === 'function') {
      return replicasFor(this.#pool.inFlight + this.#activator.size, settings);
    }
    const ready = Math.max(this.readyReplicas, elsewhere);
    return Math.min(Math.max(ready, settings.minReplicas), settings.maxReplicas);
  }

  /** Starts what a pool has to have before it serves, as far as there is room for it. */
  #begin(pool: ComponentPool): void {
    const plan = decide(pool.snapshot(0), this.#o.clock.monotonicMs());
    pool.carryOut(plan, 0, this.#occasions.get(pool) ?? null);
  }

  #refuseStart({ revision, startError, retryAtMs }: ComponentPool, count: number): void {
    const waitMs = retryAtMs - this.#o.clock.monotonicMs();
    this.#activator.refuseNewest(count, notStarted(revision.spec, startError, waitMs));
  }

  #stumbled(error: unknown): void {
    this.#lastError = asFulcrumError(error).message;
    this.#journal.note('error', `could not be scaled: ${this.#lastError}`);
  }

  /** A debugger's port serves one process at a time; while an older one has it, the system chooses another. */
  #freeInspectPort(port: number | null): number | null {
    if (port === null) return null;
    for (const pool of this.#pools) {
      for (const one of pool.instances) if (one.inspectPort === port) return 0;
    }
    return port;
  }

  /** Its next use may turn out to be near. */
  #awaitPast(habit: Habit | null): void {
    this.#habit?.forget(this);
    this.#habit = habit;
    habit?.awaitPast(this);
  }

  #goIfDone(): void {
    if (this.#pools.size > 0 || this.#state === 'serving') return;
    this.#wake.cancel();
    this.#members.leave();
    this.#awaitPast(null);
    this.#state = 'gone';
    this.#o.gone();
  }

  #refusal(): FulcrumError {
    if (this.#state === 'closed' || this.#state === 'gone') return closing();
    return new FulcrumError('not-found', `Component "${this.name}" is not deployed.`);
  }
}

function noRoomFor({ revision, settings }: ComponentPool): FulcrumError {
  return noRoomEver(revision.spec, settings.settings.memoryBytes);
}
