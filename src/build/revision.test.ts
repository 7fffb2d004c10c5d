import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CommandSpec, ModuleSpec } from '../model/app.ts';
import type { EnvSource } from '../model/env-source.ts';
import type { Bundle } from '../model/revision.ts';
import { commandRevision, moduleRevision } from './revision.ts';
import { moduleSpec } from './testing/test-app.ts';

const BUNDLE: Bundle = {
  path: '/apps/shop/.fulcrum/build/cart-0123456789ab/index.mjs',
  filesRoot: '/apps/shop',
  digest: 'ab'.repeat(32),
  sizeBytes: 10,
  sources: [],
};
const ENV: Record<string, EnvSource> = {
  CURRENCY: { kind: 'value', value: 'EUR' },
  KEY: { kind: 'secret', secret: 'PAYMENT_KEY' },
};
const VALUES = { CURRENCY: 'EUR', KEY: 'hush' };

function spec(directory = '/apps/shop'): ModuleSpec {
  return { ...moduleSpec('cart', `${directory}/cart.ts`), storage: [`${directory}/data`], env: ENV };
}

function command(directory = '/apps/shop'): CommandSpec {
  const { entry: _entry, schedules: _schedules, ...common } = spec(directory);
  return {
    ...common,
    kind: 'command',
    command: 'node server.js',
    cwd: `${directory}/legacy`,
    healthPath: null,
  };
}

void test('an id is 12 hex digits, and the same for the same code and settings, wherever the app lies', () => {
  const here = moduleRevision(spec(), VALUES, BUNDLE);
  assert.match(here.id, /^[0-9a-f]{12}$/);
  const there = moduleRevision(spec('/srv/releases/7'), VALUES, {
    ...BUNDLE,
    filesRoot: '/srv/releases/7',
    path: '/elsewhere/index.mjs',
  });
  assert.equal(there.id, here.id);
  assert.equal(
    commandRevision(command(), VALUES, '/apps/shop').id,
    commandRevision(command('/srv/releases/7'), VALUES, '/srv/releases/7').id,
  );
});

void test('code, settings and plain environment are part of the id', () => {
  const { id } = moduleRevision(spec(), VALUES, BUNDLE);
  const others = [
    moduleRevision(spec(), VALUES, { ...BUNDLE, digest: 'cd'.repeat(32) }),
    moduleRevision({ ...spec(), function: { ...spec().function, memoryBytes: 1 } }, VALUES, BUNDLE),
    moduleRevision({ ...spec(), storage: ['/apps/shop/other'] }, VALUES, BUNDLE),
    moduleRevision(spec(), { ...VALUES, CURRENCY: 'CHF' }, BUNDLE),
    moduleRevision(spec(), { ...VALUES, NODE_ENV: 'production' }, BUNDLE),
    moduleRevision(
      { ...spec(), env: { ...ENV, KEY: { kind: 'secret', secret: 'OTHER_KEY' } } },
      VALUES,
      BUNDLE,
    ),
  ].map((revision) => revision.id);
  assert.equal(new Set([id, ...others]).size, others.length + 1);
  assert.notEqual(
    commandRevision({ ...command(), cwd: '/apps/shop/other' }, VALUES, '/apps/shop').id,
    commandRevision(command(), VALUES, '/apps/shop').id,
  );
});

void test('the value of a secret changes the digest of the environment, and not the id', () => {
  const [before, after] = [
    moduleRevision(spec(), VALUES, BUNDLE),
    moduleRevision(spec(), { ...VALUES, KEY: 'new' }, BUNDLE),
  ];
  assert.equal(after.id, before.id);
  assert.notEqual(after.envDigest, before.envDigest);
  assert.ok(!JSON.stringify({ ...after, env: null }).includes('new'));
});

void test('the order of variables and settings does not count', () => {
  const { KEY, CURRENCY } = VALUES;
  const a = moduleRevision(spec(), { CURRENCY, KEY }, BUNDLE);
  const b = moduleRevision(
    Object.fromEntries(Object.entries(spec()).reverse()) as unknown as ModuleSpec,
    { KEY, CURRENCY },
    BUNDLE,
  );
  assert.deepEqual([b.id, b.envDigest], [a.id, a.envDigest]);
});
