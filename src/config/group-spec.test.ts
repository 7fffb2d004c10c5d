import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, unitsOf } from '../model/units.ts';
import { app, appFolder, load } from './testing/configs.ts';

const MB = 1024 ** 2;

test('what one member says of the process holds for what another says of itself', async (t) => {
  const components = {
    a: { entry: './a.ts', mode: 'service' },
    b: { entry: './catalog.ts', timeout: '20m' },
  };
  const spec = await load(await appFolder(t), app(components, { groups: { core: ['a', 'b'] } }));
  assert.equal(spec.groups.get('core')!.service.timeoutMs, 20 * 60_000);
});

test('a group has what its members say, the sum of their memory and the longest of their timeouts', async (t) => {
  const spec = await load(
    await appFolder(t),
    app(
      {
        a: {
          entry: './a.ts',
          mode: 'service',
          timeout: '2m',
          memory: '100MB',
          env: { A: '1' },
          calls: ['b'],
        },
        b: {
          entry: './catalog.ts',
          replicas: 2,
          storage: ['./data'],
          env: { B: '2' },
          isolation: 'required',
        },
        c: { entry: './src/deep.mts' },
      },
      { groups: { core: ['b', 'a'] } },
    ),
  );
  const core = spec.groups.get('core')!;
  assert.deepEqual(
    core.members.map(({ name }) => name),
    ['b', 'a'],
  );
  assert.equal(core.modeSetting, 'service');
  assert.equal(core.service.memoryBytes, 356 * MB);
  assert.equal(core.function.memoryBytes, 228 * MB);
  assert.equal(core.service.timeoutMs, 120_000);
  assert.equal(core.service.drainMs, 120_000);
  assert.deepEqual([core.service.minReplicas, core.service.maxReplicas], [2, 2]);
  assert.deepEqual(Object.keys(core.env).toSorted(), ['A', 'B']);
  assert.equal(core.storage.length, 1);
  assert.equal(core.isolation, 'required');
  // A member is told the same of itself, and keeps what is its own.
  const a = spec.components.get('a')!;
  assert.ok(a.kind === 'module');
  assert.deepEqual([a.modeSetting, a.service.minReplicas, a.service.timeoutMs], ['service', 2, 120_000]);
  assert.deepEqual([a.calls, a.service.memoryBytes, Object.keys(a.env)], [['b'], 100 * MB, ['A']]);
  assert.deepEqual(
    unitsOf(spec).map(({ name }) => name),
    ['core', 'c'],
  );
  assert.deepEqual([groupOf(spec, 'a'), groupOf(spec, 'c')], ['core', null]);
});
