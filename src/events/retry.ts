import type { AttemptError } from '../model/event.ts';
import type { Delivery, SettledAs, WorkAnswer } from '../model/event-store.ts';
import type { RetrySettings } from '../model/work-settings.ts';

/** How one delivery did not go well. */
export interface Failure {
  readonly error: AttemptError;
  /** False: it was not the handler's doing (no instance was to be had, the server ended), and counts for nothing. */
  readonly counts: boolean;
  /** Not before this has passed, whoever asked for it; null: nobody has. */
  readonly notBeforeMs: number | null;
  /** The pause itself, chosen by the handler; null: by the retries' settings. */
  readonly pauseMs: number | null;
  readonly beganAtMs: number;
  readonly tookMs: number;
  /** What is kept where it is given up; null where nobody asks for an outcome. */
  readonly answer: WorkAnswer | null;
}

export interface RetryOptions {
  readonly settings: RetrySettings;
  readonly nowMs: number;
  /** From 0 to 1, 1 excluded. */
  readonly random: number;
  /** How long the component is left alone after it was refused. */
  readonly refusedMs: number;
}

/** As the issue has it: dead letters are kept for 14 days. */
export const DEAD_KEPT_MS = 14 * 86_400_000;
/** As AWS Lambda has it of asynchronous invocations: what is refused by the platform is tried for six hours. */
const LONGEST_REFUSED_MS = 6 * 3_600_000;
const FIRST_REFUSED_MS = 1_000;
const LONGEST_REFUSED_PAUSE_MS = 300_000;
/** Who asks for more than that with a `Retry-After` does not mean this event. */
const LONGEST_ASKED_MS = 86_400_000;
const MOST_MESSAGE_CHARS = 2_000;

/** What becomes of a piece of work whose delivery did not go well. */
export function afterFailure(delivery: Delivery, failure: Failure, o: RetryOptions): SettledAs {
  const { nowMs } = o;
  const attempt = {
    number: Math.max(1, delivery.attempt),
    beganAtMs: failure.beganAtMs,
    tookMs: Math.max(0, Math.round(failure.tookMs)),
    error: { code: failure.error.code, message: clean(failure.error.message) },
  };
  const forgetAtMs = nowMs + DEAD_KEPT_MS;
  if (!failure.counts) {
    // Somebody waits for the outcome, or the next tick for this one: it does not go on for ever, as an event of a backlog may.
    const ends = delivery.kind !== 'event' && nowMs - delivery.publishedAtMs >= LONGEST_REFUSED_MS;
    if (ends) return { as: 'dead', forgetAtMs, attempt, answer: failure.answer };
    const dueAtMs = nowMs + Math.max(o.refusedMs, asked(failure.notBeforeMs));
    return { as: 'again', dueAtMs, counts: false, attempt: null };
  }
  if (delivery.attempt >= o.settings.attempts)
    return { as: 'dead', forgetAtMs, attempt, answer: failure.answer };
  const pause = failure.pauseMs ?? pauseMs(o.settings, delivery.attempt, o.random);
  const dueAtMs = nowMs + Math.max(pause, asked(failure.notBeforeMs));
  return { as: 'again', dueAtMs, counts: true, attempt };
}

/**
 * The pause before the next attempt, by full jitter: anything between 0 and what doubles with each attempt
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * @param attempt the one that has failed, from 1.
 */
export function pauseMs({ firstMs, longestMs }: RetrySettings, attempt: number, random: number): number {
  return Math.round(random * Math.min(longestMs, firstMs * 2 ** Math.max(0, attempt - 1)));
}

/**
 * How long a component that refused is left alone: 1 s, doubled with each further refusal up to 5 min, and between half of it and all of it
 * so that several servers do not come together.
 * @param refusals in a row, from 1.
 */
export function refusedPauseMs(refusals: number, random: number): number {
  const longestMs = Math.min(LONGEST_REFUSED_PAUSE_MS, FIRST_REFUSED_MS * 2 ** Math.max(0, refusals - 1));
  return Math.round((longestMs * (1 + random)) / 2);
}

function asked(notBeforeMs: number | null): number {
  return notBeforeMs === null || Number.isNaN(notBeforeMs)
    ? 0
    : Math.min(Math.max(0, notBeforeMs), LONGEST_ASKED_MS);
}

/** What every database can keep: no NUL (Postgres has none in text), no half of a surrogate pair, not too much. */
function clean(message: string): string {
  const text = message.length > MOST_MESSAGE_CHARS ? `${message.slice(0, MOST_MESSAGE_CHARS)}…` : message;
  return text.replaceAll('\0', '').toWellFormed();
}
