import assert from 'node:assert/strict';
import type { AuditEntry } from '../../../src/model/audit-store.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { NOW_MS } from './support/things.ts';

/** What every audit log must do. */
export function auditSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('audit: entries are read back as they were, newest first', async ({ audit }) => {
    const first = entry({ details: { release: 1, nested: { list: [null, 'x'] } } });
    await audit.append(first);
    await audit.append(entry({ app: null, action: 'token.create', outcome: 'refused' }));
    const all = await audit.list({ app: null, before: null, limit: 10 });
    assert.deepEqual(
      all.map(({ number, action }) => [number, action]),
      [
        [2, 'token.create'],
        [1, 'deploy'],
      ],
    );
    assert.deepEqual(all[1], { ...first, number: 1 });
  });

  check('audit: pages and an app narrow it down', async ({ audit }) => {
    for (let i = 0; i < 6; i++) await audit.append(entry({ app: i % 2 ? 'shop' : 'other' }));
    const numbers = async (app: string | null, before: number | null, limit: number): Promise<number[]> =>
      (await audit.list({ app, before, limit })).map((one) => one.number);
    assert.deepEqual(await numbers(null, null, 2), [6, 5]);
    assert.deepEqual(await numbers(null, 5, 2), [4, 3]);
    assert.deepEqual(await numbers('shop', null, 10), [6, 4, 2]);
    assert.deepEqual(await numbers('shop', 4, 10), [2]);
  });

  check('audit: entries made at once are numbered without a gap', async ({ audit }) => {
    await Promise.all(Array.from({ length: 40 }, () => audit.append(entry())));
    const all = await audit.list({ app: null, before: null, limit: 100 });
    assert.deepEqual(
      all.map((one) => one.number),
      Array.from({ length: 40 }, (_, i) => 40 - i),
    );
  });
}

function entry(fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    atMs: NOW_MS,
    actor: 'ci (t_1)',
    action: 'deploy',
    app: 'shop',
    outcome: 'ok',
    details: {},
    ...fields,
  };
}
