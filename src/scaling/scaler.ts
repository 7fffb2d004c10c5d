import { sleep, type Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { nearest } from '../base/suggest.ts';
import type { Mode, ModeSetting, UnitSpec } from '../model/app.ts';
import type { InstanceHome, RuntimeFor } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { Slot, SlotRequest, SlotSource } from '../model/slot.ts';
import { membersOf } from '../model/units.ts';
import type { WaitingWork, WorkWindow } from '../model/work-window.ts';
import type { PresentComponent } from './dispatcher.ts';
import type { Habits } from './habits.ts';
import { AppLimits } from './limits/app-limits.ts';
import type { InstanceTelling } from './instance-watch.ts';
import type { Newcomer } from './fit.ts';
import { switchMode, type ModeSwitched } from './mode-switch.ts';
import type { AppBudget } from './pool-room.ts';
import { STOP_GRACE_MS } from './pooled-instance.ts';
import { rollOut, type ComponentProgress, type Inspect } from './rollout.ts';
import { type ComponentScaleStatus, type ModeChoice, ScaledComponent } from './scaled-component.ts';
import { Turns } from './turns.ts';
import { closing } from './unit-errors.ts';

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
  /** Told what its instances live. Absent: nobody asks. */
  readonly lives?: InstanceTelling;
  /** The machine's, which it shares with all others. Absent: no bound. */
  readonly budget?: AppBudget;
}

export interface DeployOptions {
  /** Opens Node's inspector on what holds one component, which then has one instance. Absent: as before; null: on none. */
  readonly inspect?: Inspect | null;
  /** Modes that were chosen by hand, for units that have not served here yet. */
  readonly modes?: ReadonlyMap<string, ModeChoice>;
  /** How many replicas of what holds a component, or of a group, another release has ready whose work this one takes over; none by default. */
  readonly replicas?: (component: string) => number;
  /** One instance of every component, functions too, must be ready before anything is routed. False by default. */
  readonly prove?: boolean;
  /** Told while instances are waited for. */
  readonly onProgress?: ComponentProgress;
}

/** A process that does not even go when it is killed must not hold a shutdown for ever. */
const STUBBORN_MS = 5_000;
const LOOK_EVERY_MS = 10;

/**
 * Which instances exist, and who gets them: deploys, mode switches and every invocation's slot. What has instances, a component by itself
 * or a group, is a unit; modes and replicas are a unit's. Invocations are of components, each of which has the unit that holds it.
 */
export class Scaler implements SlotSource, WorkWindow {
  readonly #o: ScalerOptions;
  readonly #limits: AppLimits;
  /** By their own names. */
  readonly #units = new Map<string, ScaledComponent>();
  /** By the components that they hold. */
  readonly #holders = new Map<string, ScaledComponent>();
  /** Removed units, and ones that a failed deploy never let in, until their last instance is gone. */
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
   * Replaces the set of units. Services whose revision changed: new replicas are ready before anything is routed to
   * them, and the old ones drain. Functions: routed at once; old instances finish what they have. Whatever is
   * unchanged (same id and environment) keeps its instances. Where components are grouped otherwise than before, their new unit is
   * ready before the old one goes, and all of them change over at once. Removed units serve who waits, and drain. One after the other.
   * Throws `machine-full` where they do not fit beside what is there, `start-failed` with the component named where new replicas do not
   * start, or `shutting-down`; then nothing is changed.
   */
  async deploy(revisions: ReadonlyMap<string, Revision>, options: DeployOptions = {}): Promise<void> {
    this.#refuseWhenClosing();
    const endTurns = [await this.#deploys.take()];
    try {
      const present = [...this.#units.values()];
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
   * Resolves when the new mode serves: at once where it already does. One after the other for each unit.
   * The choice survives later deploys, unless the config's own setting changes.
   * @param means what `auto` is to mean; null: what it is already. Throws `not-found`, `bad-request` for a member of a group, `machine-full` or `start-failed` (then all is as before) or `shutting-down`.
   */
  async setMode(name: string, mode: ModeSetting, means: Mode | null = null): Promise<ModeSwitched> {
    return await this.#inTurn(name, (component) => this.#switch(component, mode, means));
  }

  /**
   * What a unit of mode `auto` is from now on. As `setMode`; throws `conflict` where somebody has chosen its mode by hand by the time that its
   * turn comes: what a person says holds.
   */
  async meanAuto(name: string, means: Mode): Promise<ModeSwitched> {
    return await this.#inTurn(name, (component) => {
      const chosen = component.choice?.chosen;
      if (chosen !== 'auto')
        throw new FulcrumError(
          'conflict',
          `'${name}' is not of mode auto any more: it is a ${component.mode}.`,
        );
      return this.#switch(component, 'auto', means);
    });
  }

  async #inTurn(
    name: string,
    work: (component: ScaledComponent) => Promise<ModeSwitched>,
  ): Promise<ModeSwitched> {
    this.#refuseWhenClosing();
    const component = this.#unit(name);
    const endTurn = await component.turns.take();
    try {
      this.#refuseWhenClosing();
      // A deploy may have removed it in the meantime, and another may even have brought it back.
      if (this.#units.get(name) !== component) return await this.#inTurn(name, work);
      return await work(component);
    } finally {
      endTurn();
    }
  }

  async #switch(component: ScaledComponent, mode: ModeSetting, means: Mode | null): Promise<ModeSwitched> {
    const { clock, budget, logger } = this.#o;
    const refuse = (newcomer: Newcomer): void => budget?.machine.refuseUnfit([newcomer]);
    const switched = await switchMode(component, mode, means, {
      clock,
      refuse,
      signal: this.#closing.signal,
    });
    logger.debug({ component: component.name, ...switched }, 'mode set');
    return switched;
  }

  /**
   * For a release that nothing new is routed to: instances take no more work, and event streams and WebSockets are told to go.
   * What is in flight and what waits goes on, and what that calls starts when it is called, for as long as it takes.
   */
  async drain(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const endTurns = [await this.#deploys.take()];
    try {
      const present = [...this.#units.values()];
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
    for (const component of this.#units.values()) component.changed();
  }

  /** @param component the same as the request's. */
  take(component: string, request: SlotRequest): Slot | Promise<Slot> {
    const unit = this.#holder(component);
    // Work in flight may still call other components while it is given time to finish.
    if (this.#closing.signal.aborted && request.trigger !== 'call') throw this.#closing.signal.reason;
    return unit.take(request);
  }

  /** The component's own timeout, in the mode that its unit has at present. */
  timeoutMs(component: string): number {
    return this.#holder(component).timeoutMs(component);
  }

  /** What usage records say of invocations that got no slot. Null where there is no such component. */
  present(component: string): PresentComponent | null {
    return this.#holders.get(component)?.present(component) ?? null;
  }

  /** When whoever is turned away may come again, in seconds: by how many wait, and how fast they are served. */
  retryAfterS(component: string): number {
    return this.#holders.get(component)?.retryAfterS ?? 1;
  }

  workWindow(component: string, work: WaitingWork): number {
    if (this.#closing.signal.aborted) return 0;
    return this.#holders.get(component)?.workWindow(component, work) ?? 0;
  }

  /** The units: components that are in no group, and groups. */
  names(): Iterable<string> {
    return this.#units.keys();
  }

  /** The components that have instances, their own or a group's: all that can be called or invoked. */
  components(): Iterable<string> {
    return this.#holders.keys();
  }

  /** What the config says of a unit's mode, and what was chosen. Throws `not-found`, and `bad-request` for a member of a group. */
  choice(name: string): ModeChoice | null {
    return this.#unit(name).choice;
  }

  /** Writes into the log of a component, or of a unit. Throws `not-found`. */
  note(name: string, text: string): void {
    (this.#units.get(name) ?? this.#holder(name)).note(text, name);
  }

  /** Replicas of a unit, or of the one that holds a component, that take work; 0 where it runs as a function, or there is none. */
  readyReplicas(name: string): number {
    return (this.#units.get(name) ?? this.#holders.get(name))?.readyReplicas ?? 0;
  }

  /** Of a unit, or of the one that holds a component. Throws `not-found`. */
  mode(name: string): Mode {
    return (this.#units.get(name) ?? this.#holder(name)).mode;
  }

  /** Of the units. */
  status(): readonly ComponentScaleStatus[] {
    return [...this.#units.values()].map((component) => component.status());
  }

  /** Ids of the revisions that have instances or may still start some: of units, too, that have been removed and serve those who wait. */
  running(): ReadonlySet<string> {
    const ids = [...this.#everything()].flatMap((unit) => {
      const { revision, instances } = unit.status();
      return [...(revision === null ? [] : [revision]), ...instances.map((one) => one.revision)];
    });
    return new Set(ids);
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
    const unitFor = (revision: Revision): ScaledComponent => {
      const known = this.#units.get(revision.spec.name);
      if (known !== undefined && holdsTheSame(known, revision)) return known;
      const unit = this.#newUnit(revision.spec);
      fresh.push(unit);
      return unit;
    };
    let serving: readonly ScaledComponent[];
    try {
      serving = await rollOut({
        ...options,
        revisions,
        unitFor,
        present: {
          named: (name) => this.#units.get(name) ?? null,
          holding: (component) => this.#holders.get(component) ?? null,
        },
        refuse: (newcomers) => this.#o.budget?.machine.refuseUnfit(newcomers),
        signal: this.#closing.signal,
      });
    } catch (error) {
      for (const unit of fresh) this.#depart(unit, (it) => it.close(0));
      throw error;
    }
    // Between two requests: whoever comes next finds each component where it is now, and its old unit serves those who wait there.
    const removed = [...this.#units.values()].filter((unit) => !serving.includes(unit));
    this.#units.clear();
    this.#holders.clear();
    for (const unit of serving) {
      this.#units.set(unit.name, unit);
      for (const member of unit.members) this.#holders.set(member, unit);
    }
    for (const unit of removed) this.#depart(unit, (it) => it.leave());
    this.#inspect = options.inspect;
    this.#o.logger.info(
      { components: serving.length, removed: removed.map(({ name }) => name) },
      'components deployed',
    );
  }

  async #close(drainMs: number): Promise<void> {
    const { clock } = this.#o;
    this.#closing.abort(closing());
    // What is under way gives up by the signal; what waits for its turn sees it when its turn comes.
    const endTurns = [await this.#deploys.take()];
    endTurns.push(...(await Promise.all([...this.#units.values()].map(({ turns }) => turns.take()))));
    const beganMs = clock.monotonicMs();
    const spentMs = (): number => clock.monotonicMs() - beganMs;
    const quiet = (): boolean => [...this.#everything()].every((component) => component.quiet);
    // Streams and WebSockets hear that they should go only when their instances drain: so this may not take all the time.
    while (!quiet() && spentMs() < drainMs / 3) await sleep(clock, LOOK_EVERY_MS);
    const restMs = Math.max(0, drainMs - spentMs());
    for (const component of this.#units.values()) this.#departing.add(component);
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

  #newUnit(spec: UnitSpec): ScaledComponent {
    const { runtimeFor, home, clock, startsAtOnce, habits, lives = null, budget = null } = this.#o;
    const unit = new ScaledComponent({
      name: spec.name,
      members: membersOf(spec),
      isGroup: spec.kind === 'group',
      runtimeFor,
      home,
      clock,
      startsAtOnce,
      habits,
      lives,
      limitsOf: (member) => this.#limits.of(member),
      budget,
      followsHabit: () => this.#followsHabits,
      gone: () => {
        this.#departing.delete(unit);
        if (this.#departing.size === 0) this.#allDeparted?.resolve();
      },
    });
    return unit;
  }

  /** Registers it first: it may be gone before `how` returns. One that never began anything is gone already, and says so no more. */
  #depart(component: ScaledComponent, how: (component: ScaledComponent) => void): void {
    if (component.gone) return;
    this.#departing.add(component);
    how(component);
  }

  #everything(): Set<ScaledComponent> {
    return new Set([...this.#units.values(), ...this.#departing]);
  }

  #holder(component: string): ScaledComponent {
    const unit = this.#holders.get(component);
    if (unit !== undefined) return unit;
    throw this.#notFound('component', component, this.#holders.keys());
  }

  #unit(name: string): ScaledComponent {
    const unit = this.#units.get(name);
    if (unit !== undefined) return unit;
    const group = this.#holders.get(name)?.name;
    if (group === undefined) throw this.#notFound('component or group', name, this.#units.keys());
    throw new FulcrumError(
      'bad-request',
      `Component "${name}" is in group "${group}", whose members share one mode. Set that of the group: fulcrum mode ${group} MODE.`,
    );
  }

  #notFound(what: string, name: string, known: Iterable<string>): FulcrumError {
    const near = nearest(name, known);
    return new FulcrumError(
      'not-found',
      `There is no ${what} "${name}" that has instances.${near === null ? '' : ` Did you mean "${near}"?`}`,
    );
  }

  #refuseWhenClosing(): void {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason;
  }
}

/** Who waits in a unit, and what was chosen for it, stays with it only as long as it holds the same components. */
function holdsTheSame(unit: ScaledComponent, { spec }: Revision): boolean {
  if (unit.isGroup !== (spec.kind === 'group')) return false;
  const members = new Set(membersOf(spec));
  return members.size === unit.members.length && unit.members.every((name) => members.has(name));
}
