import { FulcrumError } from '../../base/errors.ts';
import type { AccessToken, Scope } from '../../model/access-token.ts';
import { changing, noting, reading } from '../operation.ts';
import { all, change, first } from '../steps.ts';
import type { Schema } from '../tables.ts';

const MINUTE_MS = 60_000;

export const tokenOperations = {
  'tokens.add': changing(function* ({ db }, token: AccessToken) {
    const added = yield* change(
      db
        .insertInto('tokens')
        .values({
          id: token.id,
          name: token.name,
          hash: token.hash,
          scope: token.scope,
          apps: token.apps === null ? null : JSON.stringify(token.apps),
          created_at_ms: Math.floor(token.createdAtMs),
          expires_at_ms: token.expiresAtMs === null ? null : Math.floor(token.expiresAtMs),
          last_used_at_ms: token.lastUsedAtMs === null ? null : Math.floor(token.lastUsedAtMs),
        })
        .onConflict((conflict) => conflict.doNothing()),
    );
    if (added === 0) throw new FulcrumError('conflict', `There is a token '${token.id}' already.`);
  }),

  'tokens.list': reading<null, readonly AccessToken[]>(function* ({ db }) {
    const rows = yield* all(db.selectFrom('tokens').selectAll().orderBy('created_at_ms').orderBy('id'));
    return rows.map(tokenOf);
  }),

  'tokens.byHash': reading(function* ({ db }, hash: string) {
    const row = yield* first(db.selectFrom('tokens').selectAll().where('hash', '=', hash));
    return row === null ? null : tokenOf(row);
  }),

  'tokens.used': noting(function* ({ db }, { id, atMs }: { id: string; atMs: number }) {
    const minute = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    yield* change(
      db
        .updateTable('tokens')
        .set({ last_used_at_ms: minute })
        .where('id', '=', id)
        // Servers' clocks differ; and within a minute there is nothing to write.
        .where((eb) => eb.or([eb('last_used_at_ms', 'is', null), eb('last_used_at_ms', '<', minute)])),
    );
  }),

  'tokens.remove': changing(function* ({ db }, id: string) {
    return (yield* change(db.deleteFrom('tokens').where('id', '=', id))) > 0;
  }),
};

function tokenOf(row: Schema['tokens']): AccessToken {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    scope: row.scope as Scope,
    apps: row.apps === null ? null : (JSON.parse(row.apps) as string[]),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}
