/**
 * One component while it is deployed: who waits for it, the pool that serves it, and the pools that are leaving.
 *
 *   new ── route() ──▶ serving ── leave() ──▶ leaving ── last waiter served, last instance gone ──▶ gone
 *                        └──────────────────── close() ──▶ closed ── last instance gone ──────────────▶ │
 *
 * `serving` takes invocations. `leaving` finishes those that already wait; `closed` has refused them.
 */
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import type { InstanceHome, RuntimeFor } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';
import type { ComponentStatus, InstanceStatus } from '../model/status.ts';
import { Activator } from './activator.ts';
import { ComponentPool, type PoolOwner } from './component-pool.ts';
import { decide } from './decide.ts';
import { Journal } from './journal.ts';
import { modeSettings } from './mode-settings.ts';
import { Turns } from './turns.ts';
import { Wake } from './wake.ts';

/** What scaling knows for a component's {@link ComponentStatus}. */
export type ComponentScaleStatus = Pick<
  ComponentStatus,
  'name' | 'mode' | 'modeSetting' | 'revision' | 'engine' | 'instances' | 'queued' | 'lastError'
>;

export interface ComponentOptions {
  readonly name: string;
  readonly runtimeFor: RuntimeFor;
  readonly home: InstanceHome;
  readonly clock: Clock;
  /** How many function instances may be starting at the same time. */
  readonly startsAtOnce: number;
  /** A component that was leaving or closed has nothing left. */
  readonly gone: (component: ScaledComponent) => void;
}

/** How the author and whoever operates it want a component to run. */
export interface ModeChoice {
  /** What the config says. */
  readonly configured: ModeSetting;
  /** What holds: the configured one, unless it was changed since. */
  readonly chosen: ModeSetting;
}

export interface PrepareOptions {
  readonly revision: Revision;
  readonly mode: Mode;
  /** What the first instances are started for; goes into their reasons. */
  readonly occasion: string;
  /** How many of a function's instances to start before it serves. */
  readonly warm: number;
  readonly inspectPort: number | null;
}

export class ScaledComponent implements PoolOwner {
  readonly name: string;
  /** Deploys and mode switches of this component, one at a time. */
  readonly turns = new Turns();
  choice: ModeChoice | null = null;

  readonly #o: ComponentOptions;
  readonly #journal: Journal;
  readonly #activator: Activator;
  readonly #wake: Wake;
  /** Every pool that still has instances, and the one that serves. */
  readonly #pools = new Set<ComponentPool>();
  readonly #inspectPorts = new WeakMap<ComponentPool, number | null>();
  #state: 'new' | 'serving' | 'leaving' | 'closed' | 'gone' = 'new';
  #pool: ComponentPool | null = null;
  #lastError: string | null = null;
  #poked = false;

  constructor(o: ComponentOptions) {
    this.name = o.name;
    this.#o = o;
    this.#journal = new Journal(o.name, o.clock, o.home.log);
    this.#activator = new Activator(o.name, o.clock, () => this.changed());
    this.#wake = new Wake(o.clock, () => this.step());
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

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    if (this.#activator.size > 0) return false;
    for (const pool of this.#pools) if (pool.inFlight > 0) return false;
    return true;
  }

  /** Nothing is left of it; `ComponentOptions.gone` has been told. */
  get gone(): boolean {
    return this.#state === 'gone';
  }

  /** See {@link SlotSource.take}. */
  take(request: SlotRequest): Slot | Promise<Slot> {
    if (this.#state !== 'serving') throw this.#refusal();
    if (request.signal.aborted) throw request.signal.reason;
    const pool = this.pool;
    // Nobody overtakes those who wait.
    if (this.#activator.size === 0) {
      const slot = pool.take(null);
      if (slot !== null) return slot;
    }
    const waiting = this.#activator.enter(request, pool.settings.settings.maxQueued);
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
  prepare({ revision, mode, occasion, warm, inspectPort }: PrepareOptions): ComponentPool {
    const pool = new ComponentPool({
      component: this.name,
      revision,
      settings: modeSettings(revision.spec, mode, inspectPort !== null),
      runtime: this.#o.runtimeFor(revision.spec, mode),
      home: this.#o.home,
      clock: this.#o.clock,
      startsAtOnce: this.#o.startsAtOnce,
      journal: this.#journal,
      owner: this,
      inspectPort: () => this.#freeInspectPort(inspectPort),
    });
    this.#pools.add(pool);
    this.#inspectPorts.set(pool, inspectPort);
    pool.warm = warm;
    pool.carryOut(decide(pool.snapshot(0), this.#o.clock.monotonicMs()), occasion);
    return pool;
  }

  /** From now on `pool` serves, those who wait included; the one that served until now drains. */
  route(pool: ComponentPool, why: string): void {
    const before = this.#pool;
    this.#pool = pool;
    this.#state = 'serving';
    this.#lastError = null;
    pool.warm = 0;
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

  /** Looks at what is there, decides and carries it out. Runs whenever something has happened or fallen due. */
  step(): void {
    const pool = this.#pool;
    if (pool === null || (this.#state !== 'serving' && this.#state !== 'leaving')) return;
    this.#serve(pool);
    if (this.#state === 'leaving' && this.#activator.size === 0) {
      pool.leave('the component was removed');
      return;
    }
    const plan = decide(pool.snapshot(this.#activator.size), this.#o.clock.monotonicMs());
    pool.carryOut(plan);
    if (plan.refuse > 0) this.#activator.refuseNewest(plan.refuse, this.#startRefusal(pool));
    if (plan.wakeAtMs !== null) this.#wake.by(plan.wakeAtMs);
  }

  roomFor(pool: ComponentPool): void {
    if (pool !== this.#pool) return;
    this.#serve(pool);
    if (this.#state === 'leaving') this.changed();
    if (pool.settings.mode !== 'function') return;
    const { fresh, keepAliveMs } = pool.settings.settings;
    if (fresh) this.changed();
    else this.#wake.by(this.#o.clock.monotonicMs() + keepAliveMs);
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
    };
  }

  async measure(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.measure()));
  }

  /** Writes into the component's own log. */
  note(text: string): void {
    this.#journal.note('info', text, null);
  }

  #serve(pool: ComponentPool): void {
    if (this.#activator.size > 0) this.#activator.serve((waiter) => pool.take(waiter.arrivedMs));
  }

  /** A debugger's port serves one process at a time; while an older one has it, the system chooses another. */
  #freeInspectPort(port: number | null): number | null {
    if (port === null) return null;
    for (const pool of this.#pools) {
      for (const one of pool.instances) if (one.inspectPort === port) return 0;
    }
    return port;
  }

  #goIfDone(): void {
    if (this.#pools.size > 0 || this.#state === 'serving') return;
    this.#wake.cancel();
    this.#state = 'gone';
    this.#o.gone(this);
  }

  #refusal(): FulcrumError {
    return this.#state === 'closed' || this.#state === 'gone'
      ? new FulcrumError('shutting-down', 'The server is shutting down and takes no more work.', {
          retryAfterS: 1,
        })
      : new FulcrumError('not-found', `Component "${this.name}" is not deployed.`);
  }

  #startRefusal(pool: ComponentPool): FulcrumError {
    const error = pool.startError;
    const retryAfterS = Math.max(1, Math.ceil((pool.retryAtMs - this.#o.clock.monotonicMs()) / 1_000));
    return new FulcrumError(
      'start-failed',
      error?.message ?? `Component "${this.name}" could not be started.`,
      {
        cause: error,
        details: error?.details ?? {},
        retryAfterS,
      },
    );
  }
}
