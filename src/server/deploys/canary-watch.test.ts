import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/log.ts';
import type { RunningApp } from '../running-app.ts';
import { CanaryWatch, type CanaryWatchOptions } from './canary-watch.ts';
import type { RouteTable } from './route-table.ts';

function scene() {
  const clock = new FakeClock();
  const asked: string[] = [];
  let moved = Promise.withResolvers<void>();
  const move = (what: string): Promise<void> => {
    asked.push(what);
    moved = Promise.withResolvers();
    return moved.promise;
  };
  const app = { id: 'shop', canary: { number: 2, outcomes: { total: 0, failed: 0 } } };
  const plan = { steps: [10], everyMs: 1_000, maxErrors: 0 };
  const canary = { ...plan, release: 2, step: 0, stepBeganAtMs: clock.nowMs() };
  const canaries: CanaryWatchOptions['canaries'] = {
    step: () => move('step'),
    settle: (_app, how) => move(how === 'promote' ? 'promote' : 'return'),
  };
  const watch = new CanaryWatch({
    apps: () => [app as unknown as RunningApp],
    routes: { get: () => ({ canary }) } as unknown as RouteTable,
    canaries,
    clock,
    logger: silentLogger,
  });
  return { watch, clock, asked, settle: () => moved.resolve() };
}

test('before it begins, as in a server that only prepares, no canary is moved', async () => {
  const { watch, clock, asked } = scene();
  await clock.advance(60_000);
  assert.deepEqual(asked, []);
  watch.begin();
  watch.begin();
  await clock.advance(500);
  assert.deepEqual(asked, ['promote']);
});

test('it rests when nothing is being moved any more, and can begin again', async () => {
  const { watch, clock, asked, settle } = scene();
  await clock.advance(1_000);
  watch.begin();
  await clock.advance(500);
  assert.deepEqual(asked, ['promote']);
  let rests = false;
  const rested = watch.rest().then(() => (rests = true));
  await Promise.resolve();
  assert.equal(rests, false);
  settle();
  await rested;
  await clock.advance(60_000);
  assert.deepEqual(asked, ['promote']);
  watch.begin();
  await clock.advance(500);
  assert.deepEqual(asked, ['promote', 'promote']);
});
