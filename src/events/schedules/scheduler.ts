/**
 * Fires the ticks of one app's schedules, whatever runs of the component: a tick only keeps work. Of several nodes that do so at once, the store
 * lets one have each tick.
 *
 *   resting ── begin() ──▶ firing ── rest() ──▶ resting
 *      └────────────── close() ─────┴──▶ closed
 *
 * It goes in rounds: what serves has changed, so it is made known to the store; what is known is old, so it is read again; what is due is
 * fired. One at a time, woken by a timer, which sleeps until the next tick and never for longer than {@link MOST_SLEEP_MS}: timers
 * go by the monotonic clock, and only by looking is a jump of the other one seen.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { ScheduleRecord, ScheduleStore, TickResult } from '../../model/schedule-store.ts';
import type { ScheduleStatus } from '../../model/status.ts';
import type { Schedule } from '../../model/work-settings.ts';
import { planSchedule, PUT_BACK_MS, type SchedulePlan } from './plan.ts';
import { scheduleSpec, scheduleStatus } from './schedule-status.ts';
import { tickWork } from './tick-work.ts';

export interface SchedulerOptions {
  /** The app's id. */
  readonly app: string;
  readonly store: ScheduleStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** By component: the schedules of what serves now. Null while nothing does: then nothing is fired, and what is known of them stays as it is. */
  schedules(): ReadonlyMap<string, readonly Schedule[]> | null;
  /** Who asks: this server process. */
  readonly node: string;
  /** There is work for the component. @param leased whether this node has it already. */
  onFired(component: string, leased: boolean): void;
}

export const MOST_SLEEP_MS = 30_000;
/** However many ticks end: what is known is read again no more often. */
const READ_PAUSE_MS = 1_000;
const FIRST_RETRY_MS = 1_000;
/** So many ticks that the store does not take end a round: it is the store's doing, and the others wait for it too. */
const MOST_FAILURES = 3;

/** What the store did not take is tried again after a pause, doubled each time. */
interface Retries {
  /** Since it went well. */
  failures: number;
  /** Monotonic: not before that. */
  retryAtMs: number;
}

interface Entry extends Retries {
  readonly component: string;
  readonly schedule: Schedule;
  readonly spec: string;
  /** Null: the store knows none such. Then another node has made known what serves there, and it is not fired here. */
  record: ScheduleRecord | null;
}

export class Scheduler {
  readonly #o: SchedulerOptions;
  #state: 'resting' | 'firing' | 'closed' = 'resting';
  #entries: readonly Entry[] = [];
  /** What serves has changed, and the store has not been told. */
  #unknown = false;
  /** Outcomes, or what other nodes have fired, may have changed. */
  #old = false;
  /** Monotonic. */
  #readAtMs = 0;
  readonly #learning: Retries = { failures: 0, retryAtMs: 0 };
  /** Whether that has been told. */
  #fails = false;
  /** Of the wall clock over the monotonic one, when it was looked at last. */
  #offsetMs: number;
  #putBack = false;
  #timer: Timer | null = null;
  #round: Promise<void> | null = null;
  #again = false;

  constructor(options: SchedulerOptions) {
    this.#o = options;
    this.#offsetMs = offsetOf(options.clock);
  }

  /** Idempotent. */
  begin(): void {
    if (this.#state !== 'resting') return;
    this.#state = 'firing';
    this.changed();
  }

  /** Fires nothing any more until it begins again; resolves when nothing is being fired. For when another server fires. */
  rest(): Promise<void> {
    if (this.#state === 'firing') this.#state = 'resting';
    return this.#stopped();
  }

  /** For good; else as `rest`. */
  close(): Promise<void> {
    this.#state = 'closed';
    return this.#stopped();
  }

  /** What serves has changed. */
  changed(): void {
    const served = this.#o.schedules();
    this.#entries = served === null ? [] : this.#entriesOf(served);
    this.#unknown = served !== null;
    this.#learning.retryAtMs = 0;
    this.#wake();
  }

  /** Work of a tick has ended: how is to be read. Without, it is known within {@link MOST_SLEEP_MS}. */
  settled(): void {
    this.#old = true;
    if (this.#round === null) this.#sleep();
  }

  status(component: string): readonly ScheduleStatus[] {
    const nowMs = this.#o.clock.nowMs();
    return this.#entries
      .filter((entry) => entry.component === component)
      .map(({ schedule, record }) => scheduleStatus(schedule, record, nowMs));
  }

  /** One round; the timer calls it. Resolves when it is over; where one runs, when another has run behind it. Never rejects. */
  step(): Promise<void> {
    if (this.#round !== null) {
      this.#again = true;
      return this.#round;
    }
    this.#round = this.#rounds().finally(() => {
      this.#round = null;
      this.#sleep();
    });
    return this.#round;
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false;
      const failed = await this.#goRound();
      if (failed === null) continue;
      const { app, logger } = this.#o;
      if (!this.#fails)
        logger.warn({ app, error: messageOf(failed.error) }, 'schedules cannot be fired; it is tried again');
      this.#fails = true;
    } while (this.#again);
  }

  /** @returns what went wrong first: what the store, or who is told of a tick, throws. */
  async #goRound(): Promise<{ readonly error: unknown } | null> {
    if (this.#state !== 'firing') return null;
    this.#look();
    const { clock } = this.#o;
    if (this.#learning.retryAtMs > clock.monotonicMs()) return null;
    let failed = await this.#tried(this.#learning, () => this.#learn());
    let failures = failed === null ? 0 : MOST_FAILURES;
    let waits = false;
    for (const entry of this.#entries) {
      const { record } = entry;
      if (this.#state !== 'firing' || this.#unknown || failures >= MOST_FAILURES) return failed;
      if (record === null) continue;
      if (entry.retryAtMs > clock.monotonicMs()) {
        waits = true;
        continue;
      }
      const error = await this.#tried(entry, () => this.#bringUp(entry, record));
      if (error === null) continue;
      failures++;
      failed ??= error;
    }
    if (failures > 0 || waits) return failed;
    this.#putBack = false;
    if (this.#fails) this.#o.logger.info({ app: this.#o.app }, 'schedules are fired again');
    this.#fails = false;
    return null;
  }

  async #tried(retries: Retries, work: () => Promise<void>): Promise<{ readonly error: unknown } | null> {
    try {
      await work();
      retries.failures = retries.retryAtMs = 0;
      return null;
    } catch (error) {
      const pauseMs = Math.min(MOST_SLEEP_MS, FIRST_RETRY_MS * 2 ** Math.min(retries.failures, 10));
      retries.failures++;
      retries.retryAtMs = this.#o.clock.monotonicMs() + pauseMs;
      return { error };
    }
  }

  /** Whether the clock has been put back since. */
  #look(): void {
    const offsetMs = offsetOf(this.#o.clock);
    const byMs = Math.round(this.#offsetMs - offsetMs);
    this.#offsetMs = offsetMs;
    if (byMs <= PUT_BACK_MS || this.#entries.length === 0) return;
    this.#putBack = true;
    this.#o.logger.warn({ app: this.#o.app, byMs }, 'the clock of this machine has been put back');
  }

  /** Makes what serves known to the store, or reads what is known of it. */
  async #learn(): Promise<void> {
    const { app, store, clock } = this.#o;
    if (this.#unknown) {
      this.#unknown = false;
      const entries = this.#entries;
      const told = entries.map(({ component, schedule: { name }, spec }) => ({ component, name, spec }));
      try {
        this.#take(await store.sync(app, told, clock.nowMs()));
      } catch (error) {
        this.#unknown = true;
        throw error;
      }
    } else if (this.#entries.length > 0 && clock.monotonicMs() >= this.#readAgainMs()) {
      this.#old = false;
      try {
        this.#take(await store.list(app));
      } catch (error) {
        this.#old = true;
        throw error;
      }
    }
  }

  #take(records: readonly ScheduleRecord[]): void {
    this.#readAtMs = this.#o.clock.monotonicMs();
    const byName = new Map(records.map((record) => [`${record.component} ${record.name}`, record]));
    for (const entry of this.#entries) {
      const record = byName.get(`${entry.component} ${entry.schedule.name}`);
      entry.record = record?.spec === entry.spec ? record : null;
    }
  }

  /** Does what is due of a schedule. */
  async #bringUp(entry: Entry, record: ScheduleRecord): Promise<void> {
    const { app, store, clock, logger } = this.#o;
    const { component, schedule } = entry;
    const { name } = schedule;
    const nowMs = clock.nowMs();
    const plan = planSchedule(schedule, record, { nowMs, putBack: this.#putBack });
    const told = { app, component, schedule: name };
    switch (plan.do) {
      case 'wait':
        return;
      case 'rewind':
        await store.rewind(app, component, name, nowMs);
        logger.warn({ ...told, aheadMs: plan.aheadMs }, 'a schedule begins again where the clock is');
        entry.record = rewound(record, nowMs);
        this.#old = true;
        return;
      case 'fire':
      case 'skip':
        if (plan.do === 'skip')
          logger.warn({ ...told, tickMs: plan.tickMs }, `a tick is skipped: ${plan.why}`);
        else if (plan.passedOver)
          logger.info({ ...told, tickMs: plan.tickMs }, 'ticks were missed; the latest of them runs');
        await this.#tick(entry, record, plan, nowMs);
    }
  }

  async #tick(
    entry: Entry,
    record: ScheduleRecord,
    plan: Extract<SchedulePlan, { do: 'fire' | 'skip' }>,
    nowMs: number,
  ): Promise<void> {
    const { app, store, node } = this.#o;
    const { component, schedule, spec } = entry;
    const { tickMs } = plan;
    const why = plan.do === 'fire' ? null : plan.why;
    const result = await store.tick({
      app,
      component,
      name: schedule.name,
      spec,
      tickMs,
      nowMs,
      work: plan.do === 'fire' ? tickWork(app, component, schedule, tickMs, nowMs) : null,
      why,
      overlaps: schedule.overlap === 'allow',
      node,
    });
    this.#note(entry, record, { tickMs, why }, result);
  }

  /** Knows what has become of a tick before it is read again. */
  #note(
    entry: Entry,
    record: ScheduleRecord,
    { tickMs, why }: { readonly tickMs: number; readonly why: string | null },
    result: TickResult,
  ): void {
    entry.record = { ...record, lastTickMs: tickMs };
    if (result.tick === 'fired') {
      entry.record = { ...entry.record, last: { state: 'running', endedAtMs: null, message: null } };
      this.#o.onFired(entry.component, result.leased);
      return;
    }
    if (result.tick === 'skipped') {
      entry.record = { ...entry.record, last: { state: 'skipped', endedAtMs: null, message: why } };
      if (why !== null) return;
    }
    // What another has done of it, or what was in its way, stands in the store.
    this.#old = true;
  }

  #entriesOf(served: ReadonlyMap<string, readonly Schedule[]>): Entry[] {
    const known = new Map(
      this.#entries.map((entry) => [keyOf(entry.component, entry.schedule, entry.spec), entry]),
    );
    return [...served].flatMap(([component, schedules]) =>
      schedules.map((schedule): Entry => {
        const spec = scheduleSpec(schedule.when);
        // What does not change is known already, until the store says otherwise.
        const record = known.get(keyOf(component, schedule, spec))?.record ?? null;
        return { component, schedule, spec, record, failures: 0, retryAtMs: 0 };
      }),
    );
  }

  #wake(): void {
    if (this.#state === 'firing') void this.step();
  }

  /** Until something is due, to be read or to be tried again. */
  #sleep(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#state !== 'firing' || (this.#entries.length === 0 && !this.#unknown)) return;
    const forMs = Math.max(0, this.#restMs());
    this.#timer = this.#o.clock.after(forMs, () => void this.step());
  }

  /** No longer than until what is known is to be read again, which is {@link MOST_SLEEP_MS} at most. */
  #restMs(): number {
    const { clock } = this.#o;
    const monotonicMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const learningMs = this.#learning.retryAtMs - monotonicMs;
    if (this.#unknown || learningMs > 0) return learningMs;
    let forMs = this.#readAgainMs() - monotonicMs;
    for (const { schedule, record, retryAtMs } of this.#entries) {
      if (record === null) continue;
      const plan = planSchedule(schedule, record, { nowMs, putBack: false });
      if (plan.do !== 'wait') forMs = Math.min(forMs, retryAtMs - monotonicMs);
      else if (plan.untilMs !== null) forMs = Math.min(forMs, plan.untilMs - nowMs);
    }
    return forMs;
  }

  #readAgainMs(): number {
    return this.#readAtMs + (this.#old ? READ_PAUSE_MS : MOST_SLEEP_MS);
  }

  async #stopped(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#round;
  }
}

function offsetOf(clock: Clock): number {
  return clock.nowMs() - clock.monotonicMs();
}

function keyOf(component: string, { name }: Schedule, spec: string): string {
  return `${component} ${name} ${spec}`;
}

/** As the store has it behind a rewind. */
function rewound(record: ScheduleRecord, nowMs: number): ScheduleRecord {
  const { sinceMs, lastTickMs } = record;
  return {
    ...record,
    sinceMs: Math.min(sinceMs, nowMs),
    lastTickMs: lastTickMs === null ? null : Math.min(lastTickMs, nowMs),
  };
}
