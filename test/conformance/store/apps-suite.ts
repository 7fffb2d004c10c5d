import assert from 'node:assert/strict';
import { NO_LIMITS } from '../../../src/model/app.ts';
import type { AppRecord } from '../../../src/model/app-record.ts';
import { usageBatch } from '../usage-record.ts';
import { hasCode } from './support/has-code.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { contentOf, fileOf, newApp, newRelease, NOW_MS, putContent } from './support/things.ts';

/** What every store of apps must do. */
export function appsSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('apps: one is read back as it was made, and lists are by id', async ({ apps }) => {
    const full = newApp({
      id: 'shop@staging',
      environment: 'staging',
      hosts: ['a.example', 'b.example'],
      prefix: '/shop',
      serving: 3,
      canary: { release: 4, steps: [1, 10], everyMs: 1_000, maxErrors: 0.01, step: 1, stepBeganAtMs: 5 },
      modes: { catalog: { configured: 'auto', chosen: 'service', mode: 'service' } },
      limits: {
        catalog: {
          configured: NO_LIMITS,
          chosen: { rps: 0.5, burst: 3, perClient: { rps: 5, burst: 10 }, concurrency: 0 },
        },
      },
    });
    assert.deepEqual(await apps.create(newApp({ id: 'zoo' })), { ...newApp({ id: 'zoo' }), version: 1 });
    assert.deepEqual(await apps.create(full), { ...full, version: 1 });
    assert.deepEqual(await apps.get('shop@staging'), { ...full, version: 1 });
    assert.equal(await apps.get('shop'), null);
    assert.deepEqual(
      (await apps.list()).map((app) => app.id),
      ['shop@staging', 'zoo'],
    );
  });

  check('apps: a second one of the same id is a conflict and changes nothing', async ({ apps }) => {
    const first = await apps.create(newApp());
    await assert.rejects(apps.create(newApp({ prefix: '/other' })), hasCode('conflict', /'shop'/));
    assert.deepEqual(await apps.get('shop'), first);
  });

  check('apps: of many that are made at once with one id, one is', async ({ apps }) => {
    const made = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => apps.create(newApp({ prefix: `/${i}` }))),
    );
    assert.equal(made.filter((one) => one.status === 'fulfilled').length, 1);
    for (const one of made) if (one.status === 'rejected') assert.ok(hasCode('conflict')(one.reason));
  });

  check('apps: an update changes what it names and counts the version', async ({ apps }) => {
    const app = await apps.create(
      newApp({ modes: { a: { configured: 'auto', chosen: 'auto', mode: 'function' } } }),
    );
    const updated = await apps.update('shop', 1, { serving: 2, hosts: [] });
    assert.deepEqual(updated, { ...app, serving: 2, hosts: [], version: 2 });
    const back = await apps.update('shop', 2, {
      ...{ serving: null, canary: null, modes: {}, prefix: '/x' },
      limits: { a: { configured: NO_LIMITS, chosen: { ...NO_LIMITS, concurrency: 0 } } },
    });
    const { limits } = back;
    assert.equal(limits['a']!.chosen.concurrency, 0);
    assert.deepEqual(back, { ...app, hosts: [], prefix: '/x', modes: {}, limits, version: 3 });
    assert.deepEqual(await apps.get('shop'), back);
  });

  check('apps: an update of a version that is over is a conflict; of no app, not found', async ({ apps }) => {
    await apps.create(newApp());
    await apps.update('shop', 1, { serving: 1 });
    await assert.rejects(apps.update('shop', 1, { serving: 7 }), hasCode('conflict', /at version 2, not 1/));
    await assert.rejects(apps.update('other', 1, { serving: 7 }), hasCode('not-found'));
    assert.equal((await apps.get('shop'))!.serving, 1);
  });

  check('apps: a release changes its state with its app, or neither changes', async ({ apps, releases }) => {
    await apps.create(newApp());
    await releases.add(newRelease());
    const state = async (): Promise<string> => (await releases.get('shop', 1))!.state;
    const healthy = { number: 1, state: 'healthy', failure: null } as const;
    await assert.rejects(apps.update('shop', 7, { serving: 1 }, healthy), hasCode('conflict'));
    assert.equal(await state(), 'uploaded');
    const none = apps.update('shop', 1, { serving: 2 }, { ...healthy, number: 2 });
    await assert.rejects(none, hasCode('not-found', /no release 2/));
    assert.equal((await apps.get('shop'))!.serving, null);
    await apps.update('shop', 1, { serving: 1 }, healthy);
    assert.equal((await apps.get('shop'))!.serving, 1);
    assert.equal(await state(), 'healthy');
    const failure = { code: 'deploy-failed', message: 'It went back.', component: null, log: [] };
    await apps.update('shop', 2, { canary: null }, { number: 1, state: 'failed', failure });
    assert.deepEqual((await releases.get('shop', 1))!.failure, failure);
  });

  check('apps: of many updates of one version, one happens', async ({ apps }) => {
    await apps.create(newApp());
    const done = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => apps.update('shop', 1, { serving: i })),
    );
    const won = done.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(won.length, 1);
    assert.deepEqual(await apps.get('shop'), won[0] satisfies AppRecord | undefined);
  });

  check('apps: removing one takes its releases, secrets and usage along, and nothing else', async (store) => {
    const { apps, releases, secrets, usage, blobs, audit } = store;
    const content = contentOf(100);
    await putContent(blobs, content);
    const range = { component: null, fromMs: 0, toMs: 8e15, limit: 100, after: null };
    for (const app of ['shop', 'other']) {
      await apps.create(newApp({ id: app }));
      await releases.add(newRelease([fileOf(content)], { app }));
      await secrets.put({ app, name: 'KEY', keyId: 'k', sealed: Uint8Array.of(1), updatedAtMs: NOW_MS });
      await usage.append(
        usageBatch({
          app,
          arrivals: Array.from({ length: 1_200 }, (_, i) => ({
            part: `${app}${i}`,
            component: `c${i % 3}`,
            mode: 'function' as const,
            firstMs: i,
            lastMs: i,
            count: 1,
            bytes: Uint8Array.of(1),
          })),
        }),
      );
      await audit.append({ atMs: NOW_MS, actor: 'ci', action: 'deploy', app, outcome: 'ok', details: {} });
    }
    await apps.remove('shop');
    await apps.remove('shop');
    assert.equal(await apps.get('shop'), null);
    assert.deepEqual(await releases.list('shop', null, 10), []);
    assert.deepEqual(await secrets.list('shop'), []);
    assert.deepEqual((await usage.arrivals({ ...range, app: 'shop' })).items, []);
    assert.equal((await audit.list({ app: 'shop', before: null, limit: 10 })).length, 1);

    assert.equal((await apps.list()).length, 1);
    assert.equal((await releases.list('other', null, 10)).length, 1);
    assert.equal((await secrets.list('other')).length, 1);
    assert.equal((await usage.arrivals({ ...range, app: 'other', limit: 10_000 })).items.length, 1_200);
    assert.equal(await blobs.sweep(Date.now() + 1e6), 0, 'the other app still names the file');
  });
}
