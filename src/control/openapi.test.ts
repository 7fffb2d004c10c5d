import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { ApiParts } from './routes/parts.ts';
import { EXAMPLE_IDS, ApiWorld } from './fixtures/api-world.ts';
import { allRoutes } from './routes/index.ts';
import { buildSite } from './site.ts';

describe('the OpenAPI document', () => {
  let world: ApiWorld;
  before(async () => {
    world = await ApiWorld.start();
  });
  after(() => world.end());

  test('is valid OpenAPI 3.1, and every reference in it leads somewhere', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(world.document) as never);
    assert.deepEqual(result, { valid: true });
    assert.equal(validator.version, '3.1');
    const references = JSON.stringify(world.document).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference] of references) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference!)?.[1];
      assert.ok(name !== undefined && name in world.document.components.schemas, reference!);
    }
  });

  test('tells of every route of the router, and of no other', () => {
    const parts = { closing: new AbortController().signal } as unknown as ApiParts;
    const site = buildSite({ routes: allRoutes(parts), ownToken: null } as never);
    const routed = site.routes
      .filter(({ path, method }) => path.startsWith('/v1/') && method !== 'ALL')
      .map(({ path, method }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const told = world.operations().map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(routed.sort(), told.sort());
    assert.equal(new Set(told).size, told.length);
    // The page's own use of the API is of the same routes, but for those that are open to everybody.
    const ofPage = site.routes.filter(
      ({ path, method }) => path.startsWith('/s/:session/v1/') && method !== 'ALL',
    );
    const open = world.operations().filter(({ scope }) => scope === 'open');
    assert.equal(ofPage.length, told.length - open.length);
  });

  test('names each operation once, and the tests have an example of each', () => {
    const ids = world.operations().map(({ id }) => id);
    assert.deepEqual([...ids].sort(), [...EXAMPLE_IDS].sort());
    assert.equal(new Set(ids).size, ids.length);
  });

  test('every change has its name in the log of changes; what only looks has none', () => {
    const parts = { closing: new AbortController().signal } as unknown as ApiParts;
    // Asks which files are missing, with a body for there are many: it changes nothing.
    const looks = new Set(['missingBlobs']);
    for (const { id, method, audit } of allRoutes(parts)) {
      assert.equal(audit === null, method === 'GET' || looks.has(id), id);
    }
    const actions = allRoutes(parts).flatMap(({ audit }) => (audit === null ? [] : [audit.action]));
    assert.equal(new Set(actions).size, actions.length);
  });

  test('only health and the document itself are open', () => {
    const open = world.operations().filter(({ scope }) => scope === 'open');
    assert.deepEqual(open.map(({ id }) => id).sort(), ['health', 'openapi']);
  });

  test('what goes well is as it says, and so are errors', async () => {
    const token = await world.token();
    const headers = { authorization: `Bearer ${token}` };
    for (const operation of world.operations()) {
      await world.seed();
      const answer = await world.run(operation, { headers });
      assert.ok(answer.status < 300, `${operation.id}: ${answer.text}`);
      if (operation.scope !== 'open') {
        assert.equal((await world.run(operation)).status, 401, operation.id);
        await world.clock.advance(60_000);
      }
    }
    const wanted = world
      .operations()
      .flatMap(({ id, scope }) => (scope === 'open' ? [`${id} ok`] : [`${id} ok`, `${id} error`]));
    assert.deepEqual([...world.seen].sort(), wanted.sort());
  });
});
