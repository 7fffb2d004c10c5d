import type { ErrorCode, FulcrumError } from '../base/errors.ts';
import type { Delivery, WorkAnswer } from '../model/event-store.ts';
import type { MessageSaid } from '../model/invocation.ts';
import type { CarriedOut } from './carry-out.ts';
import { readRetryAfter } from './cloudevents/retry-after.ts';
import { MOST_ANSWER_BYTES, type GatheredAnswer } from './gathered-answer.ts';
import type { Failure } from './retry.ts';

/** What is to become of one delivery, before it is known when it is tried again. */
export type Verdict =
  | { readonly as: 'done'; readonly answer: WorkAnswer | null }
  | { readonly as: 'failed'; readonly failure: Failure };

/** Codes that say nothing of a handler even where it had begun. */
const NOT_ITS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['shutting-down', 'app-starting']);

/** Whether how it ended tells something of what was delivered. */
export function counts({ begun, end, outcomes }: CarriedOut): boolean {
  if (outcomes !== null && end.error === null) return true;
  if (!begun || end.outcome === 'refused' || end.outcome === 'cancelled') return false;
  return end.error === null || !NOT_ITS_OWN.has(end.error.code);
}

/**
 * What becomes of each delivery of a batch, as `deliveries`.
 * @param said by their ids, what the handler has said of its messages.
 */
export function verdicts(
  deliveries: readonly Delivery[],
  carried: CarriedOut,
  said: ReadonlyMap<string, MessageSaid>,
): Verdict[] {
  const { end, outcomes, thrown } = carried;
  const common = {
    counts: counts(carried),
    pauseMs: null,
    beganAtMs: carried.beganAtMs,
    tookMs: carried.tookMs,
  };
  const notBeforeMs = retryAfterMs(end.error?.retryAfterS ?? thrown?.retryAfterS ?? null);
  return deliveries.map((delivery, i): Verdict => {
    const asks = delivery.kind === 'call' || delivery.kind === 'request';
    if (outcomes !== null && outcomes[i] !== undefined) {
      const outcome = outcomes[i];
      if (outcome.as === 'done') return { as: 'done', answer: null };
      const error = errorOf(outcome.error ?? end.error);
      // One that was never sent is no attempt.
      const isOwn = outcome.error === null ? common.counts : outcome.error.code !== 'shutting-down';
      return failed({ ...common, counts: isOwn, error, notBeforeMs: outcome.notBeforeMs, answer: null });
    }
    const word = said.get(delivery.id);
    if (word?.as === 'acked') return { as: 'done', answer: null };
    if (end.outcome !== 'ok') {
      const error = errorOf(end.error);
      const answer = asks ? failedAnswer(end.outcome, error, carried.answer) : null;
      return failed({ ...common, error, notBeforeMs, pauseMs: word?.afterMs ?? null, answer });
    }
    if (word?.as === 'retried') {
      const error = { code: 'handler-error', message: 'The handler asked for it to be delivered again.' };
      return failed({ ...common, error, notBeforeMs: null, pauseMs: word.afterMs, answer: null });
    }
    if (!asks) return { as: 'done', answer: null };
    return delivery.kind === 'request'
      ? ofRequest(carried, common)
      : { as: 'done', answer: valueAnswer(carried) };
  });
}

/** The end value of a `queue` handler: what it has said of its messages, by those who tell it only then. */
export function saidAtEnd({ value, end }: CarriedOut): MessageSaid[] {
  if (end.outcome !== 'ok' || value === null || value.encoding !== 'json' || value.bytes.length === 0)
    return [];
  let told: { acked?: unknown; retried?: unknown } | null;
  try {
    told = JSON.parse(Buffer.from(value.bytes).toString('utf8')) as typeof told;
  } catch {
    return [];
  }
  const ids = (list: unknown): string[] =>
    Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string') : [];
  return [
    ...ids(told?.acked).map((id): MessageSaid => ({ id, as: 'acked', afterMs: null })),
    ...ids(told?.retried).map((id): MessageSaid => ({ id, as: 'retried', afterMs: null })),
  ];
}

/** A server's error and `429` are tried again, as a client that waits would; every other status is an answer. */
function ofRequest(
  carried: CarriedOut,
  common: Pick<Failure, 'counts' | 'pauseMs' | 'beganAtMs' | 'tookMs'>,
): Verdict {
  const gathered = carried.answer!;
  const { status } = gathered;
  if (status < 500 && status !== 429) return { as: 'done', answer: requestAnswer('ok', gathered, null) };
  const error = { code: 'handler-error', message: `It answered with the status ${status}.` };
  const asked = gathered.field('retry-after');
  const notBeforeMs = asked === null ? null : readRetryAfter(asked, carried.beganAtMs + carried.tookMs);
  return failed({ ...common, error, notBeforeMs, answer: requestAnswer('ok', gathered, error) });
}

function failed(failure: Failure): Verdict {
  return { as: 'failed', failure };
}

function valueAnswer({ value }: CarriedOut): WorkAnswer {
  const bytes = value?.bytes ?? new Uint8Array();
  const isTooLarge = bytes.length > MOST_ANSWER_BYTES;
  return {
    outcome: 'ok',
    status: 0,
    fields: null,
    contentType: 'application/json',
    data: isTooLarge ? new Uint8Array() : bytes,
    error: isTooLarge ? notKept(bytes.length) : null,
  };
}

function requestAnswer(outcome: string, gathered: GatheredAnswer, error: WorkAnswer['error']): WorkAnswer {
  return {
    outcome,
    status: gathered.status,
    fields: JSON.stringify(gathered.fields),
    contentType: gathered.field('content-type') ?? 'application/octet-stream',
    data: gathered.body,
    error: error ?? (gathered.isTooLarge ? notKept(gathered.bytes) : null),
  };
}

function failedAnswer(
  outcome: string,
  error: WorkAnswer['error'],
  gathered: GatheredAnswer | null,
): WorkAnswer {
  if (gathered !== null && gathered.status > 0) return requestAnswer(outcome, gathered, error);
  return { outcome, status: 0, fields: null, contentType: 'application/json', data: new Uint8Array(), error };
}

function notKept(bytes: number): WorkAnswer['error'] {
  return {
    code: 'call-too-large',
    message: `It went well, and its result is not kept: it has ${bytes} bytes, and at most ${MOST_ANSWER_BYTES} are kept.`,
  };
}

function errorOf(error: FulcrumError | null): { code: string; message: string } {
  return error === null
    ? { code: 'internal', message: 'It did not end well.' }
    : { code: error.code, message: error.message };
}

function retryAfterMs(retryAfterS: number | null): number | null {
  return retryAfterS === null ? null : retryAfterS * 1_000;
}
