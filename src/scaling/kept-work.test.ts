import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_LIMITS } from '../model/app.ts';
import { revision, Scene } from './testing/scene.ts';

const waiting = { waiting: 120, oldestMs: 14_000, underWay: 0 };

test('a start for kept work tells how much of it waits and for how long, and one without a backlog does not', async () => {
  const scene = await Scene.of(revision('receipts'));
  assert.equal(scene.scaler.workWindow('receipts', waiting), 32);
  void scene.send('receipts', 10, { trigger: 'event' });
  await scene.pass(100);
  assert.match(scene.story.join('\n'), /starts: queue 1, with a backlog of 120 for 14s/);
  await scene.pass(5_000);
  void scene.send('receipts', 10);
  await scene.pass(100);
  assert.match(scene.story.join('\n'), /starts: queue 1\n/);
});

test('kept work counts as load of a service, and gets half of what its ready replicas have', async () => {
  const service = { concurrency: 10, minReplicas: 2, maxReplicas: 2 };
  const scene = await Scene.of(revision('stock', { mode: 'service', service }));
  assert.equal(scene.scaler.workWindow('stock', waiting), 10);
  for (let i = 0; i < 15; i++) void scene.send('stock', 10_000);
  await scene.pass(0);
  assert.equal(scene.scaler.workWindow('stock', waiting), 5);
});

test('nothing may be under way of what is switched off, is not there, or is closing', async () => {
  const scene = await Scene.of(revision('receipts'));
  scene.limits.choose('receipts', { ...NO_LIMITS, concurrency: 0 });
  assert.equal(scene.scaler.workWindow('receipts', waiting), 0);
  scene.limits.choose('receipts', { ...NO_LIMITS, concurrency: 2 });
  assert.equal(scene.scaler.workWindow('receipts', waiting), 2);
  assert.equal(scene.scaler.workWindow('nobody', waiting), 0);
  const closed = scene.scaler.close(0);
  assert.equal(scene.scaler.workWindow('receipts', waiting), 0);
  await scene.meanwhile(closed);
});
