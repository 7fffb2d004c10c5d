import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { ModuleRevision } from '../../../src/model/revision.ts';
import { isAlive, type Bench } from '../runtime/bench.ts';
import { ended, openForks, told } from './scene.ts';

/** How often idle zygotes are looked for. */
const SWEEP_MS = 5_000;

async function withKeepAlive(bench: Bench, zygoteKeepAliveMs: number): Promise<() => Promise<Instance>> {
  const first = await bench.start('fork', {}, { KEPT: `${zygoteKeepAliveMs}` });
  const known = first.revision as ModuleRevision;
  await ended(first);
  const revision = { ...known, id: 'ffffffffffff', spec: { ...known.spec, zygoteKeepAliveMs } };
  return () => bench.start('fork', { revision });
}

async function zygoteOf(instance: Instance): Promise<number> {
  return (await told<{ ppid: number }>(instance, 'identity')).ppid;
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await turn();
}

test('with a keep-alive of 0 a zygote ends with its last instance, and not before', async (t) => {
  // A clock that stands still: at once, not when next looked for.
  const start = await withKeepAlive(await openForks(t, {}, new FakeClock()), 0);
  const alone = await start();
  const [one, other] = await Promise.all([start(), start()]);
  const zygote = await zygoteOf(one);
  assert.equal(await zygoteOf(other), zygote);
  await ended(one);
  const third = await start();
  assert.equal(await zygoteOf(third), zygote);
  await ended(third);
  assert.equal(await zygoteOf(other), zygote);
  await ended(other);
  await gone(zygote);
  const fourth = await start();
  assert.notEqual(await zygoteOf(fourth), zygote);
  await ended(alone);
});

test('with a keep-alive of 0 an instance that is alone loads the module itself, and may hold what a fork could not share', async (t) => {
  const start = await withKeepAlive(await openForks(t), 0);
  const first = await start();
  const root = await zygoteOf(first);
  await ended(first);
  await gone(first.pid);
  const second = await start();
  assert.equal(await zygoteOf(second), root);
  assert.equal(second.engine, 'fork');
  await ended(second);
});

test('a zygote without an instance stays for its keep-alive, and ends when that has passed', async (t) => {
  const clock = new FakeClock();
  const start = await withKeepAlive(await openForks(t, {}, clock), 60_000);
  const one = await start();
  const zygote = await zygoteOf(one);
  await ended(one);
  await clock.advance(60_000 - SWEEP_MS);
  const second = await start();
  assert.equal(await zygoteOf(second), zygote);
  await clock.advance(120_000);
  assert.equal(await zygoteOf(second), zygote);
  await ended(second);
  await clock.advance(60_000 + SWEEP_MS);
  await gone(zygote);
  assert.notEqual(await zygoteOf(await start()), zygote);
});

test('a zygote that is told so ends with its last instance, and the one after it stays as its config says', async (t) => {
  const clock = new FakeClock();
  const bench = await openForks(t, {}, clock);
  const start = await withKeepAlive(bench, 60_000);
  const one = await start();
  const other = await start();
  const zygote = await zygoteOf(one);
  bench.keepZygote(one.revision, 0);
  await ended(one);
  assert.equal(await zygoteOf(other), zygote);
  // The clock stands still: at once, not when next looked for.
  await ended(other);
  await gone(zygote);
  const third = await start();
  const next = await zygoteOf(third);
  assert.notEqual(next, zygote);
  await ended(third);
  await clock.advance(60_000 - SWEEP_MS);
  assert.equal(await zygoteOf(await start()), next);
});

test('a zygote that is told another keep-alive has that, until it is told that its own holds', async (t) => {
  const clock = new FakeClock();
  const bench = await openForks(t, {}, clock);
  const start = await withKeepAlive(bench, 60_000);
  const one = await start();
  const zygote = await zygoteOf(one);
  bench.keepZygote(one.revision, 600_000);
  await ended(one);
  await clock.advance(300_000);
  const second = await start();
  assert.equal(await zygoteOf(second), zygote);
  bench.keepZygote(one.revision, null);
  await ended(second);
  await clock.advance(60_000 - SWEEP_MS);
  const third = await start();
  assert.equal(await zygoteOf(third), zygote);
  await ended(third);
  await clock.advance(60_000 + SWEEP_MS);
  await gone(zygote);
});

test('a zygote that has no instance and is told to end with its last ends now', async (t) => {
  const bench = await openForks(t, {}, new FakeClock());
  const start = await withKeepAlive(bench, 60_000);
  const one = await start();
  const zygote = await zygoteOf(one);
  await ended(one);
  bench.keepZygote(one.revision, 0);
  await gone(zygote);
});
