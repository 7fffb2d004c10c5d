import type { AppSpec, ChosenLimits } from '../model/app.ts';
import type { CallGraph, CallSink } from '../model/calls.ts';
import { CallBook } from '../meter/call-book.ts';
import { UsageHistory } from '../meter/usage-history.ts';
import { UsageMeter } from '../meter/usage-meter.ts';
import type { Machine } from '../capacity/report.ts';
import type { ReleaseStore } from '../model/release.ts';
import type { ScheduleStore } from '../model/schedule-store.ts';
import type { UsageHours, UsageStore } from '../model/usage-store.ts';
import { DurableEvents } from '../events/durable-events.ts';
import { Scheduler } from '../events/schedules/scheduler.ts';
import type { ServerEvents } from '../events/server-events.ts';
import type { Serving } from '../events/serving.ts';
import { Habits } from '../scaling/habits.ts';
import { AppLimits } from '../scaling/limits/app-limits.ts';
import type { Turns } from '../scaling/turns.ts';
import { AppCapacity } from './app-capacity.ts';
import { AppFacts } from './app-facts.ts';
import { CodeChanges } from './code-changes.ts';
import { AppUsage } from './app-usage.ts';
import type { SwitchChecks } from './switch-checks.ts';
import { callsOf } from './app-calls.ts';
import { LiveRelease, type ReleaseParts } from './live-release.ts';
import { pastArrivals } from './past-arrivals.ts';
import { hasEnded, PROCESS_NAME } from './process-name.ts';
import { StartBook } from './start-book.ts';

export interface RunningAppOptions extends ReleaseParts {
  readonly id: string;
  readonly usage: UsageStore & UsageHours;
  readonly env: Readonly<Record<string, string>>;
  /** Of the server. */
  readonly serverEvents: ServerEvents;
  readonly schedules: ScheduleStore;
  /** Those of the server. */
  readonly releases: Pick<ReleaseStore, 'list'>;
  /** Limits that were chosen by hand before, by component. */
  readonly limits: Readonly<Record<string, ChosenLimits>>;
  /** What the machine has for all apps, and what of it is in use. */
  readonly machine: () => Machine;
  /** In which reports of capacity are made, one at a time for all apps. */
  readonly reports: Turns;
}

/**
 * An app on this server: the release that serves, a canary beside it, and those that drain. What is not a release's alone is
 * here: its usage and what that says of its capacity, who called whom, what its components' habits are, what may be asked of them, and the work that is
 * kept for them.
 */
export class RunningApp {
  readonly id: string;
  readonly meter: UsageMeter;
  readonly #calls: CallBook;
  readonly #callSink: CallSink;
  readonly #habits: Habits;
  readonly checks: SwitchChecks;
  readonly limits: AppLimits;
  readonly capacity: AppCapacity;
  readonly facts: AppFacts;
  readonly #starts: StartBook;
  readonly usage: AppUsage;
  readonly events: DurableEvents;
  readonly #options: RunningAppOptions;
  /** All that have instances, or may have: those that start, too. */
  readonly #live = new Set<LiveRelease>();
  #serving: LiveRelease | null = null;
  #canary: LiveRelease | null = null;
  /** What serves, for whatever is kept. A canary gets none of it. */
  #delivery: Serving | null = null;

  constructor(options: RunningAppOptions) {
    const { usage, clock, logger, machine, reports } = options;
    this.id = options.id;
    this.checks = options.checks;
    this.#options = options;
    this.limits = new AppLimits(clock, options.limits);
    this.meter = new UsageMeter({
      ...{ app: this.id, store: usage, clock, logger },
      ...{ node: PROCESS_NAME, hasEnded },
    });
    this.#calls = new CallBook({ clock });
    this.#callSink = callsOf([this.#calls, this.meter.joinedCalls], {
      app: this.id,
      log: options.log,
      clock,
    });
    const history = new UsageHistory(this.id, usage);
    this.#habits = new Habits({
      clock,
      logger,
      past: (components, beforeMs) => pastArrivals(history, components, beforeMs),
    });
    this.events = new DurableEvents({
      app: this.id,
      server: options.serverEvents,
      serving: () => this.#delivery,
      scheduler: (parts) => new Scheduler({ ...parts, store: options.schedules }),
    });
    this.#starts = new StartBook(clock);
    const changes = new CodeChanges(this.id, options.releases);
    this.facts = new AppFacts({ app: this, clock, starts: this.#starts, changes });
    this.capacity = new AppCapacity({ app: this, usage, clock, machine, turns: reports });
    this.usage = new AppUsage({ app: this, usage, facts: () => this.facts.all() });
  }

  get serving(): LiveRelease | null {
    return this.#serving;
  }

  get canary(): LiveRelease | null {
    return this.#canary;
  }

  /** The one that serves first, then the canary, then what starts or drains. */
  get live(): readonly LiveRelease[] {
    const first = [this.#serving, this.#canary].filter((release) => release !== null);
    return [...new Set([...first, ...this.#live])];
  }

  /** Who called whom within the last `windowMs`, of all its releases together. */
  callGraph(windowMs: number): CallGraph {
    return this.#calls.graph(windowMs);
  }

  /** Of what serves; null where nothing does yet. */
  get spec(): AppSpec | null {
    return this.#serving?.spec ?? null;
  }

  /** A release that nothing is routed to yet; it must be given to `serve` or `tryOut`, or be closed. */
  newRelease(number: number | null): LiveRelease {
    const { id, meter, limits } = this;
    const habits = this.#habits;
    const { events } = this;
    const release = new LiveRelease({
      ...this.#options,
      app: id,
      number,
      usage: meter,
      lives: meter.instances,
      habits,
      limits,
      starts: this.#starts,
      calls: this.#callSink,
      publisher: events,
      events,
    });
    release.scaler.followHabits(false);
    this.#live.add(release);
    return release;
  }

  /** From now on `release` serves. What served before, and a canary, are no longer routed to: whoever calls this drains them. */
  serve(release: LiveRelease): void {
    this.#serving = release;
    if (this.#canary === release) this.#canary = null;
    this.#settle();
  }

  /** What was routed to until a change that could not be made. */
  restore(serving: LiveRelease | null, canary: LiveRelease | null): void {
    this.#serving = serving;
    this.#canary = canary;
    this.#settle();
  }

  setCanary(release: LiveRelease | null): void {
    this.#canary = release;
    this.#settle();
  }

  /** Drains a release that nothing is routed to any more, and lets go of it when it has ended. Never rejects. */
  async retire(release: LiveRelease): Promise<void> {
    await this.#end(release, () => release.drain());
  }

  /** Ends a release at once that never served. Never rejects. */
  async abandon(release: LiveRelease): Promise<void> {
    await this.#end(release, () => release.close(0));
  }

  /** Refuses new work and ends every release once its work is done, or after `drainMs`. What is kept and not done with stays kept. */
  async close(drainMs: number): Promise<void> {
    await this.events.rest();
    await Promise.all([...this.#live].map((release) => this.#end(release, () => release.close(drainMs))));
    await this.events.close();
    await this.meter.close();
  }

  /** What serves says what may be asked, and it alone has instances for work that is only expected: two would keep two. */
  #settle(): void {
    for (const release of this.#live) release.scaler.followHabits(release === this.#serving);
    this.#habits.keep([...this.#live].flatMap((release) => release.units));
    this.#deliver();
    if (this.#serving === null) return;
    this.capacity.forget();
    this.limits.configure(this.#serving.spec.components, this.#canary?.spec.components ?? null);
  }

  #deliver(): void {
    const { spec, dispatcher, scaler } = this.#serving ?? {};
    this.#delivery =
      spec === undefined
        ? null
        : { components: spec.components, settings: spec.events, dispatcher: dispatcher!, window: scaler! };
    this.events.served();
  }

  async #end(release: LiveRelease, how: () => Promise<void>): Promise<void> {
    try {
      await how();
    } catch (error) {
      this.#options.logger.error(
        { app: this.id, release: release.number, error },
        'a release did not end well',
      );
    } finally {
      this.#live.delete(release);
    }
  }
}
