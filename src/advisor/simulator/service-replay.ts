/**
 * A component's traffic against its service: invocation by invocation, with the scaler's own decisions: `decide`, its rounds of 2 s and
 * its windows, as in `scaling/component-pool.ts`. The replica with the least to do gets the next invocation; who finds no room waits,
 * first come, first served.
 *
 * An invocation first computes, as fast as its replica's processors let it, and then waits for others for as long as its handler does besides.
 * No replica fails or is ejected, and no client keeps to one.
 */
import type { Clock } from '../../base/clock.ts';
import type { ServiceModel, Traffic } from '../../model/simulation.ts';
import { Autoscale } from '../../scaling/autoscale.ts';
import { decide } from '../../scaling/decide.ts';
import { ROUND_MS, STABLE_MS } from '../../scaling/decide-service.ts';
import { freeOrdinals } from '../../scaling/ordinals.ts';
import { Random } from '../random.ts';
import { EventHeap } from './event-heap.ts';
import { Jobs } from './jobs.ts';
import { Replica } from './replica.ts';
import { drawn } from './start-times.ts';
import type { Tally } from './tally.ts';
import { WaitQueue } from './wait-queue.ts';

/** What an event is, beside the job or replica that it is of. */
const OVER = 0;
const READY = 1;
const COMPUTED = 2;
const KIND_BITS = 2;
const RETRY = { failures: 0, retryAtMs: -Infinity, latest: 'revision' } as const;

export class ServiceReplay {
  readonly #traffic: Traffic;
  readonly #fromMs: number;
  readonly #endMs: number;
  readonly #model: ServiceModel;
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #events = new EventHeap();
  readonly #waiting = new WaitQueue();
  readonly #jobs = new Jobs();
  /** The oldest first, as the scaler has them. */
  #replicas: Replica[] = [];
  /** By the number that their events name. */
  readonly #byNumber = new Map<number, Replica>();
  readonly #autoscale: Autoscale | null;
  #started = 0;
  #inFlight = 0;
  #nowMs = 0;
  #roundMs = Infinity;
  /** When it last had anything to do, or more replicas than it must have. */
  #lastActiveMs = 0;
  #panics = false;

  constructor(traffic: Traffic, model: ServiceModel, seed: number, tally: Tally) {
    this.#traffic = traffic;
    this.#fromMs = traffic.fromMs;
    this.#endMs = traffic.toMs - traffic.fromMs;
    this.#model = model;
    this.#tally = tally;
    this.#random = new Random(seed, 'start');
    const { minReplicas, maxReplicas } = model.settings;
    const clock = { monotonicMs: () => this.#nowMs } as Clock;
    this.#autoscale =
      maxReplicas > minReplicas ? new Autoscale(minReplicas, model.machineCpus ?? Infinity, clock) : null;
  }

  /** Until all that has come is done or refused, and the traffic's time is over. */
  run(): void {
    const { minReplicas } = this.#model.settings;
    for (let ordinal = 0; ordinal < minReplicas; ordinal++) this.#becomeReady(this.#start(ordinal));
    this.#decide();
    const { arrivedAtMs } = this.#traffic;
    const { length } = arrivedAtMs;
    for (let i = 0; i < length; i++) {
      const atMs = arrivedAtMs[i]! - this.#fromMs;
      this.#pass(atMs);
      this.#nowMs = atMs;
      this.#arrive(i);
    }
    this.#pass(this.#endMs);
    // A service has a replica, or one that starts, and so comes to an end with all.
    while (this.#inFlight + this.#waiting.size > 0) {
      this.#pass(Math.min(this.#events.topMs, this.#roundMs));
    }
  }

  /** All that happens until `untilMs`. */
  #pass(untilMs: number): void {
    for (;;) {
      const eventMs = this.#events.topMs;
      const roundMs = this.#roundMs;
      if (eventMs > untilMs && roundMs > untilMs) return;
      if (eventMs <= roundMs) {
        this.#nowMs = eventMs;
        const what = this.#events.pop();
        const which = what >> KIND_BITS;
        if ((what & 3) === OVER) this.#over(which);
        else if ((what & 3) === READY) this.#becameReady(this.#byNumber.get(which)!);
        else this.#computed(which, eventMs);
      } else {
        this.#nowMs = roundMs;
        this.#decide();
        this.#skipRounds(Math.min(untilMs, eventMs));
      }
    }
  }

  #arrive(invocation: number): void {
    if (this.#waiting.size > 0) this.#refuseOverdue();
    const replica = this.#waiting.size === 0 ? this.#leastBusy() : null;
    if (replica !== null) {
      this.#begin(replica, invocation, false);
    } else if (this.#waiting.size >= this.#model.settings.maxQueued) {
      this.#tally.refused++;
    } else {
      this.#waiting.add(invocation);
    }
    this.#loadChanged();
  }

  #begin(replica: Replica, invocation: number, waited: boolean): void {
    const arrivedMs = this.#traffic.arrivedAtMs[invocation]! - this.#fromMs;
    // See `InstanceSlot`: it waited for this very start, which the first of those who did bears.
    const isCold = waited && replica.served === 0 && replica.readyMs >= arrivedMs;
    const borneMs = replica.inFlight === 0 ? replica.readyMs - Math.max(replica.startedMs, arrivedMs) : 0;
    const startMs = isCold ? borneMs : -1;
    this.#tally.began(++this.#inFlight, replica.inFlight++ === 0, this.#nowMs);
    const job = this.#jobs.add(invocation, replica, this.#nowMs, startMs);
    const durationMs = this.#traffic.durationMs[invocation]!;
    const cpuMs = Math.min(this.#traffic.cpuMs[invocation]!, durationMs);
    if (cpuMs === 0) {
      this.#events.push(this.#nowMs + durationMs, job << KIND_BITS);
      return;
    }
    replica.compute(job, cpuMs, this.#nowMs);
    this.#watch(replica);
  }

  /** An event for when a replica's next computation is done; where that comes later than was thought, the earlier event puts it right. */
  #watch(replica: Replica): void {
    if (replica.nextMs >= replica.dueMs) return;
    replica.dueMs = replica.nextMs;
    this.#events.push(replica.nextMs, (replica.number << KIND_BITS) | COMPUTED);
  }

  #computed(number: number, dueMs: number): void {
    const replica = this.#byNumber.get(number);
    // Another event, for an earlier time, has taken its place.
    if (replica === undefined || replica.dueMs !== dueMs) return;
    replica.dueMs = Infinity;
    for (;;) {
      const job = replica.computed(this.#nowMs);
      if (job < 0) break;
      const invocation = this.#jobs.invocation(job);
      const restMs = this.#traffic.durationMs[invocation]! - this.#traffic.cpuMs[invocation]!;
      if (restMs > 0) this.#events.push(this.#nowMs + restMs, job << KIND_BITS);
      else this.#over(job);
    }
    this.#watch(replica);
  }

  #over(job: number): void {
    const replica = this.#jobs.replica(job);
    this.#told(job);
    this.#jobs.remove(job);
    replica.inFlight--;
    replica.served++;
    this.#inFlight--;
    if (replica.inFlight === 0) {
      this.#tally.rests(this.#nowMs);
      replica.idleSinceMs = this.#nowMs;
      if (replica.state === 'draining') this.#end(replica);
    }
    if (this.#waiting.size > 0) this.#serve();
    this.#loadChanged();
  }

  /** Who asked is answered at its deadline at the latest; the replica is busy with it for as long as it takes. */
  #told(job: number): void {
    const invocation = this.#jobs.invocation(job);
    const arrivedMs = this.#traffic.arrivedAtMs[invocation]! - this.#fromMs;
    const beganMs = this.#jobs.beganMs(job);
    const startMs = this.#jobs.startMs(job);
    const waitedMs = beganMs - arrivedMs;
    const { timeoutMs } = this.#model.settings;
    const durationMs = Math.min(this.#nowMs - beganMs, timeoutMs - waitedMs);
    const cpuMs = Math.min(this.#traffic.cpuMs[invocation]!, this.#traffic.durationMs[invocation]!);
    this.#tally.ran(beganMs, waitedMs, startMs, durationMs, cpuMs);
  }

  #serve(): void {
    while (this.#waiting.size > 0) {
      this.#refuseOverdue();
      if (this.#waiting.size === 0) return;
      const replica = this.#leastBusy();
      if (replica === null) return;
      this.#begin(replica, this.#waiting.take(), true);
    }
  }

  #refuseOverdue(): void {
    const { timeoutMs } = this.#model.settings;
    while (this.#waiting.size > 0) {
      const deadlineMs = this.#traffic.arrivedAtMs[this.#waiting.first]! - this.#fromMs + timeoutMs;
      if (deadlineMs > this.#nowMs) return;
      this.#waiting.take();
      this.#tally.refused++;
    }
  }

  /** `chooseReplica` without keys, ejections and failures. */
  #leastBusy(): Replica | null {
    let best: Replica | null = null;
    let least = this.#model.settings.concurrency;
    const replicas = this.#replicas;
    for (let i = 0; i < replicas.length; i++) {
      const one = replicas[i]!;
      if (one.state !== 'ready' || one.inFlight >= least) continue;
      best = one;
      least = one.inFlight;
    }
    return best;
  }

  #loadChanged(): void {
    this.#lastActiveMs = this.#nowMs;
    this.#autoscale?.setLoad(this.#inFlight + this.#waiting.size);
  }

  #decide(): void {
    const plan = decide(
      {
        mode: 'service',
        settings: this.#model.settings,
        queued: this.#waiting.size,
        instances: this.#replicas,
        retry: RETRY,
        lost: [],
        scale: this.#autoscale?.view(this.#nowMs) ?? null,
      },
      this.#nowMs,
    );
    for (const ordinal of freeOrdinals(this.#replicas, plan.starts.length)) {
      const replica = this.#start(ordinal);
      const readyMs = this.#nowMs + drawn(this.#model.start, this.#random);
      this.#events.push(readyMs, (replica.number << KIND_BITS) | READY);
    }
    const memory = plan.remember?.scale ?? null;
    if (memory !== null && this.#autoscale!.remember(memory)) this.#measure();
    for (const { id } of plan.ends) this.#drain(this.#replicas.find((one) => one.id === id)!);
    this.#panics = memory !== null && memory.panicUntilMs !== null;
    this.#roundMs = plan.wakeAtMs ?? Infinity;
  }

  /** Nothing has been there to decide for so long that both windows are empty: of the rounds until something happens the last is enough. */
  #skipRounds(untilMs: number): void {
    const { minReplicas } = this.#model.settings;
    if (this.#inFlight + this.#waiting.size > 0 || this.#replicas.length > minReplicas || this.#panics)
      this.#lastActiveMs = this.#nowMs;
    if (this.#nowMs - this.#lastActiveMs <= 2 * STABLE_MS) return;
    const rounds = Math.floor((Math.min(untilMs, this.#endMs) - this.#roundMs) / ROUND_MS);
    if (rounds > 0) this.#roundMs += rounds * ROUND_MS;
  }

  #measure(): void {
    for (const one of this.#replicas) if (one.state !== 'starting') one.measure(this.#nowMs);
    this.#autoscale!.setUsage(this.#replicas);
  }

  #drain(replica: Replica): void {
    replica.state = 'draining';
    if (replica.inFlight === 0) this.#end(replica);
  }

  #start(ordinal: number): Replica {
    const number = this.#started++;
    const replica = new Replica(number, ordinal, this.#nowMs, this.#model.cpus);
    this.#replicas.push(replica);
    this.#byNumber.set(number, replica);
    this.#tally.lives(1, this.#nowMs);
    return replica;
  }

  #becomeReady(replica: Replica): void {
    replica.state = 'ready';
    replica.readyMs = replica.idleSinceMs = this.#nowMs;
  }

  #becameReady(replica: Replica): void {
    this.#becomeReady(replica);
    this.#serve();
    this.#loadChanged();
    this.#decide();
  }

  #end(replica: Replica): void {
    replica.state = 'ended';
    this.#replicas = this.#replicas.filter((one) => one !== replica);
    this.#byNumber.delete(replica.number);
    this.#tally.lives(-1, this.#nowMs);
  }
}
