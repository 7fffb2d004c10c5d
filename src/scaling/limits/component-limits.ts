import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { NO_LIMITS, sameLimits, type ChosenLimits, type ClientRate, type Limits } from '../../model/app.ts';
import type { LimitsStatus } from '../../model/status.ts';
import { ClientBuckets } from './client-buckets.ts';
import { MinuteCount } from './minute-count.ts';
import { TokenBucket } from './token-bucket.ts';

/** Who brings it is asked only where clients are told apart: finding out costs something. */
interface Entrant {
  readonly client: string | null;
}

/** Instances of the component, of one release: what waits for them and what they work on. */
export interface Load {
  readonly load: number;
  /** It was switched off or on again, or calls have limits that had none, or the other way round. */
  changed(): void;
}

/** A full house empties at any moment; whoever is told this tries again at once, and should not. */
const FULL_RETRY_S = 1;
/** What a person has switched off a person switches on again. */
const OFF_RETRY_S = 30;

/**
 * What may be asked of one component of an app, and what has been. It belongs to the app and outlives releases, modes and
 * deploys: releases that live beside each other share it, and none of them begins with a burst of its own.
 *
 * What the config says holds, until something else is chosen by hand; and the choice until the config itself says something else
 * than it did then, or it is taken back.
 */
export class ComponentLimits {
  readonly #component: string;
  readonly #clock: Clock;
  readonly #refusals = new MinuteCount();
  readonly #loads = new Set<Load>();
  #configured: Limits = NO_LIMITS;
  #choice: ChosenLimits | null = null;
  #holds: Limits = NO_LIMITS;
  #any = false;
  #bucket: TokenBucket | null = null;
  #clients: ClientBuckets | null = null;

  constructor(component: string, clock: Clock) {
    this.#component = component;
    this.#clock = clock;
  }

  /** Whether there are any: where not, nobody need be asked to `admit`. */
  get any(): boolean {
    return this.#any;
  }

  /** Whether some of them bear on calls, which no client makes: then the server must see each of them. */
  get anyOfCalls(): boolean {
    return this.#holds.rps !== null || this.#holds.concurrency !== null;
  }

  /** Whether nothing may be asked of it. */
  get isOff(): boolean {
    return this.#holds.concurrency === 0;
  }

  /** What holds at present. */
  get holds(): Limits {
    return this.#holds;
  }

  /** What was chosen by hand, whether it still holds or not; null: nothing. */
  get choice(): ChosenLimits | null {
    return this.#choice;
  }

  /** Nothing of it is left that anybody could miss. */
  get unused(): boolean {
    return this.#loads.size === 0;
  }

  /** From now on, until `leave`, what this has counts. */
  enter(load: Load): void {
    this.#loads.add(load);
  }

  leave(load: Load): void {
    this.#loads.delete(load);
  }

  configure(limits: Limits): void {
    this.#configured = limits;
    this.#settle();
  }

  /** @param choice null: what the config says holds again. */
  choose(choice: ChosenLimits | null): void {
    this.#choice = choice;
    this.#settle();
  }

  /**
   * Lets an invocation in, or throws `rate-limited`, which says by which limit, or `switched-off`. One that is refused by one limit is not
   * counted by the others.
   */
  admit(entrant: Entrant): void {
    const nowMs = this.#clock.monotonicMs();
    const { concurrency } = this.#holds;
    if (concurrency !== null && this.#isFull(concurrency))
      throw this.#refused(nowMs, this.#full(concurrency));
    this.#admitByRate(entrant, this.#bucket, nowMs);
  }

  /**
   * The same of whoever asks for an invocation that comes later: how many are at work does not matter to it. Where the component is
   * switched off nothing is taken for later either.
   */
  admitForLater(entrant: Entrant): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.isOff) throw this.#refused(nowMs, this.#full(0));
    this.#admitByRate(entrant, this.#bucket, nowMs);
  }

  /** The same of whoever asks what became of one: that is no invocation, and only how often one client asks is limited. */
  admitForAnswer(entrant: Entrant): void {
    this.#admitByRate(entrant, null, this.#clock.monotonicMs());
  }

  status(): LimitsStatus {
    const byHand = this.#choice !== null && this.#holds === this.#choice.chosen;
    return {
      configured: this.#configured,
      chosen: byHand ? this.#holds : null,
      refused: this.#refusals.total(this.#clock.monotonicMs()),
    };
  }

  #settle(): void {
    const choice = this.#choice;
    const holds =
      choice !== null && sameLimits(choice.configured, this.#configured) ? choice.chosen : this.#configured;
    const { isOff, anyOfCalls } = this;
    this.#holds = holds;
    if (this.isOff !== isOff || this.anyOfCalls !== anyOfCalls)
      for (const load of this.#loads) load.changed();
    const { rps, burst, perClient, concurrency } = holds;
    this.#any = rps !== null || perClient !== null || concurrency !== null;
    const nowMs = this.#clock.monotonicMs();
    this.#bucket = kept(TokenBucket, this.#bucket, rateOf(rps, burst), nowMs);
    this.#clients = kept(ClientBuckets, this.#clients, perClient, nowMs);
  }

  /** @param bucket of all clients together; null: they are not limited. */
  #admitByRate(entrant: Entrant, bucket: TokenBucket | null, nowMs: number): void {
    const clients = this.#clients;
    const client = clients === null ? null : entrant.client;
    if (clients !== null && client !== null) {
      const waitMs = clients.waitMs(client, nowMs);
      if (waitMs > 0) throw this.#refused(nowMs, this.#tooOften(clients, waitMs));
    }
    if (bucket !== null) {
      const waitMs = bucket.waitMs(nowMs);
      if (waitMs > 0) throw this.#refused(nowMs, this.#tooMany(waitMs));
      bucket.take(nowMs);
    }
    if (clients !== null && client !== null) clients.take(client, nowMs);
  }

  /**
   * Counted anew each time, by what is there: nothing can be counted twice or be forgotten, and it is right from the moment on at which
   * the limit is set. It is a sum over instances, of which there are few.
   */
  #isFull(concurrency: number): boolean {
    let sum = 0;
    for (const { load } of this.#loads) sum += load;
    return sum >= concurrency;
  }

  #refused(nowMs: number, error: FulcrumError): FulcrumError {
    this.#refusals.add(nowMs);
    return error;
  }

  #full(concurrency: number): FulcrumError {
    const name = this.#component;
    if (concurrency === 0) {
      return new FulcrumError(
        'switched-off',
        `Component "${name}" is switched off. Whoever operates the app can switch it on again: fulcrum limits ${name} --on.`,
        { retryAfterS: OFF_RETRY_S, details: { limit: 'concurrency' } },
      );
    }
    return new FulcrumError(
      'rate-limited',
      `Component "${name}" works on as many invocations as it may at a time: ${concurrency} (limits.concurrency).`,
      { retryAfterS: FULL_RETRY_S, details: { limit: 'concurrency' } },
    );
  }

  #tooMany(waitMs: number): FulcrumError {
    const { rps, burst } = this.#holds;
    return limited(
      `Component "${this.#component}" takes ${rps} invocations per second, ${burst} of them at once, and has had them (limits.rps).`,
      'rps',
      waitMs,
    );
  }

  #tooOften({ rps, burst }: ClientRate, waitMs: number): FulcrumError {
    return limited(
      `Component "${this.#component}" takes ${rps} requests per second of one client, ${burst} of them at once, and has had them of this one (limits.perClient).`,
      'perClient',
      waitMs,
    );
  }
}

function limited(text: string, limit: string, waitMs: number): FulcrumError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new FulcrumError('rate-limited', `${text} Try again in ${seconds} s.`, {
    retryAfterS: seconds,
    details: { limit },
  });
}

function rateOf(rps: number | null, burst: number | null): ClientRate | null {
  return rps === null ? null : { rps, burst: burst! };
}

interface Changing {
  change(rate: ClientRate, nowMs: number): void;
}

/** What there is, with another rate where that is another; a new one where there was none; null where none is wanted. */
function kept<B extends Changing>(
  Kind: new (rate: ClientRate) => B,
  present: B | null,
  rate: ClientRate | null,
  nowMs: number,
): B | null {
  if (rate === null) return null;
  if (present === null) return new Kind(rate);
  present.change(rate, nowMs);
  return present;
}
