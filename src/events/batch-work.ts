import type { Clock } from '../base/clock.ts';
import { asFulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { RunnableSpec } from '../model/app.ts';
import type { Delivery, NewWork, SettledAs, WorkAnswer } from '../model/event-store.ts';
import type { MessageSaid } from '../model/invocation.ts';
import { DEFAULT_RETRY, type RetrySettings } from '../model/work-settings.ts';
import { readAttributes, traceOf } from './attributes.ts';
import type { Held } from './batches.ts';
import { carryOut, type CarriedOut } from './carry-out.ts';
import type { Committer } from './committer.ts';
import type { ComponentPump, WorkedOn } from './component-pump.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { endWork } from './new-work.ts';
import { afterFailure, DEAD_KEPT_MS } from './retry.ts';
import type { HttpDelivery, Serving } from './serving.ts';
import { counts, saidAtEnd, verdicts, type Verdict } from './verdicts.ts';

export interface BatchWorkOptions {
  readonly app: string;
  readonly committer: Committer;
  readonly holder: LeaseHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly http: HttpDelivery | null;
  readonly newTraceparent: () => string;
  /** What was published for components, with the settlement of something else. */
  readonly published: (work: NewWork) => void;
  /** A schedule's tick is done with, one way or the other. */
  readonly tickEnded: () => void;
}

/** Of what an asynchronous invocation returned, in the event that tells of its end. */
const MOST_TOLD_BYTES = 256 * 1024;

/** Has batches worked on, and settles what becomes of each of their messages. */
export class BatchWork {
  readonly #o: BatchWorkOptions;
  readonly #settlings = new Set<Promise<unknown>>();

  constructor(o: BatchWorkOptions) {
    this.#o = o;
  }

  /** Resolves when its invocation is over; its settlements may still be on their way. Never rejects. */
  async run(
    batch: readonly Held[],
    serving: Serving,
    spec: RunnableSpec,
    pump: ComponentPump,
  ): Promise<WorkedOn> {
    const { clock, http, newTraceparent, logger, app } = this.#o;
    const left = new Map(batch.map((one) => [one.delivery.id, one]));
    // Once each, whatever is said of it afterwards.
    const settle = (one: Held, outcome: SettledAs, by: Serving | null = null): void => {
      if (left.delete(one.delivery.id)) this.#settle(one, outcome, pump, spec, by);
    };
    const said = new Map<string, MessageSaid>();
    const say = (word: MessageSaid): void => {
      if (!left.has(word.id)) return;
      if (word.as === 'retried') {
        said.set(word.id, word);
        return;
      }
      // At once: a handler that crashes behind it must not have it again.
      settle(left.get(word.id)!, { as: 'done', answer: null });
    };
    try {
      if (batch[0]!.delivery.kind === 'event' && spec.subscription === null) {
        for (const one of batch) settle(one, takesNone(one.delivery, spec, clock.nowMs()));
        return 'well';
      }
      const deliveries = batch.map(({ delivery }) => delivery);
      const carried = await carryOut(deliveries, { serving, spec, clock, http, newTraceparent, onSaid: say });
      for (const word of saidAtEnd(carried)) say(word);
      const all = verdicts(deliveries, carried, said);
      for (const [i, one] of batch.entries())
        if (left.has(one.delivery.id)) settle(one, this.#outcome(one.delivery, all[i]!, spec, pump), serving);
      return isRefusal(carried) ? 'refused' : 'well';
    } catch (error) {
      // A fault of ours: it counts, or it would come again for ever.
      logger.error(
        { app, component: pump.component, error: messageOf(error) },
        'kept work could not be delivered',
      );
      const { code, message } = asFulcrumError(error);
      for (const one of left.values()) {
        const failure = {
          error: { code, message },
          ...{
            counts: true,
            notBeforeMs: null,
            pauseMs: null,
            beganAtMs: clock.nowMs(),
            tookMs: 0,
            answer: null,
          },
        };
        settle(one, this.#outcome(one.delivery, { as: 'failed', failure }, spec, pump));
      }
      return 'well';
    }
  }

  /** What was leased and not begun is ready again, and counts for nothing. */
  giveBack(held: readonly Held[], pump: ComponentPump): void {
    const dueAtMs = this.#o.clock.nowMs();
    for (const one of held)
      this.#settle(one, { as: 'again', dueAtMs, counts: false, attempt: null }, pump, null);
  }

  /** Resolves when the store has what was settled so far, or never will. */
  async settled(): Promise<void> {
    while (this.#settlings.size > 0) await Promise.all(this.#settlings);
  }

  #outcome(delivery: Delivery, verdict: Verdict, spec: RunnableSpec, pump: ComponentPump): SettledAs {
    if (verdict.as === 'done') return verdict;
    const { clock, random } = this.#o;
    return afterFailure(delivery, verdict.failure, {
      settings: retryOf(delivery, spec),
      nowMs: clock.nowMs(),
      random: random(),
      refusedMs: pump.refusedMs,
    });
  }

  #settle(
    { delivery, node }: Held,
    outcome: SettledAs,
    pump: ComponentPump,
    spec: RunnableSpec | null,
    serving: Serving | null = null,
  ): void {
    const { committer, holder } = this.#o;
    const { app, component, id, attempt, key } = delivery;
    pump.unsettled(1);
    const alongside = spec === null || serving === null ? [] : this.#told(delivery, outcome, spec, serving);
    const settling = committer
      .settle(node, { app, component, id, attempt, outcome }, alongside)
      .then((counted) => {
        this.#settlings.delete(settling);
        holder.letGo(node, 1);
        pump.unsettled(-1);
        if (!counted) return;
        for (const work of alongside) this.#o.published(work);
        if (outcome.as === 'again') pump.expectAt(outcome.dueAtMs);
        else if (key !== null) pump.keySettled();
        if (outcome.as !== 'again' && delivery.kind === 'schedule') this.#o.tickEnded();
      });
    this.#settlings.add(settling);
  }

  /** The event of `onSuccess` or `onFailure`, where its author wants one. */
  #told(delivery: Delivery, outcome: SettledAs, spec: RunnableSpec, serving: Serving): NewWork[] {
    if (outcome.as === 'again' || outcome.answer === null) return [];
    const type = outcome.as === 'done' ? spec.async.onSuccess : spec.async.onFailure;
    if (type === null) return [];
    const { answer } = outcome;
    const { id, component } = delivery;
    const { status, error } = answer;
    const end = {
      id,
      component,
      type: delivery.type,
      outcome: answer.outcome,
      status,
      result: resultOf(answer),
      error,
      traceparent: traceOf(readAttributes(delivery.attributes)),
    };
    const { components, settings } = serving;
    return [endWork(type, end, { app: this.#o.app, components, settings, nowMs: this.#o.clock.nowMs() })];
  }
}

/** What holds for its retries, by what serves. */
function retryOf({ kind, type }: Delivery, spec: RunnableSpec): RetrySettings {
  if (kind === 'event') return spec.subscription?.retry ?? DEFAULT_RETRY;
  if (kind !== 'schedule') return spec.async.retry;
  const schedule = spec.kind === 'module' ? spec.schedules.find(({ name }) => name === type) : undefined;
  return schedule?.retry ?? DEFAULT_RETRY;
}

/** No instance was to be had: the component as a whole is to be left alone for a while. */
function isRefusal(carried: CarriedOut): boolean {
  return !counts(carried) && carried.end.outcome !== 'cancelled';
}

function takesNone({ attempt }: Delivery, { name }: RunnableSpec, nowMs: number): SettledAs {
  const message = `Component '${name}' takes no events any more. Give them to another: fulcrum events redrive --to …`;
  const error = { code: 'event-unmatched', message };
  const tried = { number: Math.max(1, attempt), beganAtMs: nowMs, tookMs: 0, error };
  return { as: 'dead', forgetAtMs: nowMs + DEAD_KEPT_MS, attempt: tried, answer: null };
}

function resultOf({ data, contentType, error, fields }: WorkAnswer): string | null {
  if (error !== null || data.length === 0 || data.length > MOST_TOLD_BYTES) return null;
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
  // A function's result is JSON; of an HTTP answer nobody has looked whether it is.
  if (fields === null) return text;
  if (!/^application\/(?:[\w.+-]+\+)?json/i.test(contentType)) return null;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}
