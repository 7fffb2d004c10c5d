import type { KeptWork, NewWork } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, type Steps } from '../steps.ts';
import { lockKeys } from './event-keys.ts';
import { insertWork, keysOfWork, siftWork } from './event-publish.ts';

/** Keeps a piece of work within the transaction of who calls, which holds no lock of a key. @param node leases it, where it asks to. */
export function* keepWork(dialect: Dialect, node: string, nowMs: number, work: NewWork): Steps<KeptWork> {
  const sifted = yield* siftWork(dialect, nowMs, [work]);
  yield* lockKeys(dialect, keysOfWork(sifted));
  return (yield* insertWork(dialect, node, sifted))[0]!;
}

/** Whether a tick of this schedule is kept that is to be done, now or later. */
export function* hasScheduleWork(
  _dialect: Dialect,
  app: string,
  component: string,
  name: string,
): Steps<boolean> {
  const found = yield* rows(
    `SELECT 1 AS found FROM work WHERE app = $1 AND component = $2 AND type = $3 AND kind = 'schedule' AND state <> 'dead' LIMIT 1`,
    ...[app, component, name],
  );
  return found.length > 0;
}
