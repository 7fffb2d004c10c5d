import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { SqlClient } from './database.ts';
import { createOutbox, outbox } from './index.ts';

test('what cannot be is refused where it is asked for', async () => {
  for (const table of ['', 'Outbox', 'a;b', 'a.b.c', '1a', 'x'.repeat(41)])
    assert.throws(() => createOutbox({ table }), {
      name: 'TypeError',
      message: /table is named by lower-case/,
    });
  const pool = { totalCount: 1, query: () => assert.fail('asked') };
  await assert.rejects(outbox.enqueue(pool as SqlClient, 'a'), /enqueue\(\) was given a pool/);
  assert.throws(() => outbox.enqueue({} as SqlClient, 'a'), /An outbox is in a database/);
  const client = { query: () => assert.fail('asked') };
  await assert.rejects(outbox.enqueue(client, 'a', { n: 1n }), {
    code: 'event-invalid',
    message: /data\.n is a BigInt/,
  });
  const { signal } = new AbortController();
  for (const [options, message] of [
    [{ batch: 0 }, /batch is 0; a whole number from 1 to 1,000/],
    [{ limit: 1.5 }, /limit is 1\.5/],
    [{ every: '1' as const, signal }, /every is "1"; a duration/],
    [{ every: '1s' as const }, /relay\(\) needs a `signal`/],
  ] as const)
    await assert.rejects(outbox.relay(client, options), { name: 'TypeError', message });
});

test('outside Fulcrum nothing is lost: what could not be published stays', async () => {
  const database = new DatabaseSync(':memory:');
  database.exec(outbox.schema('sqlite'));
  outbox.enqueue(database, 'order.paid', { order: 'o-1' });
  assert.throws(() => outbox.enqueue(database, 'order paid'), { code: 'event-invalid' });
  await assert.rejects(outbox.relay(database), { code: 'outside-fulcrum' });
  const { published } = await outbox.relay(database, {
    publish: async () => ({ id: 'e_1', duplicate: false }),
  });
  assert.equal(published, 1);
  database.close();
});
