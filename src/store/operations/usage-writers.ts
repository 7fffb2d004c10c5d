import type { UsageGap, UsageWriter } from '../../model/usage-store.ts';
import { rows, run, type Steps } from '../steps.ts';
import { wholeMs } from './usage-tables.ts';

const MAX_GAPS = 1_000;

/** That it lives; one that is closed is forgotten. */
export function* noteWriter(app: string, writer: UsageWriter): Steps<void> {
  if (writer.closed) {
    yield* run('DELETE FROM usage_writers WHERE app = $1 AND id = $2', app, writer.id);
    return;
  }
  const { id, node, sinceMs, wroteMs } = writer;
  yield { into: 'usage_writers', rows: [[app, id, node, Math.floor(sinceMs), Math.floor(wroteMs)]] };
}

export function* writersOf(app: string): Steps<UsageWriter[]> {
  const found = yield* rows<Omit<UsageWriter, 'closed'>>(
    `SELECT id, node, since_ms AS "sinceMs", wrote_ms AS "wroteMs" FROM usage_writers WHERE app = $1 ORDER BY since_ms, id`,
    app,
  );
  return found.map((writer) => ({ ...writer, closed: false }));
}

/** A server that was begun again and again leaves more than are told one by one: the last that is told then reaches to the end of the rest. */
export function* gapsOf(app: string, fromMs: number, toMs: number): Steps<UsageGap[]> {
  const [afterMs, beforeMs] = [Math.floor(Math.max(fromMs, -Number.MAX_SAFE_INTEGER)), wholeMs(toMs)];
  const gaps = yield* rows<UsageGap>(
    `SELECT from_ms AS "fromMs", to_ms AS "toMs" FROM usage_gaps
      WHERE app = $1 AND to_ms > $2 AND from_ms < $3 ORDER BY from_ms, writer LIMIT ${MAX_GAPS}`,
    app,
    afterMs,
    beforeMs,
  );
  if (gaps.length < MAX_GAPS) return gaps;
  const last = gaps.pop()!;
  const [rest] = yield* rows<{ toMs: number }>(
    `SELECT max(to_ms) AS "toMs" FROM usage_gaps WHERE app = $1 AND to_ms > $2 AND from_ms >= $3 AND from_ms < $4`,
    app,
    afterMs,
    last.fromMs,
    beforeMs,
  );
  return [...gaps, { fromMs: last.fromMs, toMs: rest!.toMs }];
}

/** Nothing happens where it is no more, or has written since: of two that bury it one does, and none buries who lives. */
export function* bury(app: string, writer: string, gap: UsageGap): Steps<boolean> {
  const fromMs = Math.floor(gap.fromMs);
  const buried = yield* run(
    'DELETE FROM usage_writers WHERE app = $1 AND id = $2 AND wrote_ms = $3',
    app,
    writer,
    fromMs,
  );
  if (buried === 0) return false;
  yield { into: 'usage_gaps', rows: [[app, fromMs, writer, Math.max(Math.ceil(gap.toMs), fromMs + 1)]] };
  return true;
}

/** @returns how many, `limit` at most. */
export function deleteOldGaps(app: string, beforeMs: number, limit: number): Steps<number> {
  return run(
    `DELETE FROM usage_gaps WHERE app = $1 AND (from_ms, writer) IN
      (SELECT from_ms, writer FROM usage_gaps WHERE app = $1 AND to_ms <= $2 ORDER BY from_ms LIMIT $3)`,
    app,
    wholeMs(beforeMs),
    limit,
  );
}
