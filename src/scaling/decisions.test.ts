import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decisions, KEPT_DECISIONS } from './decisions.ts';
import { revision, revisions, Scene } from './testing/scene.ts';

test('the latest decisions are kept, the oldest of them first', () => {
  const decisions = new Decisions();
  const reasons = (): string[] => decisions.all().map(({ reason }) => reason);
  const add = (n: number): void =>
    decisions.add({ atMs: n, instance: `i_${n}`, kind: 'start', reason: String(n) });
  assert.deepEqual(reasons(), []);
  add(1);
  add(2);
  assert.deepEqual(reasons(), ['1', '2']);
  for (let n = 3; n <= KEPT_DECISIONS + 7; n++) add(n);
  assert.deepEqual(
    reasons(),
    Array.from({ length: KEPT_DECISIONS }, (_, i) => String(i + 8)),
  );
});

/** What the status says of `shop`, without ids. */
function told(scene: Scene): string[] {
  return scene
    .status('shop')
    .decisions.map(({ kind, reason }) => `${kind}: ${reason.replaceAll(/i_\w+/g, 'i_x')}`);
}

test('every start and end of a function has its reason in the status', async () => {
  const scene = await Scene.of(revision('shop'));
  await scene.meanwhile(scene.send('shop'));
  await scene.pass(1_010);
  assert.deepEqual(told(scene), ['start: queue 1', 'end: keep-alive passed']);

  void scene.send('shop', 500);
  await scene.pass(100);
  scene.runtime.instances.at(-1)!.crash('SIGSEGV');
  await scene.pass(10);
  assert.deepEqual(told(scene).slice(2), ['start: queue 1', 'end: ended unexpectedly: SIGSEGV']);

  // Told to go, and something else ends it first.
  void scene.send('shop', 5_000);
  await scene.pass(100);
  await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb' }))), 100);
  assert.equal(scene.status('shop').instances[0]!.endReason, 'revision bbbbbbbbbbbb took over');
  scene.runtime.instances.at(-2)!.crash('exit code 1');
  await scene.pass(10);
  assert.deepEqual(told(scene).slice(4, 7), [
    'start: queue 1',
    'start: deploy: warm 1 of 1',
    'end: ended unexpectedly: exit code 1 (it was draining: revision bbbbbbbbbbbb took over)',
  ]);
  await scene.meanwhile(scene.scaler.close(100));
});

test('so have those of a service, and starts that fail', async () => {
  const scene = await Scene.of(revision('shop', { mode: 'service' }));
  scene.runtime.instances[0]!.crash('exit code 1');
  await scene.pass(200);
  scene.runtime.onStart = () => ({ takesMs: 20, fails: 'it threw' });
  scene.runtime.instances.at(-1)!.health = 'bad';
  await scene.pass(35_000);
  assert.deepEqual(told(scene).slice(0, 5), [
    'start: deploy: replica 1 of 1',
    'end: ended unexpectedly: exit code 1',
    'start: replaces i_x (exit code 1)',
    'start: replaces i_x (missed 3 health checks: status 500)',
    'end: start failed: Component "shop" could not be started: it threw',
  ]);
  await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
  await scene.meanwhile(scene.scaler.close(100));
});
