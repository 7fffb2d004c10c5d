import type { Clock } from '../../base/clock.ts';
import type { MinuteTraffic, ServiceModel } from '../../model/simulation.ts';
import { Autoscale } from '../../scaling/autoscale.ts';
import { decide } from '../../scaling/decide.ts';
import { ROUND_MS } from '../../scaling/decide-service.ts';
import { freeOrdinals } from '../../scaling/ordinals.ts';
import { Random } from '../random.ts';
import type { DurationTable } from './duration-table.ts';
import type { FluidMinute } from './fluid-result.ts';
import { erlangC } from './erlang.ts';
import { Level } from './level.ts';
import { Replica } from './replica.ts';
import { drawn } from './start-times.ts';

const MINUTE_MS = 60_000;
/** Where more comes than can be worked on, until the autoscaler has seen to it. */
const MOST_HELD_UP = 20;
const RETRY = { failures: 0, retryAtMs: -Infinity, latest: 'revision' } as const;

/**
 * A service's minutes without its invocations: every round of 2 s `decide` is told how many would be in flight, which wavers around
 * what the minute's rate means as it would in a pool where nobody waits (see `level.ts`).
 */
export function* fluidService(
  traffic: MinuteTraffic,
  model: ServiceModel,
  durations: DurationTable,
  seed: number,
): Generator<FluidMinute> {
  const service = new FluidReplicas(model, seed);
  const level = new Level(durations.meanMs, ROUND_MS, new Random(seed, 'level'));
  const random = new Random(seed, 'cores');
  const { invocations, cpuShare } = traffic;
  for (let minute = 0; minute < invocations.length; minute++) {
    const count = invocations[minute]!;
    const plainMs = count * durations.meanMs;
    let workMs = 0;
    const started = service.started;
    let livedMs = 0;
    let busiest = 0;
    for (let round = 0; round < MINUTE_MS / ROUND_MS; round++) {
      const cores = (plainMs * cpuShare) / MINUTE_MS;
      const load = (plainMs / MINUTE_MS) * (1 + cpuShare * service.heldUp(cores));
      workMs += load * ROUND_MS;
      const inFlight = level.next(load);
      busiest = Math.max(busiest, Math.ceil(level.now));
      // What a round's arrivals compute, a compound Poisson number.
      const spread = cpuShare * Math.sqrt((count / MINUTE_MS) * (durations.squareMs / ROUND_MS));
      livedMs += service.pass(inFlight, Math.max(0, cores + spread * random.normal()));
    }
    yield {
      count,
      cold: 0,
      waited: 0,
      waitedMs: 0,
      started: service.started - started,
      living: livedMs / MINUTE_MS,
      busy: Math.min(livedMs, workMs) / MINUTE_MS,
      workMs,
      busiest: Math.min(count, busiest),
    };
  }
}

/** The replicas of a service, as far as its autoscaler goes. */
class FluidReplicas {
  started = 0;
  readonly #model: ServiceModel;
  readonly #random: Random;
  readonly #autoscale: Autoscale | null;
  #replicas: Replica[] = [];
  #nowMs = 0;

  constructor(model: ServiceModel, seed: number) {
    this.#model = model;
    this.#random = new Random(seed, 'start');
    const { minReplicas, maxReplicas } = model.settings;
    const clock = { monotonicMs: () => this.#nowMs } as Clock;
    this.#autoscale =
      maxReplicas > minReplicas ? new Autoscale(minReplicas, model.machineCpus ?? Infinity, clock) : null;
    for (let ordinal = 0; ordinal < minReplicas; ordinal++) this.#start(ordinal, 0);
  }

  /**
   * How much longer a computation takes than alone, as a share of itself, with so many cores at work: each ready replica has its part of the
   * arrivals, and shares its processors among them. That it is often given the next because it has the least to do is left out.
   */
  heldUp(cores: number): number {
    const ready = this.#replicas.filter((one) => one.state === 'ready').length;
    const cpus = Math.max(1, Math.floor(this.#model.cpus));
    const each = cores / ready;
    return each >= cpus ? MOST_HELD_UP : Math.min(MOST_HELD_UP, erlangC(cpus, each) / (cpus - each));
  }

  /** A round's time, with so many in flight on average and so many cores at work. @returns how long replicas lived in it, summed. */
  pass(inFlight: number, cores: number): number {
    this.#autoscale?.setLoad(inFlight);
    const endMs = this.#nowMs + ROUND_MS;
    let livedMs = 0;
    const ready = this.#replicas.filter((one) => one.state === 'ready').length;
    for (const one of this.#replicas) {
      livedMs += ROUND_MS;
      if (one.state === 'ready') one.usage!.cpuMs += (cores * ROUND_MS) / ready;
    }
    this.#nowMs = endMs;
    if (this.#autoscale === null) return livedMs;
    for (const one of this.#replicas) if (one.state === 'starting' && one.readyMs <= endMs) this.#ready(one);
    this.#decide();
    return livedMs;
  }

  #decide(): void {
    const plan = decide(
      {
        mode: 'service',
        settings: this.#model.settings,
        queued: 0,
        instances: this.#replicas,
        retry: RETRY,
        lost: [],
        scale: this.#autoscale!.view(this.#nowMs),
      },
      this.#nowMs,
    );
    for (const ordinal of freeOrdinals(this.#replicas, plan.starts.length))
      this.#start(ordinal, drawn(this.#model.start, this.#random));
    const memory = plan.remember?.scale ?? null;
    if (memory !== null && this.#autoscale!.remember(memory)) this.#autoscale!.setUsage(this.#replicas);
    if (plan.ends.length > 0) {
      const gone = new Set(plan.ends.map(({ id }) => id));
      this.#replicas = this.#replicas.filter(({ id }) => !gone.has(id));
    }
  }

  #start(ordinal: number, tookMs: number): void {
    const replica = new Replica(this.started++, ordinal, this.#nowMs, this.#model.cpus);
    replica.readyMs = this.#nowMs + tookMs;
    if (tookMs === 0) this.#ready(replica);
    this.#replicas.push(replica);
  }

  #ready(replica: Replica): void {
    replica.state = 'ready';
    replica.usage = { cpuMs: 0, memoryBytes: 0 };
  }
}
