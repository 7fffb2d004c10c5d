import type {
  Delivery,
  EventChange,
  EventChanged,
  KeptAnswer,
  LeaseNode,
  LeaseOrder,
  WorkAnswer,
  WorkFilter,
  WorkRecord,
  WorkState,
} from '../../model/event-store.ts';
import { noting, reading, type Operation } from '../operation.ts';
import { rows } from '../steps.ts';
import type { Schema } from '../tables.ts';
import { dropWork, matchWork, redriveWork, retryWork, type Pick } from './event-change.ts';
import { lockKeys } from './event-keys.ts';
import { backlogOf, leaseWork } from './event-lease.ts';
import { componentsOfWork, countWork, pickWork, scanWork, typesUnmatched, type Scan } from './event-list.ts';
import { insertWork, keysOfWork, siftWork } from './event-publish.ts';
import {
  BY_WORK_KEY,
  DELIVERY_COLUMNS,
  deliveryOf,
  RECORD_COLUMNS,
  recordOf,
  WORK_KEY,
  type WorkRow,
} from './event-rows.ts';
import { beginSettling, finishSettling } from './event-settle.ts';
import { beatNode, nodesOfLeases, pruneWork, reclaimWork, removeWork, UPKEEP_STEP } from './event-upkeep.ts';

/** Right under READ COMMITTED by the locks that it takes, and a sync for all that it holds: many events share one. */
function keeping<A, R>(steps: Operation<A, R>['steps']): Operation<A, R> {
  return { keeps: 'power', alone: false, frees: false, steps };
}

export const eventOperations = {
  /** Settlements first: the keys that they free are free for what is published. */
  'events.commit': keeping<EventChange, EventChanged>(function* (dialect, change) {
    const { node, nowMs, publish, settle } = change;
    const sifted = yield* siftWork(dialect, nowMs, publish);
    const settling = yield* beginSettling(dialect, node, settle);
    yield* lockKeys(dialect, [...settling.keys, ...keysOfWork(sifted)]);
    const settled = yield* finishSettling(dialect, node, nowMs, settle, settling);
    return { settled, published: yield* insertWork(dialect, node, sifted) };
  }),

  /** A lease that a loss of power takes back is one more delivery, of the same attempt, and nothing is settled without it. */
  'events.lease': noting<LeaseOrder, readonly Delivery[]>((dialect, order) => leaseWork(dialect, order)),

  'events.beat': noting((_, { node, aliveUntilMs }: { node: string; aliveUntilMs: number }) =>
    beatNode(node, aliveUntilMs),
  ),

  'events.nodes': reading<null, readonly LeaseNode[]>(() => nodesOfLeases()),

  /** One step. */
  'events.reclaim': noting(function* (dialect, ended: readonly LeaseNode[] | { readonly allBut: string }) {
    const count = yield* reclaimWork(dialect, ended);
    return { count, more: count >= UPKEEP_STEP };
  }),

  'events.backlog': reading((_, { app, nowMs }: { app: string; nowMs: number }) => backlogOf(app, nowMs)),

  'events.components': reading((_, app: string) => componentsOfWork(app)),
  'events.scan': reading((dialect, scan: Scan) => scanWork(dialect, scan)),
  'events.pick': reading((dialect, filter: WorkFilter) => pickWork(dialect, filter)),
  'events.count': reading((_, of: { app: string; component: string; state: WorkState }) =>
    countWork(of.app, of.component, of.state),
  ),

  'events.records': reading<{ app: string; picks: readonly Pick[] }, readonly WorkRecord[]>(function* (
    dialect,
    { app, picks },
  ) {
    const given = dialect.given(
      WORK_KEY,
      picks.map(({ id, component }) => [app, id, component]),
    );
    const found = yield* rows<WorkRow & { data_bytes: number }>(
      `SELECT ${RECORD_COLUMNS} FROM work WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${given.as('g')})`,
      ...given.parameters,
    );
    return found.map(recordOf);
  }),

  'events.get': reading<{ app: string; id: string }, readonly Delivery[]>(function* (_, { app, id }) {
    const found = yield* rows<WorkRow>(
      `SELECT ${DELIVERY_COLUMNS} FROM work WHERE app = $1 AND id = $2 ORDER BY component`,
      ...[app, id],
    );
    return found.map(deliveryOf);
  }),

  'events.retry': keeping(
    (dialect, { app, picks, nowMs }: { app: string; picks: readonly Pick[]; nowMs: number }) =>
      retryWork(dialect, app, picks, nowMs),
  ),
  'events.drop': keeping((dialect, { app, picks }: { app: string; picks: readonly Pick[] }) =>
    dropWork(dialect, app, picks),
  ),
  'events.redrive': keeping(
    (dialect, order: { app: string; picks: readonly Pick[]; to: string; nowMs: number }) =>
      redriveWork(dialect, order.app, order.picks, order.to, order.nowMs),
  ),
  'events.match': keeping((dialect, order: Parameters<typeof matchWork>[1]) => matchWork(dialect, order)),
  'events.unmatchedTypes': reading((_, { app, limit }: { app: string; limit: number }) =>
    typesUnmatched(app, limit),
  ),

  'events.answer': reading<{ app: string; id: string }, KeptAnswer | null>(function* (_, { app, id }) {
    const [row] = yield* rows<Schema['event_answers']>(
      'SELECT * FROM event_answers WHERE app = $1 AND id = $2',
      ...[app, id],
    );
    return row === undefined ? null : answerOf(row);
  }),

  /** One step. */
  'events.prune': { ...noting((_, nowMs: number) => pruneWork(nowMs)), frees: true },
  /** One step. */
  'events.remove': { ...noting((_, app: string) => removeWork(app)), frees: true },
};

function answerOf(row: Schema['event_answers']): KeptAnswer {
  return {
    app: row.app,
    id: row.id,
    component: row.component,
    kind: row.kind as KeptAnswer['kind'],
    type: row.type,
    state: row.state as KeptAnswer['state'],
    createdAtMs: row.created_at_ms,
    endedAtMs: row.ended_at_ms,
    forgetAtMs: row.forget_at_ms,
    answer:
      row.outcome === null
        ? null
        : {
            outcome: row.outcome,
            status: row.status ?? 0,
            fields: row.fields,
            contentType: row.content_type ?? '',
            data: row.data ?? new Uint8Array(),
            error: row.error === null ? null : (JSON.parse(row.error) as WorkAnswer['error']),
          },
  };
}
