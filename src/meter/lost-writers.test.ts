import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON_MS } from '../../test/conformance/usage-record.ts';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { Logger } from '../base/log.ts';
import type { UsageGap, UsageWriter } from '../model/usage-store.ts';
import { LostWriters } from './lost-writers.ts';

test('a writer whose process has ended is buried at once, and told in the log', async () => {
  const scene = newScene();
  scene.writes('own', 0);
  scene.writes('gone', -3_000, 'ended');
  scene.writes('other', -3_000);
  await scene.lost.step();
  assert.deepEqual(scene.gaps, [{ fromMs: NOON_MS - 3_000, toMs: NOON_MS }]);
  assert.deepEqual([...scene.writers.keys()], ['own', 'other']);
  assert.equal(scene.log.length, 1);
  assert.match(
    scene.log[0]!,
    /between 2026-01-01T11:59:57\.000Z and 2026-01-01T12:00:00\.000Z some usage may be missing/,
  );
});

test('one that nobody can tell of is buried when it has been silent for a minute, however clocks are set', async () => {
  const scene = newScene();
  scene.writes('silent', 9_999_999);
  scene.writes('living', -9_999_999);
  for (let second = 0; second < 300 && scene.gaps.length === 0; second += 5) {
    await scene.lost.step();
    await scene.clock.advance(5_000);
    if (second % 10 === 0) scene.writes('living', second);
    if (second === 20) scene.clock.setWallMs(NOON_MS + 1e9);
  }
  assert.deepEqual([...scene.writers.keys()], ['living']);
  assert.ok(scene.clock.monotonicMs() >= 60_000 && scene.clock.monotonicMs() <= 80_000);
});

test('time in which the store, or this process, stood still is not counted as silence', async () => {
  const scene = newScene();
  scene.writes('other', 0);
  await scene.lost.step();
  await scene.clock.advance(50_000);
  await scene.lost.step();
  await scene.clock.advance(15_000);
  await scene.lost.step();
  scene.fails = true;
  for (let i = 0; i < 10; i++) {
    await scene.clock.advance(15_000);
    await scene.lost.step();
  }
  scene.fails = false;
  for (let i = 0; i < 4; i++) {
    await scene.clock.advance(15_000);
    await scene.lost.step();
  }
  assert.deepEqual(scene.gaps, []);
  await scene.clock.advance(15_000);
  await scene.lost.step();
  assert.equal(scene.gaps.length, 1);
});

test('where another was first, it is told once', async () => {
  const scene = newScene();
  scene.writes('gone', 0, 'ended');
  scene.buriedByAnother = true;
  await scene.lost.step();
  assert.deepEqual(scene.log, []);
});

interface Scene {
  readonly lost: LostWriters;
  readonly clock: FakeClock;
  readonly writers: Map<string, UsageWriter>;
  readonly gaps: UsageGap[];
  readonly log: string[];
  fails: boolean;
  buriedByAnother: boolean;
  writes(id: string, wroteMs: number, node?: string): void;
}

function newScene(): Scene {
  const clock = new FakeClock(NOON_MS);
  const writers = new Map<string, UsageWriter>();
  const gaps: UsageGap[] = [];
  const log: string[] = [];
  const none = (): void => undefined;
  const warn = (_: object, message: string): void => {
    if (message.includes('without a word')) log.push(message);
  };
  const logger: Logger = { debug: none, info: none, error: none, warn };
  const scene: Scene = {
    lost: new LostWriters({
      ...{ app: 'shop', self: 'own', clock, logger },
      store: {
        writers: async () => {
          if (scene.fails) throw new FulcrumError('store-failed', 'The disk is full.');
          return [...writers.values()];
        },
        bury: async (_, id, gap) => {
          writers.delete(id);
          if (scene.buriedByAnother) return false;
          gaps.push(gap);
          return true;
        },
      },
      hasEnded: (node) => node === 'ended',
    }),
    ...{ clock, writers, gaps, log, fails: false, buriedByAnother: false },
    writes: (id, wroteMs, node = 'elsewhere') =>
      void writers.set(id, { id, node, sinceMs: 0, wroteMs: NOON_MS + wroteMs, closed: false }),
  };
  return scene;
}
