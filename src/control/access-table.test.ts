import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Scope } from '../model/access-token.ts';
import { ApiWorld, SECRET_MARKER, type Operation } from './fixtures/api-world.ts';
import { newToken } from './token-form.ts';

const RANK: Record<Scope | 'open', number> = { open: 0, read: 1, deploy: 2, admin: 3 };

/** A status, or `ok` for whatever the operation's own is. */
type Expected = 'ok' | 401 | 403 | 404;

interface Asker {
  readonly what: string;
  /** Null: the Unix socket. Undefined: no token. */
  token?: string | null;
  expected(operation: Operation): Expected;
}

const withScope =
  (scope: Scope) =>
  (operation: Operation): Expected =>
    RANK[scope] >= RANK[operation.scope] ? 'ok' : 403;

describe('every route and every kind of caller', () => {
  let world: ApiWorld;
  const askers: Asker[] = [];

  before(async () => {
    world = await ApiWorld.start();
    const locked = ({ scope }: Operation): Expected => (scope === 'open' ? 'ok' : 401);
    const limited = ({ scope, reach }: Operation): Expected =>
      scope !== 'open' && reach === 'server' ? 403 : 'ok';
    askers.push(
      { what: 'no token', expected: locked },
      { what: 'a wrong token', token: newToken(), expected: locked },
      { what: 'something that is no token', token: 'hunter2', expected: locked },
      {
        what: 'an expired token',
        token: await world.token({ expiresAtMs: 1, name: 'old' }),
        expected: locked,
      },
      { what: 'a read-only token', token: await world.token({ scope: 'read' }), expected: withScope('read') },
      {
        what: 'a token to deploy',
        token: await world.token({ scope: 'deploy' }),
        expected: withScope('deploy'),
      },
      {
        what: "another app's token",
        token: await world.token({ apps: ['blog'] }),
        expected: (operation) =>
          operation.scope !== 'open' && operation.reach.endsWith('app') ? 404 : limited(operation),
      },
      { what: "the app's own token", token: await world.token({ apps: ['shop'] }), expected: limited },
      { what: 'the right token', token: await world.token(), expected: () => 'ok' },
      { what: 'the token of this start', token: world.ownToken, expected: () => 'ok' },
      { what: 'the Unix socket', token: null, expected: () => 'ok' },
    );
  });
  after(() => world.end());

  test('each is let in, or refused with what it should be, changes nothing then, and is written down', async (t) => {
    for (const operation of world.operations()) {
      for (const asker of askers) {
        await t.test(`${asker.what}: ${operation.method} ${operation.path}`, async () => {
          await world.seed();
          // Whoever fails often is slowed down; that is another test's.
          await world.clock.advance(60_000);
          const expected = asker.expected(operation);
          const askedBefore = world.host.asked.length;
          const writtenBefore = world.audit.entries.length;
          const secretsBefore = JSON.stringify([...world.secrets.values]);
          const tokensBefore = [...world.tokens.kept.keys()].join();
          const answer = await world.run(operation, {
            socket: asker.token === null,
            ...(typeof asker.token === 'string'
              ? { headers: { authorization: `Bearer ${asker.token}` } }
              : {}),
          });
          if (expected === 'ok') assert.ok(answer.status < 300, answer.text);
          else assert.equal(answer.status, expected, answer.text);
          const written = world.audit.entries.slice(writtenBefore);
          const changes = operation.method !== 'GET' && operation.id !== 'missingBlobs';
          const admitted = expected !== 401;
          assert.deepEqual(
            written.map(({ outcome }) => outcome),
            changes && admitted ? [expected === 'ok' ? 'ok' : 'refused'] : [],
          );
          assert.ok(!JSON.stringify(written).includes(SECRET_MARKER), 'nothing secret is written down');
          if (expected === 'ok') return;
          assert.equal(world.host.asked.length, askedBefore, 'nothing was asked of the server');
          assert.equal(JSON.stringify([...world.secrets.values]), secretsBefore);
          assert.equal([...world.tokens.kept.keys()].join(), tokensBefore);
          const says = answer.json['detail'] as string;
          assert.equal(/expired/.test(says), asker.what === 'an expired token', says);
        });
      }
    }
  });

  test('a token of other apps is told the same of an app that exists and of one that does not', async () => {
    const token = await world.token({ apps: ['blog'] });
    const headers = { authorization: `Bearer ${token}` };
    for (const operation of world.operations().filter(({ reach }) => reach.endsWith('app'))) {
      await world.clock.advance(60_000);
      const [there, nowhere] = [
        await world.run(operation, { headers }),
        await world.run(operation, { headers, app: 'nope' }),
      ];
      assert.equal(there.status, 404);
      assert.equal(there.text.replaceAll('shop', 'nope'), nowhere.text, operation.id);
    }
    const apps = await world.run(
      world.operations().find(({ id }) => id === 'listApps')!,
      { headers },
    );
    assert.deepEqual(
      (apps.json as unknown as { id: string }[]).map(({ id }) => id),
      ['blog'],
    );
  });
});
