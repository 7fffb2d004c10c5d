import type { Clock, Timer } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { PooledInstance } from './pooled-instance.ts';
import type { Tally } from './standing.ts';

/** So many failures in a row eject a replica. Envoy's `consecutive_5xx`. */
const FAILURES = 5;
/** How long, times the number of its ejections. Envoy's `base_ejection_time` and `max_ejection_time`. */
const BASE_MS = 30_000;
const LONGEST_MS = 300_000;
/** So long without another, and the next ejection is a first one again. */
const FORGIVEN_MS = 300_000;
/** A trial that has said nothing for so long: another may be had, beside it. What is hung gets no more than one each time. */
const SILENT_MS = 30_000;
/** Answers that say that the replica could not do its work, and not that it was asked for the wrong thing. */
const FAILED_STATUS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Is told what becomes of a replica. */
export interface EjectionListener {
  note(level: 'info' | 'warn', text: string, one: PooledInstance): void;
  /** One that was ejected may be given an invocation again. */
  mayTake(one: PooledInstance): void;
}

/**
 * Takes replicas that keep failing out of the choice for a time (they stay, and answer their health checks), by the rules of Envoy's
 * outlier detection (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier) but for three things: at most half of
 * the replicas are out at a time, not a tenth; none goes for what the others do as well, for a bug in the code is no reason to have
 * fewer of it; and one comes back by one invocation that goes well, not with all its work at once. That one has gone well once it is
 * answered: a WebSocket or an event stream may then last for hours.
 */
export class Ejections {
  readonly #clock: Clock;
  readonly #replicas: readonly PooledInstance[];
  readonly #listener: EjectionListener;
  /** Of each that is out, until it is due; of each on trial, until another may be had. */
  readonly #timers = new Map<PooledInstance, Timer>();
  #ended = 0;
  #failed = 0;

  /** @param replicas all of the pool's, as they come and go. */
  constructor(clock: Clock, replicas: readonly PooledInstance[], listener: EjectionListener) {
    this.#clock = clock;
    this.#replicas = replicas;
    this.#listener = listener;
  }

  /** One that is due is given an invocation. */
  begin(one: PooledInstance): void {
    one.standing.to('trial');
    this.#after(one, SILENT_MS, () => {
      if (one.standing.state === 'trial') this.#isDue(one);
    });
  }

  /** Its trial has begun to answer. @returns whether that is its verdict. A bad status is only one once all is over. */
  answered(one: PooledInstance, httpStatus: number): boolean {
    if (one.state !== 'ready' || !isOnTrial(one) || FAILED_STATUS.has(httpStatus)) return false;
    this.#passed(one);
    return true;
  }

  /** An instance that has ended, or is given no more work whatever it does. */
  forget(one: PooledInstance): void {
    this.#timers.get(one)?.cancel();
    this.#timers.delete(one);
  }

  /** Nobody is given work any more. */
  close(): void {
    for (const one of this.#timers.keys()) this.forget(one);
  }

  /** An invocation on `one` is over. @param httpStatus 0 where it had none. @param isTrial see {@link Standing}. */
  judge(one: PooledInstance, end: InvocationEnd, httpStatus: number, isTrial: boolean): void {
    if (one.state !== 'ready') return;
    const failure = failureOf(end, httpStatus);
    if (isTrial && isOnTrial(one)) return this.#judgeTrial(one, failure);
    if (failure === undefined) return;
    const { standing } = one;
    const othersBefore = standing.failures === 0 && failure !== null ? this.#othersOf(one) : null;
    this.#ended++;
    standing.ended++;
    if (failure === null) {
      standing.failures = 0;
      return;
    }
    this.#failed++;
    standing.failed++;
    standing.failures++;
    if (othersBefore !== null) standing.othersBefore = othersBefore;
    if (standing.failures >= FAILURES && standing.state === 'in' && this.#mayGo(one)) {
      this.#eject(one, `${standing.failures} failures in a row, the last one ${failure}`);
    }
  }

  #judgeTrial(one: PooledInstance, failure: string | null | undefined): void {
    if (failure === null) this.#passed(one);
    else if (failure !== undefined) this.#eject(one, `its trial failed: ${failure}`);
    else if (one.standing.state === 'trial') this.#isDue(one);
  }

  #passed(one: PooledInstance): void {
    this.forget(one);
    one.standing.failures = 0;
    one.standing.to('in');
    this.#listener.note('info', `instance ${one.id} is given work again: its trial went well`, one);
    this.#listener.mayTake(one);
  }

  #isDue(one: PooledInstance): void {
    this.forget(one);
    one.standing.to('due');
    this.#listener.mayTake(one);
  }

  #eject(one: PooledInstance, why: string): void {
    const { standing } = one;
    const nowMs = this.#clock.monotonicMs();
    if (standing.state === 'in' && nowMs - standing.untilMs >= FORGIVEN_MS) standing.ejections = 0;
    standing.ejections++;
    const forMs = Math.min(BASE_MS * standing.ejections, LONGEST_MS);
    standing.untilMs = nowMs + forMs;
    standing.to('out');
    this.#listener.note('warn', `instance ${one.id} is ejected for ${formatDuration(forMs)}: ${why}`, one);
    this.#after(one, forMs, () => {
      this.#listener.note('info', `instance ${one.id} is tried with one invocation`, one);
      this.#isDue(one);
    });
  }

  #after(one: PooledInstance, delayMs: number, run: () => void): void {
    this.forget(one);
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(one);
      if (one.state === 'ready') run();
    });
    this.#timers.set(one, timer);
  }

  /** At most half are out, one is left that is sound, and the others have not failed alike meanwhile. */
  #mayGo(one: PooledInstance): boolean {
    let ready = 0;
    let out = 0;
    let left = 0;
    for (const other of this.#replicas) {
      if (other.state !== 'ready') continue;
      ready++;
      if (other.standing.state !== 'in') out++;
      else if (other !== one && other.failing === null) left++;
    }
    if (left === 0 || out + 1 > Math.floor(ready / 2)) return false;
    const before = one.standing.othersBefore;
    const now = this.#othersOf(one);
    const ended = now.ended - before.ended;
    return ended === 0 || 2 * (now.failed - before.failed) < ended;
  }

  #othersOf({ standing }: PooledInstance): Tally {
    return { ended: this.#ended - standing.ended, failed: this.#failed - standing.failed };
  }
}

function isOnTrial({ standing }: PooledInstance): boolean {
  return standing.state === 'due' || standing.state === 'trial';
}

/** Why it counts as a failure; null for one that went well, undefined where the replica is not to be blamed or praised. */
function failureOf({ outcome, error }: InvocationEnd, httpStatus: number): string | null | undefined {
  if (outcome === 'cancelled' || outcome === 'refused') return undefined;
  // Another component's doing: every replica would have had to answer that.
  if (error !== null && error.refused !== null) return undefined;
  if (outcome !== 'ok') return outcome;
  return FAILED_STATUS.has(httpStatus) ? `status ${httpStatus}` : null;
}
