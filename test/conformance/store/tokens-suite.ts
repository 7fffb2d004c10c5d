import assert from 'node:assert/strict';
import type { AccessToken } from '../../../src/model/access-token.ts';
import { hasCode } from './support/has-code.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { NOW_MS } from './support/things.ts';

/** What every store of tokens must do. */
export function tokensSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('tokens: they are found by their hash and listed by age', async ({ tokens }) => {
    const one = token({ id: 'b', hash: 'h1', createdAtMs: NOW_MS });
    const two = token({ id: 'a', hash: 'h2', createdAtMs: NOW_MS + 1, apps: ['shop'], expiresAtMs: NOW_MS });
    await tokens.add(two);
    await tokens.add(one);
    assert.deepEqual(await tokens.list(), [one, two]);
    assert.deepEqual(await tokens.byHash('h2'), two);
    assert.equal(await tokens.byHash('h3'), null);
  });

  check('tokens: an id or a hash that is taken is a conflict', async ({ tokens }) => {
    await tokens.add(token());
    await assert.rejects(tokens.add(token({ hash: 'other' })), hasCode('conflict'));
    await assert.rejects(tokens.add(token({ id: 'other' })), hasCode('conflict'));
    assert.equal((await tokens.list()).length, 1);
  });

  check('tokens: their last use is kept to the minute, and never goes back', async ({ tokens }) => {
    await tokens.add(token());
    const last = async (): Promise<number | null> => (await tokens.byHash('hash'))!.lastUsedAtMs;
    await tokens.used('id', NOW_MS + 61_234);
    assert.equal(await last(), NOW_MS + 60_000);
    await tokens.used('id', NOW_MS);
    assert.equal(await last(), NOW_MS + 60_000);
    await tokens.used('unknown', NOW_MS);
  });

  check('tokens: removing tells whether there was one', async ({ tokens }) => {
    await tokens.add(token());
    assert.equal(await tokens.remove('id'), true);
    assert.equal(await tokens.remove('id'), false);
    assert.equal(await tokens.byHash('hash'), null);
  });
}

function token(fields: Partial<AccessToken> = {}): AccessToken {
  return {
    id: 'id',
    name: 'ci',
    hash: 'hash',
    scope: 'deploy',
    apps: null,
    createdAtMs: NOW_MS,
    expiresAtMs: null,
    lastUsedAtMs: null,
    ...fields,
  };
}
