import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FulcrumError } from '../../base/errors.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { Claims } from './claims.ts';

function app(id: string, hosts: readonly string[]): AppRecord {
  const kept = { prefix: '', createdAtMs: 0, serving: 1, canary: null, modes: {}, limits: {}, version: 1 };
  return { id, name: id, environment: 'production', hosts, ...kept };
}

test('of two that claim one place at once the second is refused, and has written nothing', async () => {
  const kept = new Map([app('one', ['one.com']), app('two', ['two.com'])].map((each) => [each.id, each]));
  const claims = new Claims({ list: async () => await Promise.resolve([...kept.values()]) });
  const take = (id: string): Promise<void> =>
    claims.decide({ app: id, routing: { hosts: ['new.com'], prefix: '' }, isAdmin: true }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      kept.set(id, app(id, ['new.com']));
    });
  const [one, two] = await Promise.allSettled([take('one'), take('two')]);
  assert.equal(one.status, 'fulfilled');
  assert.ok(two.status === 'rejected');
  assert.equal((two.reason as FulcrumError).code, 'conflict');
  assert.deepEqual(kept.get('two')!.hosts, ['two.com']);
});

test('what fails lets the next decide', async () => {
  const claims = new Claims({ list: () => Promise.resolve([]) });
  await assert.rejects(
    claims.decide(null, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await claims.decide(null, () => Promise.resolve(7)), 7);
});
