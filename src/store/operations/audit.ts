import type { AuditEntry, KeptAuditEntry } from '../../model/audit-store.ts';
import { changing, reading } from '../operation.ts';
import { all, change, first } from '../steps.ts';
import type { Schema } from '../tables.ts';

export const auditOperations = {
  'audit.append': {
    ...changing(function* ({ db }, entry: AuditEntry) {
      // A counter of its own: a sequence of the database leaves gaps where something failed, and a gap is to mean that something was taken out.
      const counted = yield* first(
        db
          .insertInto('counters')
          .values({ name: 'audit', value: 1 })
          .onConflict((conflict) =>
            conflict.column('name').doUpdateSet((eb) => ({ value: eb('counters.value', '+', 1) })),
          )
          .returning('value'),
      );
      yield* change(
        db.insertInto('audit').values({
          number: counted!.value,
          at_ms: Math.floor(entry.atMs),
          actor: entry.actor,
          action: entry.action,
          app: entry.app,
          outcome: entry.outcome,
          details: JSON.stringify(entry.details),
        }),
      );
    }),
    // The counter's row is locked by whoever counts, which is all the order that is needed.
    alone: false,
  },

  'audit.list': reading(function* (
    { db },
    { app, before, limit }: { app: string | null; before: number | null; limit: number },
  ) {
    const from = db
      .selectFrom('audit')
      .selectAll()
      .where('number', '<', before ?? Number.MAX_SAFE_INTEGER)
      .orderBy('number', 'desc')
      .limit(limit);
    const rows = yield* all(app === null ? from : from.where('app', '=', app));
    return rows.map(entryOf);
  }),
};

function entryOf(row: Schema['audit']): KeptAuditEntry {
  return {
    number: row.number,
    atMs: row.at_ms,
    actor: row.actor,
    action: row.action,
    app: row.app,
    outcome: row.outcome as AuditEntry['outcome'],
    details: JSON.parse(row.details) as Record<string, unknown>,
  };
}
