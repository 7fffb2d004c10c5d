/**
 * A component's traffic against its function: invocation by invocation, with what `scaling/decide-function.ts` decides and
 * `scaling/component-pool.ts` does. The newest instance that has room is used first; who finds none waits, first come, first served; a
 * start is made for those that nothing covers; an instance goes once its keep-alive has passed since it had nothing to do.
 *
 * Where the live scaler is asked whenever something may have changed, this asks itself only where its answer can be another; a test holds it
 * against a replay that asks `decide` each time. Nothing is allocated for an invocation.
 *
 * Where the keep-alive is adaptive and the habit tells something, `decide` itself is asked while nothing is in flight: what it says of the newest
 * instance, of the others and of pre-warming holds only then.
 */
import type { FunctionModel, Traffic } from '../../model/simulation.ts';
import { Random } from '../random.ts';
import { EventHeap } from './event-heap.ts';
import { IdleHabit } from './idle-habit.ts';
import { IdleList } from './idle-list.ts';
import { NewestFree } from './newest-free.ts';
import { drawn } from './start-times.ts';
import type { Tally } from './tally.ts';
import { WaitQueue } from './wait-queue.ts';

/** What an event is, beside the instance that it is of. */
const OVER = 0;
const READY = 1;
/** Its invocation was given up at its deadline. */
const OVERDUE = 2;
const KIND_BITS = 2;

export class FunctionReplay {
  readonly #arrivedMs: Float64Array;
  readonly #durationMs: Float32Array;
  readonly #cpuMs: Float32Array;
  readonly #fromMs: number;
  readonly #endMs: number;
  readonly #model: FunctionModel;
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #each: number;
  readonly #keepAliveMs: number;
  readonly #timeoutMs: number;
  readonly #fresh: boolean;
  readonly #provisioned: number;
  readonly #events = new EventHeap();
  readonly #waiting = new WaitQueue();
  readonly #free = new NewestFree();
  readonly #idle = new IdleList();
  /** By an instance's slot; those that are free are in `#spareSlots`. */
  #inFlight = new Int32Array(64);
  #served = new Uint8Array(64);
  #leaves = new Uint8Array(64);
  #startedMs = new Float64Array(64);
  #readyMs = new Float64Array(64);
  readonly #spareSlots: number[] = [];
  #slots = 0;
  #starting = 0;
  #ready = 0;
  #existing = 0;
  /** Nothing has ended by the fixed keep-alive before that: it was spared, or the habit decided. */
  #sparedUntilMs = 0;
  /** Null where the keep-alive is fixed. */
  readonly #habit: IdleHabit | null;
  /** When the habit's next decision is due; null where the fixed keep-alive holds, as it does while anything is in flight. */
  #habitWakeMs: number | null = null;
  #inFlightOfAll = 0;

  constructor(traffic: Traffic, model: FunctionModel, seed: number, tally: Tally) {
    const { settings } = model;
    this.#arrivedMs = traffic.arrivedAtMs;
    this.#durationMs = traffic.durationMs;
    this.#cpuMs = traffic.cpuMs;
    this.#fromMs = traffic.fromMs;
    this.#endMs = traffic.toMs - traffic.fromMs;
    this.#model = model;
    this.#tally = tally;
    this.#random = new Random(seed, 'start');
    this.#each = settings.fresh ? 1 : settings.concurrency;
    this.#keepAliveMs = settings.keepAliveMs;
    this.#timeoutMs = settings.timeoutMs;
    this.#fresh = settings.fresh;
    this.#provisioned = Math.min(model.provisioned, settings.maxInstances);
    this.#habit = settings.keepAlive === 'adaptive' ? new IdleHabit(model) : null;
  }

  /** Until all that has come is done or refused, and the traffic's time is over. */
  run(): void {
    for (let i = 0; i < this.#provisioned; i++) this.#becomeReady(this.#start(0), 0);
    const { length } = this.#arrivedMs;
    for (let i = 0; i < length; i++) {
      const nowMs = this.#arrivedMs[i]! - this.#fromMs;
      this.#pass(nowMs);
      this.#arrive(i, nowMs);
    }
    this.#pass(this.#endMs);
    while (this.#waiting.size > 0 && this.#events.size > 0) this.#pass(this.#events.topMs);
    // Nothing would ever come for them.
    while (this.#waiting.size > 0) this.#refuseFirst();
  }

  /** All that happens until `untilMs`. */
  #pass(untilMs: number): void {
    for (;;) {
      const eventMs = this.#events.topMs;
      const wakeMs = this.#habitWakeMs;
      const endsMs =
        wakeMs ?? (this.#ready > this.#provisioned ? this.#idle.oldestMs + this.#keepAliveMs : Infinity);
      if (eventMs > untilMs && endsMs > untilMs) return;
      if (eventMs <= endsMs) {
        const what = this.#events.pop();
        const slot = what >> KIND_BITS;
        if ((what & 3) === READY) this.#becameReady(slot, eventMs);
        else this.#over(slot, eventMs, (what & 3) === OVERDUE);
      } else if (wakeMs !== null) {
        this.#followHabit(endsMs);
      } else {
        // It may have been spared, as one of those that are provisioned, until another became ready.
        this.#end(this.#idle.oldest, Math.max(endsMs, this.#sparedUntilMs));
      }
    }
  }

  #arrive(invocation: number, nowMs: number): void {
    if (this.#waiting.size > 0) this.#refuseOverdue(nowMs);
    if (this.#waiting.size === 0) {
      const slot = this.#free.newest();
      if (slot >= 0) {
        this.#begin(slot, invocation, nowMs, false);
        return;
      }
    }
    if (this.#waiting.size >= this.#model.settings.maxQueued) {
      this.#tally.refused++;
      return;
    }
    this.#waiting.add(invocation);
    this.#startWanted(nowMs);
    if (this.#habitWakeMs !== null) this.#followHabit(nowMs);
  }

  #begin(slot: number, invocation: number, nowMs: number, waited: boolean): void {
    const arrivedMs = this.#arrivedMs[invocation]! - this.#fromMs;
    const fullMs = this.#durationMs[invocation]!;
    const leftMs = arrivedMs + this.#timeoutMs - nowMs;
    const inTime = fullMs <= leftMs;
    const durationMs = inTime ? fullMs : leftMs;
    const cpuMs = Math.min(this.#cpuMs[invocation]!, durationMs);
    const inFlight = ++this.#inFlight[slot]!;
    if (this.#habit !== null && this.#inFlightOfAll === 0) this.#leaveHabit(this.#habit, arrivedMs, nowMs);
    if (inFlight === 1) this.#idle.remove(slot);
    if (inFlight === this.#each) this.#free.fill(slot);
    this.#tally.began(++this.#inFlightOfAll, inFlight === 1, nowMs);
    this.#events.push(nowMs + durationMs, (slot << KIND_BITS) | (inTime ? OVER : OVERDUE));
    if (!waited) {
      this.#tally.runsAtOnce(nowMs, durationMs, cpuMs);
      return;
    }
    // See `InstanceSlot`: it waited for this very start, which the first of those who did bears.
    const isCold = this.#served[slot] === 0 && this.#readyMs[slot]! >= arrivedMs;
    const borneMs = inFlight === 1 ? this.#readyMs[slot]! - Math.max(this.#startedMs[slot]!, arrivedMs) : 0;
    const startMs = isCold ? borneMs : -1;
    this.#tally.runs(nowMs, nowMs - arrivedMs, startMs, durationMs, cpuMs);
  }

  #over(slot: number, nowMs: number, overdue: boolean): void {
    const inFlight = --this.#inFlight[slot]!;
    this.#inFlightOfAll--;
    this.#served[slot] = 1;
    if (inFlight === 0) this.#tally.rests(nowMs);
    if (this.#habit !== null && this.#inFlightOfAll === 0) this.#habit.over(nowMs);
    if (overdue || this.#fresh || this.#leaves[slot] === 1) {
      this.#leave(slot, inFlight, nowMs);
    } else {
      if (inFlight === 0) this.#idle.add(slot, nowMs);
      this.#free.free(slot);
      if (this.#waiting.size > 0) this.#serve(nowMs);
    }
    if (this.#habit !== null) this.#followHabit(nowMs);
  }

  /** An instance takes no more work and ends when it has none. One that let its only invocation time out is killed. */
  #leave(slot: number, inFlight: number, nowMs: number): void {
    if (this.#leaves[slot] === 0) {
      this.#leaves[slot] = 1;
      this.#free.fill(slot);
      this.#ready--;
    }
    if (inFlight === 0) this.#gone(slot, nowMs);
    this.#startWanted(nowMs);
  }

  #becameReady(slot: number, nowMs: number): void {
    this.#starting--;
    this.#becomeReady(slot, nowMs);
    if (this.#waiting.size > 0) this.#serve(nowMs);
    // There may be more that want a start than may be starting at the same time.
    this.#startWanted(nowMs);
    if (this.#habit !== null) this.#followHabit(nowMs);
  }

  #becomeReady(slot: number, nowMs: number): void {
    this.#ready++;
    this.#sparedUntilMs = nowMs;
    this.#readyMs[slot] = nowMs;
    this.#free.free(slot);
    this.#idle.add(slot, nowMs);
  }

  #serve(nowMs: number): void {
    while (this.#waiting.size > 0) {
      this.#refuseOverdue(nowMs);
      if (this.#waiting.size === 0) return;
      const slot = this.#free.newest();
      if (slot < 0) return;
      this.#begin(slot, this.#waiting.take(), nowMs, true);
    }
  }

  /** Those whose time is over before they were begun. */
  #refuseOverdue(nowMs: number): void {
    while (
      this.#waiting.size > 0 &&
      this.#arrivedMs[this.#waiting.first]! - this.#fromMs + this.#timeoutMs <= nowMs
    )
      this.#refuseFirst();
  }

  #refuseFirst(): void {
    this.#waiting.take();
    this.#tally.refused++;
  }

  /** The rule of `decide-function.ts` for starts. */
  #startWanted(nowMs: number): void {
    const { maxInstances } = this.#model.settings;
    const startsAtOnce = this.#model.startsAtOnce ?? Infinity;
    const uncovered = Math.max(0, this.#waiting.size - this.#starting * this.#each);
    const wanted = Math.max(
      Math.ceil(uncovered / this.#each),
      this.#provisioned - this.#starting - this.#ready,
    );
    const starts = Math.min(wanted, maxInstances - this.#existing, startsAtOnce - this.#starting);
    for (let i = 0; i < starts; i++) this.#startCold(nowMs);
  }

  #startCold(nowMs: number): void {
    const slot = this.#start(nowMs);
    this.#starting++;
    const readyMs = nowMs + drawn(this.#model.coldStart, this.#random);
    this.#events.push(readyMs, (slot << KIND_BITS) | READY);
  }

  /** Something is in flight again. */
  #leaveHabit(habit: IdleHabit, arrivedMs: number, nowMs: number): void {
    habit.began(arrivedMs);
    if (this.#habitWakeMs !== null) this.#sparedUntilMs = nowMs;
    this.#habitWakeMs = null;
  }

  /** Where nothing is in flight and the habit tells something: what the scaler decides now, until it has nothing more to decide. */
  #followHabit(nowMs: number): void {
    this.#habitWakeMs = null;
    if (this.#inFlightOfAll > 0) return;
    for (;;) {
      const plan = this.#habit!.planAt(
        nowMs,
        this.#waiting.size,
        this.#free.inOrder(),
        this.#idle,
        this.#served,
      );
      if (plan === null) return;
      for (const { id } of plan.ends) this.#end(Number(id), nowMs);
      if (plan.prewarms === true) {
        this.#habit!.prewarmed();
        this.#startCold(nowMs);
      } else if (plan.ends.length === 0) {
        this.#habitWakeMs = plan.wakeAtMs ?? Infinity;
        return;
      }
    }
  }

  #start(nowMs: number): number {
    const slot = this.#spareSlots.pop() ?? this.#slots++;
    if (slot >= this.#inFlight.length) this.#grow();
    this.#inFlight[slot] = 0;
    this.#served[slot] = 0;
    this.#leaves[slot] = 0;
    this.#startedMs[slot] = nowMs;
    this.#free.add(slot);
    this.#existing++;
    this.#tally.lives(1, nowMs);
    return slot;
  }

  /** Its keep-alive has passed. */
  #end(slot: number, nowMs: number): void {
    this.#ready--;
    this.#idle.remove(slot);
    this.#gone(slot, nowMs);
  }

  #gone(slot: number, nowMs: number): void {
    this.#free.remove(slot);
    this.#spareSlots.push(slot);
    this.#existing--;
    this.#tally.lives(-1, nowMs);
  }

  #grow(): void {
    const length = this.#inFlight.length * 2;
    const longer = <A extends Int32Array | Uint8Array | Float64Array>(made: A, before: A): A => {
      made.set(before);
      return made;
    };
    this.#inFlight = longer(new Int32Array(length), this.#inFlight);
    this.#served = longer(new Uint8Array(length), this.#served);
    this.#leaves = longer(new Uint8Array(length), this.#leaves);
    this.#startedMs = longer(new Float64Array(length), this.#startedMs);
    this.#readyMs = longer(new Float64Array(length), this.#readyMs);
  }
}
