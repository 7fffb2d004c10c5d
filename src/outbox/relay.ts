import { FulcrumError, messageOf } from '../base/errors.ts';
import type { EventPublisher, PublishOptions } from '../sdk/handler-types.ts';
import type { Row, Run } from './database.ts';
import type { Statements } from './statements.ts';

/** What came of a relay's work. */
export interface Relayed {
  /** Events that were published, and are gone from the outbox. */
  readonly published: number;
  /** Events that were refused for what they are; each is tried again later, and until then holds back those behind it of its key. */
  readonly refused: number;
}

/** The same, growing. */
export type Tally = { -readonly [Name in keyof Relayed]: Relayed[Name] };

export interface RelayRound {
  readonly run: Run;
  readonly statements: Statements;
  readonly publish: EventPublisher['publish'];
  /** Who relays. */
  readonly holder: string;
  /** Rows that are read, and published, at a time. */
  readonly batch: number;
  /** Rows at most. */
  readonly limit: number;
  readonly signal: AbortSignal | null;
}

/** For so long nobody else relays; held anew for each batch. Whoever dies with it holds the others up for that long. */
const LEASE_MS = 30_000;
/** From then on nothing is begun under it, so that what is has as long again to end. */
const BEGINS_WITHIN_MS = LEASE_MS / 2;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
const MAX_ERROR_LENGTH = 1_000;

/** Errors that are the event's own: the next one may fare better. Whatever else goes wrong goes wrong for all. */
const OF_THE_EVENT: ReadonlySet<unknown> = new Set(['event-invalid', 'event-unmatched']);

interface Waiting {
  readonly id: string;
  readonly key: string | null;
  readonly type: string;
  readonly data: unknown;
  readonly options: PublishOptions;
  readonly attempts: number;
}

/** Of one batch. */
interface Outcome {
  readonly published: string[];
  readonly refused: { readonly row: Waiting; readonly why: string }[];
  /** Why no more was tried. */
  failed: unknown;
}

/**
 * Publishes what is in the outbox, until it is empty or `limit` is reached. One relay of all works at a time, so that the order of a key holds.
 * Rejects where events cannot be published or the database fails; what has been published by then is gone from the outbox, if the database let it.
 * @param tally is added to, also where it rejects.
 */
export async function relayRound(round: RelayRound, tally: Tally): Promise<void> {
  const { run, statements, holder, batch, signal } = round;
  const until = tally.published + tally.refused + round.limit;
  const left = (): number => until - tally.published - tally.refused;
  // Most often there is nothing: looking costs no write.
  if ((await run(statements.next, [1])).length === 0) return;
  try {
    while (left() > 0 && signal?.aborted !== true) {
      const beginsUntilMs = performance.now() + BEGINS_WITHIN_MS;
      if ((await run(statements.lease, [holder, LEASE_MS])).length === 0) break;
      const rows = await run(statements.next, [Math.min(batch, left())]);
      if (rows.length === 0) break;
      const outcome = await publishAll(rows.map(waitingOf), round, beginsUntilMs);
      if (outcome.published.length > 0) await run(statements.remove, [JSON.stringify(outcome.published)]);
      for (const { row, why } of outcome.refused)
        await run(statements.defer, [row.id, pauseMs(row.attempts), why]);
      tally.published += outcome.published.length;
      tally.refused += outcome.refused.length;
      if (outcome.failed !== undefined) throw outcome.failed;
    }
  } finally {
    // Where that fails the lease ends by itself.
    await run(statements.release, [holder]).catch(() => undefined);
  }
}

/** Those of a key one after the other, all else at once. */
async function publishAll(
  rows: readonly Waiting[],
  { publish, signal }: RelayRound,
  beginsUntilMs: number,
): Promise<Outcome> {
  const outcome: Outcome = { published: [], refused: [], failed: undefined };
  const lanes = Map.groupBy(rows, ({ key, id }) => (key === null ? `row ${id}` : `key ${key}`));
  const publishLane = async (lane: readonly Waiting[]): Promise<void> => {
    for (const row of lane) {
      if (outcome.failed !== undefined || signal?.aborted === true || performance.now() > beginsUntilMs)
        return;
      try {
        await publish(row.type, row.data, row.options);
        outcome.published.push(row.id);
      } catch (error) {
        if (!OF_THE_EVENT.has((error as { code?: unknown } | null)?.code)) {
          outcome.failed = error ?? new FulcrumError('internal', 'An event could not be published.');
          return;
        }
        outcome.refused.push({ row, why: messageOf(error).slice(0, MAX_ERROR_LENGTH) });
        return;
      }
    }
  };
  await Promise.all([...lanes.values()].map(publishLane));
  return outcome;
}

function waitingOf(row: Row): Waiting {
  const text = (name: string): string | null => (row[name] as string | null | undefined) ?? null;
  const [key, subject, contentType] = [text('event_key'), text('subject'), text('content_type')!];
  const bytes = row['data'] as Uint8Array;
  const delay = Math.max(0, Number(row['due']) - Date.now());
  const said = contentType === 'application/json' ? fromJson(bytes) : undefined;
  return {
    id: text('row_id')!,
    key,
    type: text('type')!,
    data: said === undefined ? bytes : said,
    options: {
      dedupe: text('dedupe')!,
      ...(key !== null && { key }),
      ...(subject !== null && { subject }),
      ...(said === undefined && { contentType }),
      ...(delay > 0 && { delay }),
    },
    attempts: Number(row['attempts']),
  };
}

/** What the bytes say; undefined where they are no JSON, as bytes that their author has called so may not be. */
function fromJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Doubles with each attempt. */
function pauseMs(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 20), LONGEST_PAUSE_MS);
}
