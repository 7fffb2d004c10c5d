import { sleep, type Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { nearest } from '../base/suggest.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import type { InstanceHome, RuntimeFor } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { Slot, SlotRequest, SlotSource } from '../model/slot.ts';
import type { WaitingWork, WorkWindow } from '../model/work-window.ts';
import type { PresentComponent } from './dispatcher.ts';
import type { Habits } from './habits.ts';
import { AppLimits } from './limits/app-limits.ts';
import type { Newcomer } from './fit.ts';
import { switchMode, type ModeSwitched } from './mode-switch.ts';
import type { AppBudget } from './pool-room.ts';
import { STOP_GRACE_MS } from './pooled-instance.ts';
import { rollOut, type ComponentProgress, type Inspect } from './rollout.ts';
import { type ComponentScaleStatus, type ModeChoice, ScaledComponent } from './scaled-component.ts';
import { Turns } from './turns.ts';

export interface ScalerOptions {
  readonly runtimeFor: RuntimeFor;
  /** Whom its instances belong to. */
  readonly home: InstanceHome;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Function instances of one component that may be starting at the same time; many more than there are CPUs only delay each other. */
  readonly startsAtOnce: number;
  /** Of the app that these components are of. */
  readonly habits: Habits;
  /** Of its app: releases that live beside each other share them. Absent: there are none. */
  readonly limits?: AppLimits;
  /** The machine's, which it shares with all others. Absent: no bound. */
  readonly budget?: AppBudget;
}

export interface DeployOptions {
  /** Opens Node's inspector on one component, which then has one instance. Absent: as before; null: on none. */
  readonly inspect?: Inspect | null;
  /** Modes that were chosen by hand, for components that have not served here yet. */
  readonly modes?: ReadonlyMap<string, ModeChoice>;
  /** How many replicas of a component another release has ready whose work this one takes over; none by default. */
  readonly replicas?: (component: string) => number;
  /** One instance of every component, functions too, must be ready before anything is routed. False by default. */
  readonly prove?: boolean;
  /** Told while instances are waited for. */
  readonly onProgress?: ComponentProgress;
}

/** A process that does not even go when it is killed must not hold a shutdown for ever. */
const STUBBORN_MS = 5_000;
const LOOK_EVERY_MS = 10;

/** Which instances exist, and who gets them: deploys, mode switches and every invocation's slot. */
export class Scaler implements SlotSource, WorkWindow {
  readonly #o: ScalerOptions;
  readonly #limits: AppLimits;
  readonly #components = new Map<string, ScaledComponent>();
  /** Removed components, and ones that a failed deploy never let in, until their last instance is gone. */
  readonly #departing = new Set<ScaledComponent>();
  readonly #deploys = new Turns();
  readonly #closing = new AbortController();
  /** Set once a close has told every component to go: a removed one's end before that is not the last. */
  #allDeparted: PromiseWithResolvers<void> | null = null;
  #followsHabits = true;
  #inspect: Inspect | null = null;
  #closed: Promise<void> | null = null;

  constructor(o: ScalerOptions) {
    this.#o = o;
    this.#limits = o.limits ?? new AppLimits(o.clock);
  }

  /**
   * Replaces the set of components. Services whose revision changed: new replicas are ready before anything is routed to
   * them, and the old ones drain. Functions: routed at once; old instances finish what they have. Whatever is
   * unchanged (same id and environment) keeps its instances. Removed components serve who waits, and drain. One after the other.
   * Throws `machine-full` where they do not fit beside what is there, `start-failed` with the component named where new replicas do not
   * start, or `shutting-down`; then nothing is changed.
   */
  async deploy(revisions: ReadonlyMap<string, Revision>, options: DeployOptions = {}): Promise<void> {
    this.#refuseWhenClosing();
    const endTurns = [await this.#deploys.take()];
    try {
      const present = [...this.#components.values()];
      endTurns.push(...(await Promise.all(present.map(({ turns }) => turns.take()))));
      this.#refuseWhenClosing();
      await this.#rollOut(revisions, {
        inspect: this.#inspect,
        modes: new Map(),
        prove: false,
        replicas: () => 0,
        onProgress: () => undefined,
        ...options,
      });
    } finally {
      for (const end of endTurns) end();
    }
  }

  /**
   * Resolves when the new mode serves: at once where it already does. One after the other for each component.
   * The choice survives later deploys, unless the config's own setting changes.
   * Throws `not-found`, `machine-full` or `start-failed` (then all is as before) or `shutting-down`.
   */
  async setMode(name: string, mode: ModeSetting): Promise<ModeSwitched> {
    this.#refuseWhenClosing();
    const component = this.#component(name);
    const endTurn = await component.turns.take();
    try {
      this.#refuseWhenClosing();
      // A deploy may have removed it in the meantime, and another may even have brought it back.
      if (this.#components.get(name) !== component) return await this.setMode(name, mode);
      const { clock, budget } = this.#o;
      const refuse = (newcomer: Newcomer): void => budget?.machine.refuseUnfit([newcomer]);
      const switched = await switchMode(component, mode, { clock, refuse, signal: this.#closing.signal });
      this.#o.logger.debug({ component: name, ...switched }, 'mode set');
      return switched;
    } finally {
      endTurn();
    }
  }

  /**
   * For a release that nothing new is routed to: instances take no more work, and event streams and WebSockets are told to go.
   * What is in flight and what waits goes on, and what that calls starts when it is called, for as long as it takes.
   */
  async drain(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const endTurns = [await this.#deploys.take()];
    try {
      const present = [...this.#components.values()];
      endTurns.push(...(await Promise.all(present.map(({ turns }) => turns.take()))));
      if (this.#closing.signal.aborted) return;
      this.followHabits(false);
      for (const component of present) {
        const { revision } = component.pool;
        const order = { revision, occasion: 'drain', warm: 0, inspectPort: null } as const;
        const pool = component.prepare({ ...order, mode: 'function' });
        component.route(pool, 'another release took over');
      }
    } finally {
      for (const end of endTurns) end();
    }
  }

  /** Whether instances come and stay for work that is only expected: so in one release of an app, the one that serves. They do by default. */
  followHabits(follow: boolean): void {
    this.#followsHabits = follow;
    for (const component of this.#components.values()) component.changed();
  }

  take(name: string, request: SlotRequest): Slot | Promise<Slot> {
    const component = this.#component(name);
    // Work in flight may still call other components while it is given time to finish.
    if (this.#closing.signal.aborted && request.trigger !== 'call') throw this.#closing.signal.reason;
    return component.take(request);
  }

  timeoutMs(name: string): number {
    return this.#component(name).pool.settings.settings.timeoutMs;
  }

  /** What usage records say of invocations that got no slot. Null where there is no such component. */
  present(name: string): PresentComponent | null {
    const pool = this.#components.get(name)?.pool;
    if (pool === undefined) return null;
    const { mode, settings } = pool.settings;
    return { revision: pool.revision.id, mode, memoryBytes: settings.memoryBytes };
  }

  /** When whoever is turned away may come again, in seconds: by how many wait, and how fast they are served. */
  retryAfterS(name: string): number {
    return this.#components.get(name)?.retryAfterS ?? 1;
  }

  workWindow(name: string, work: WaitingWork): number {
    if (this.#closing.signal.aborted) return 0;
    return this.#components.get(name)?.workWindow(work) ?? 0;
  }

  /** The components that have instances. */
  names(): Iterable<string> {
    return this.#components.keys();
  }

  /** What the config says of a component's mode, and what was chosen. Throws `not-found`. */
  choice(name: string): ModeChoice | null {
    return this.#component(name).choice;
  }

  /** Writes into a component's own log. Throws `not-found`. */
  note(name: string, text: string): void {
    this.#component(name).note(text);
  }

  /** Replicas that take work; 0 where it runs as a function, or there is none. */
  readyReplicas(name: string): number {
    return this.#components.get(name)?.readyReplicas ?? 0;
  }

  mode(name: string): Mode {
    return this.#component(name).mode;
  }

  status(): readonly ComponentScaleStatus[] {
    return [...this.#components.values()].map((component) => component.status());
  }

  /** Measures memory and CPU time of every instance, for the next `status()`. */
  async measure(): Promise<void> {
    await Promise.all([...this.#everything()].map((component) => component.measure()));
  }

  /**
   * Refuses new work, lets work in flight finish (at first with calls to other components, then without), and ends every
   * instance. Resolves when all are gone. Work that is not done after `drainMs` is cut off with its instance; where that is 0,
   * every instance is killed at once, and nothing but the ends of the processes is waited for.
   */
  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  async #rollOut(revisions: ReadonlyMap<string, Revision>, options: Required<DeployOptions>): Promise<void> {
    const fresh: ScaledComponent[] = [];
    const componentFor = (name: string): ScaledComponent => {
      const known = this.#components.get(name);
      if (known) return known;
      const component = this.#newComponent(name);
      fresh.push(component);
      return component;
    };
    let serving: readonly ScaledComponent[];
    try {
      serving = await rollOut({
        ...options,
        revisions,
        componentFor,
        refuse: (newcomers) => this.#o.budget?.machine.refuseUnfit(newcomers),
        signal: this.#closing.signal,
      });
    } catch (error) {
      for (const component of fresh) this.#depart(component, (it) => it.close(0));
      throw error;
    }
    const removed = [...this.#components.values()].filter(({ name }) => !revisions.has(name));
    this.#components.clear();
    for (const component of serving) this.#components.set(component.name, component);
    for (const component of removed) this.#depart(component, (it) => it.leave());
    this.#inspect = options.inspect;
    this.#o.logger.info(
      { components: serving.length, removed: removed.map(({ name }) => name) },
      'components deployed',
    );
  }

  async #close(drainMs: number): Promise<void> {
    const { clock } = this.#o;
    this.#closing.abort(
      new FulcrumError('shutting-down', 'The server is shutting down and takes no more work.', {
        retryAfterS: 1,
      }),
    );
    // What is under way gives up by the signal; what waits for its turn sees it when its turn comes.
    const endTurns = [await this.#deploys.take()];
    endTurns.push(...(await Promise.all([...this.#components.values()].map(({ turns }) => turns.take()))));
    const beganMs = clock.monotonicMs();
    const spentMs = (): number => clock.monotonicMs() - beganMs;
    const quiet = (): boolean => [...this.#everything()].every((component) => component.quiet);
    // Streams and WebSockets hear that they should go only when their instances drain: so this may not take all the time.
    while (!quiet() && spentMs() < drainMs / 3) await sleep(clock, LOOK_EVERY_MS);
    const restMs = Math.max(0, drainMs - spentMs());
    for (const component of this.#components.values()) this.#departing.add(component);
    const allDeparted = Promise.withResolvers<void>();
    this.#allDeparted = allDeparted;
    for (const component of this.#departing) {
      component.close(restMs);
      if (drainMs <= 0) component.kill();
    }
    const limit = clock.after(restMs + STOP_GRACE_MS.service + STUBBORN_MS, allDeparted.resolve);
    // Resolved by the last instance's end and not by looking: the clock's timers keep no process alive until then.
    if (this.#departing.size > 0) await allDeparted.promise;
    limit.cancel();
    for (const { name } of this.#departing) {
      this.#o.logger.error({ component: name }, 'instances did not end although they were killed');
    }
    for (const end of endTurns) end();
  }

  #newComponent(name: string): ScaledComponent {
    const { runtimeFor, home, clock, startsAtOnce, habits, budget = null } = this.#o;
    return new ScaledComponent({
      name,
      runtimeFor,
      home,
      clock,
      startsAtOnce,
      habits,
      limits: this.#limits.of(name),
      budget,
      followsHabit: () => this.#followsHabits,
      gone: (component) => {
        this.#departing.delete(component);
        if (this.#departing.size === 0) this.#allDeparted?.resolve();
      },
    });
  }

  /** Registers it first: it may be gone before `how` returns. One that never began anything is gone already, and says so no more. */
  #depart(component: ScaledComponent, how: (component: ScaledComponent) => void): void {
    if (component.gone) return;
    this.#departing.add(component);
    how(component);
  }

  #everything(): Set<ScaledComponent> {
    return new Set([...this.#components.values(), ...this.#departing]);
  }

  #component(name: string): ScaledComponent {
    const component = this.#components.get(name);
    if (component) return component;
    const near = nearest(name, this.#components.keys());
    throw new FulcrumError(
      'not-found',
      `There is no component "${name}" that has instances.${near === null ? '' : ` Did you mean "${near}"?`}`,
    );
  }

  #refuseWhenClosing(): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
  }
}
