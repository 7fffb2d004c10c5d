/**
 * One invocation on its way through the dispatcher:
 *
 *   waiting ── slot ──▶ working ── work resolved ─────────────────────────────▶ done
 *      │                   └── deadline ──▶ overdue ── work resolved, or late ──▶ │
 *      └── refused, caller gone, deadline ───────────────────────────────────────▶ │
 *
 * `overdue` has given its slot back (so that a hung function instance is ended at once) and only awaits what `work` makes
 * of the abort. An abort by the caller alone leaves it `working`: the handler may still be at it, and holds its slot until
 * the deadline. Whoever gave the slot is then told `timeout`; the usage record says `cancelled`, which is what the caller saw.
 */
import { CancelSource } from '../base/cancel.ts';
import { FulcrumError, asFulcrumError } from '../base/errors.ts';
import type { Carrier, InvocationControl, InvocationSeed } from '../model/dispatch.ts';
import type { CallStep, InvocationEnd, Outcome, Trigger } from '../model/invocation.ts';
import type { Registered } from '../base/registry.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';
import { noneFree } from './activator.ts';
import { Deadline } from './deadlines.ts';

/** What an invocation reports to. */
export interface InvocationHost {
  nowMs(): number;
  /** It waits for its answer no more, or is over: its deadline need not be watched. */
  unwatch(invocation: Deadline): void;
  done(invocation: Invoked, end: InvocationEnd): void;
  /** When whoever is turned away from a component may come again. */
  retryAfterS(component: string): number;
  /** Calls `run` after `delayMs`. */
  after(delayMs: number, run: () => void): void;
}

/** What can be told of an invocation once it is over. Times are monotonic. */
export interface Invoked extends Registered {
  readonly component: string;
  readonly requestId: string;
  readonly trigger: Trigger;
  readonly arrivedMs: number;
  /** Null where it never got one. */
  readonly slot: Slot | null;
  readonly slotAtMs: number;
  readonly releasedAtMs: number | null;
  /** 0 where nobody set one. */
  readonly httpStatus: number;
  /** Of the bodies that passed the gateway. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  cut(error: FulcrumError): void;
}

/** How long `work` may take to react to its deadline's abort before the invocation is over without it. */
const LATE_MS = 1_000;

export class RunningInvocation extends Deadline implements Invoked, InvocationControl, SlotRequest {
  readonly component: string;
  readonly call: CallStep | null;
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger: Trigger;
  readonly deadlineMs: number;
  readonly signal = new CancelSource();
  readonly arrivedMs: number;

  registryPlace = -1;
  slot: Slot | null = null;
  slotAtMs = 0;
  releasedAtMs: number | null = null;
  httpStatus = 0;

  readonly #host: InvocationHost;
  readonly #carrier: Carrier;
  readonly #seed: InvocationSeed;
  #state: 'waiting' | 'working' | 'overdue' | 'done' = 'waiting';

  constructor(
    component: string,
    seed: InvocationSeed,
    timeoutMs: number,
    carrier: Carrier,
    host: InvocationHost,
  ) {
    super();
    this.component = component;
    this.call = seed.call ?? null;
    this.requestId = seed.requestId;
    this.traceparent = seed.traceparent;
    this.trigger = seed.trigger;
    this.arrivedMs = host.nowMs();
    this.deadlineMs = Math.min(this.arrivedMs + timeoutMs, seed.deadlineMs ?? Number.POSITIVE_INFINITY);
    this.#host = host;
    this.#carrier = carrier;
    this.#seed = seed;
    seed.signal?.addEventListener('abort', this);
  }

  /** Asked of whoever caused it only where it is needed: to know it may take work. */
  get client(): string | null {
    return this.#seed.client;
  }

  get affinityKey(): string | null {
    return this.#seed.affinityKey;
  }

  get bytesIn(): number {
    return this.#seed.bytesIn ?? 0;
  }

  get bytesOut(): number {
    return this.#seed.bytesOut ?? 0;
  }

  /** Called by the caller's signal: an object that listens costs no closure. */
  handleEvent(): void {
    const { reason } = this.#seed.signal!;
    this.cut(
      reason instanceof FulcrumError ? reason : new FulcrumError('client-gone', 'The caller went away.'),
    );
  }

  /** Takes the slot, and works; or gives it straight back where nobody waits for it any more. */
  begin(slot: Slot): void {
    if (this.#state !== 'waiting') {
      slot.release({ outcome: 'refused', error: this.signal.reason as FulcrumError, cpuMs: 0 });
      return;
    }
    this.#state = 'working';
    this.slot = slot;
    this.slotAtMs = this.#host.nowMs();
    try {
      this.#carrier.begin(slot, this, this);
    } catch (error) {
      this.over({ outcome: 'crashed', error: asFulcrumError(error), cpuMs: 0 });
    }
  }

  /** The work is done. */
  over(end: InvocationEnd): void {
    // A handler that outlasted its deadline hangs, whoever had left before: its slot's giver must know.
    if (end.outcome === 'timeout') this.#release(end);
    this.#finish(this.#judged(end));
  }

  /** No slot is to be had. */
  refuse(error: unknown): void {
    if (this.#state !== 'waiting') return;
    const known = asFulcrumError(error);
    this.#finish({ outcome: outcomeOf(known, 'refused'), error: known, cpuMs: 0 });
  }

  answered(): void {
    if (this.slot?.mode !== 'service') return;
    this.#host.unwatch(this);
    this.slot.answered(this.httpStatus);
  }

  status(status: number): void {
    this.httpStatus = status;
  }

  expire(): void {
    const error = this.#overdue();
    this.#abortWith(error);
    if (this.#state === 'waiting') return this.refuse(error);
    if (this.#state !== 'working') return;
    this.#state = 'overdue';
    const end: InvocationEnd = { outcome: 'timeout', error, cpuMs: 0 };
    this.#release(end);
    this.#host.after(LATE_MS, () => this.#finish(this.#judged(end)));
  }

  /** Where no instance was free for so long, that is told, unless the caller itself would wait no longer. */
  #overdue(): FulcrumError {
    const withinMs = this.deadlineMs - this.arrivedMs;
    const byCaller = this.deadlineMs === this.#seed.deadlineMs;
    if (this.slot === null && !byCaller)
      return noneFree(this.component, withinMs, this.#host.retryAfterS(this.component));
    return new FulcrumError(
      'timeout',
      `Component "${this.component}" did not ${this.slot === null ? 'have a free instance' : 'answer'} within ${Math.round(withinMs)} ms. Make it faster, or raise its timeout.`,
    );
  }

  /** The caller has gone, or the server goes. Work that has begun is told, and still awaited until its deadline. */
  cut(error: FulcrumError): void {
    this.#abortWith(error);
    if (this.#state === 'waiting') this.refuse(error);
  }

  /** What came after an abort came because of it, unless it came out well all the same. */
  #judged<T extends InvocationEnd>(end: T): T {
    if (!this.signal.aborted || end.outcome === 'ok') return end;
    const reason = this.signal.reason as FulcrumError;
    return { ...end, outcome: outcomeOf(reason, 'cancelled'), error: reason };
  }

  #finish(end: InvocationEnd): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    this.#seed.signal?.removeEventListener('abort', this);
    this.#host.unwatch(this);
    this.#release(end);
    try {
      this.#carrier.finished(end);
    } finally {
      // Last: where no slot was to be had, the answer that says so has only been written now, and its bytes count.
      this.#host.done(this, end);
    }
  }

  #release(end: InvocationEnd): void {
    if (this.releasedAtMs !== null || this.slot === null) return;
    this.releasedAtMs = this.#host.nowMs();
    this.slot.release(end, this.httpStatus);
  }

  #abortWith(error: FulcrumError): void {
    if (!this.signal.aborted) this.signal.abort(error);
  }
}

function outcomeOf(error: FulcrumError, otherwise: Outcome): Outcome {
  if (error.code === 'timeout') return 'timeout';
  return error.code === 'client-gone' ? 'cancelled' : otherwise;
}
