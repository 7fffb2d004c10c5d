import type { SealedSecret } from '../../model/secret-store.ts';
import { changing, reading } from '../operation.ts';
import { all, change } from '../steps.ts';
import type { Schema } from '../tables.ts';

export const secretOperations = {
  'secrets.list': reading(function* ({ db }, app: string) {
    const rows = yield* all(db.selectFrom('secrets').selectAll().where('app', '=', app).orderBy('name'));
    return rows.map(secretOf);
  }),

  'secrets.put': changing(function* ({ db }, secret: SealedSecret) {
    const values = {
      key_id: secret.keyId,
      sealed: secret.sealed,
      updated_at_ms: Math.floor(secret.updatedAtMs),
    };
    yield* change(
      db
        .insertInto('secrets')
        .values({ app: secret.app, name: secret.name, ...values })
        .onConflict((conflict) => conflict.columns(['app', 'name']).doUpdateSet(values)),
    );
  }),

  'secrets.remove': changing(function* ({ db }, { app, name }: { app: string; name: string }) {
    return (yield* change(db.deleteFrom('secrets').where('app', '=', app).where('name', '=', name))) > 0;
  }),

  'secrets.all': reading<null, readonly SealedSecret[]>(function* ({ db }) {
    const rows = yield* all(db.selectFrom('secrets').selectAll().orderBy('app').orderBy('name'));
    return rows.map(secretOf);
  }),

  'secrets.replace': changing(function* (
    { db },
    pairs: readonly { readonly before: SealedSecret; readonly after: SealedSecret }[],
  ) {
    let replaced = 0;
    for (const { before, after } of pairs) {
      replaced += yield* change(
        db
          .updateTable('secrets')
          .set({
            key_id: after.keyId,
            sealed: after.sealed,
            updated_at_ms: Math.floor(after.updatedAtMs),
          })
          .where('app', '=', before.app)
          .where('name', '=', before.name)
          .where('sealed', '=', before.sealed),
      );
    }
    return replaced;
  }),
};

function secretOf(row: Schema['secrets']): SealedSecret {
  return {
    app: row.app,
    name: row.name,
    keyId: row.key_id,
    sealed: row.sealed,
    updatedAtMs: row.updated_at_ms,
  };
}
