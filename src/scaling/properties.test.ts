import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Mode } from '../model/app.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import { Scene, revision, revisions } from './testing/scene.ts';

interface Arrival {
  readonly gapMs: number;
  readonly takesMs: number;
  readonly leavesAfterMs: number | null;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  gapMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }) },
  ),
  takesMs: fc.integer({ min: 0, max: 80 }),
  leavesAfterMs: fc.option(fc.integer({ min: 0, max: 60 }), { freq: 6 }),
});
const arrivals = fc.array(arrival, { minLength: 1, maxLength: 40 });

const settings = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxInstances: fc.integer({ min: 1, max: 6 }),
  fresh: fc.boolean(),
  keepAliveMs: fc.integer({ min: 0, max: 200 }),
  startMs: fc.integer({ min: 0, max: 50 }),
});

/** Sends all arrivals; `at` runs before each of them. */
async function play(
  scene: Scene,
  all: readonly Arrival[],
  at: (index: number) => void = () => undefined,
): Promise<Promise<InvocationEnd>[]> {
  const ends: Promise<InvocationEnd>[] = [];
  for (const [i, { gapMs, takesMs, leavesAfterMs }] of all.entries()) {
    if (gapMs > 0) await scene.pass(gapMs);
    at(i);
    const abort = new AbortController();
    if (leavesAfterMs !== null) scene.clock.after(leavesAfterMs, () => abort.abort());
    ends.push(scene.send('shop', takesMs, { signal: abort.signal }));
  }
  return ends;
}

function nothingLives(scene: Scene): void {
  assert.equal(scene.runtime.live.size, 0, 'no instance lives');
  assert.equal(scene.runtime.starting, 0, 'none starts');
  assert.equal(scene.dispatcher.running, 0, 'no invocation runs');
}

/** Every invocation has one record, and began in the order of arrival. */
function allAccounted(scene: Scene, sent: number): void {
  assert.equal(scene.usage.length, sent);
  assert.equal(new Set(scene.usage.map(({ requestId }) => requestId)).size, sent);
  const begun = scene.usage
    .filter(({ durationMs, outcome }) => durationMs > 0 || outcome === 'ok')
    .map(({ requestId, arrivedAtMs, waitedMs }) => ({
      nth: Number(requestId.slice(2)),
      atMs: arrivedAtMs + waitedMs,
    }))
    .sort((a, b) => a.nth - b.nth);
  for (let i = 1; i < begun.length; i++)
    assert.ok(begun[i - 1]!.atMs <= begun[i]!.atMs, 'first come, first served');
}

/** However many at once: what was worked on, and each start to one of those that waited for it. */
function neverBilledTwice({ usage, runtime }: Scene, startMs: number): void {
  for (const { startMs: borneMs, durationMs, billedMs } of usage)
    assert.equal(billedMs, Math.ceil(borneMs + durationMs));
  const starts = usage.filter((record) => record.startMs > 0);
  assert.ok(starts.length <= runtime.orders.length, 'no start is billed twice');
  assert.ok(
    starts.every((record) => record.cold && record.startMs <= startMs),
    'nor more of it than there was',
  );
}

describe('under any arrivals, a function', () => {
  it('keeps its bounds, loses nothing, and ends when there is nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, settings, async (all, { startMs, ...o }) => {
        const scene = await Scene.of(revision('shop', { function: o }));
        scene.runtime.onStart = () => {
          // The one that starts now included.
          const pending = scene.runtime.starting + 1;
          assert.ok(
            pending <= scene.dispatcher.running,
            'no more pending starts than are in flight or queued',
          );
          return { takesMs: startMs };
        };
        const ends = await scene.meanwhile(Promise.all(await play(scene, all)));
        for (const [i, { outcome }] of ends.entries()) {
          if (all[i]!.leavesAfterMs === null) assert.equal(outcome, 'ok');
          else assert.ok(outcome === 'ok' || outcome === 'cancelled');
        }
        allAccounted(scene, all.length);
        neverBilledTwice(scene, startMs);
        assert.deepEqual(scene.runtime.breaches, []);
        assert.ok(scene.runtime.most <= o.maxInstances);
        assert.ok(scene.runtime.orders.length <= all.length, 'no more starts than invocations');
        if (o.fresh) assert.ok(scene.runtime.instances.every(({ served }) => served <= 1));
        await scene.pass(o.keepAliveMs + 500);
        nothingLives(scene);
        for (const { stopReason, served } of scene.runtime.instances) {
          if (stopReason === 'fresh: it has done its one invocation') assert.ok(o.fresh && served === 1);
          else assert.equal(stopReason, 'keep-alive passed');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('survives starts that fail and instances that die: every invocation ends', async () => {
    const fate = fc.record({ fails: fc.boolean(), takesMs: fc.integer({ min: 0, max: 30 }) });
    const deaths = fc.array(fc.integer({ min: 0, max: 39 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        settings,
        fc.array(fate, { minLength: 1, maxLength: 8 }),
        deaths,
        async (all, o, fates, dies) => {
          const scene = await Scene.of(revision('shop', { function: { ...o, timeoutMs: 2_000 } }));
          scene.runtime.onStart = (_, nth) => {
            const { fails, takesMs } = fates[nth % fates.length]!;
            return fails ? { takesMs, fails: 'no' } : { takesMs };
          };
          const kill = (i: number): void => {
            if (dies.includes(i)) [...scene.runtime.live][0]?.crash();
          };
          await scene.meanwhile(Promise.all(await play(scene, all, kill)), 10_000);
          allAccountedButOrder(scene, all.length);
          assert.deepEqual(scene.runtime.breaches, []);
          assert.ok(scene.runtime.most <= o.maxInstances);
          await scene.pass(3_000);
          nothingLives(scene);
        },
      ),
      { numRuns: 60 },
    );
  });
});

function allAccountedButOrder(scene: Scene, sent: number): void {
  assert.equal(new Set(scene.usage.map(({ requestId }) => requestId)).size, sent);
  assert.equal(scene.usage.length, sent);
}

describe('under any arrivals, at any moment', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom<Mode>('function', 'service') }),
    fc.record({ kind: fc.constant('deploy' as const), id: fc.stringMatching(/^[0-9a-f]{12}$/) }),
    fc.record({ kind: fc.constant('broken deploy' as const), id: fc.stringMatching(/^[0-9a-f]{12}$/) }),
  );
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 39 }), change), { maxLength: 8 });
  const shape = fc.record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    replicas: fc.integer({ min: 1, max: 3 }),
    startMs: fc.integer({ min: 0, max: 50 }),
  });

  it('mode switches and deploys fail no invocation', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, changes, shape, async (all, due, { startMs, concurrency, replicas }) => {
        const staying = all.map((one) => ({ ...one, leavesAfterMs: null }));
        const make = (id?: string): ReturnType<typeof revision> =>
          revision('shop', {
            ...(id === undefined ? {} : { id }),
            function: { concurrency, maxInstances: 4, keepAliveMs: 50 },
            service: { concurrency, minReplicas: replicas, maxReplicas: replicas },
          });
        const scene = await Scene.of(make());
        scene.runtime.onStart = ({ revision: { spec } }) =>
          spec.name === 'broken' ? { takesMs: startMs, fails: 'no' } : { takesMs: startMs };
        const pending: Promise<unknown>[] = [];
        const apply = (i: number): void => {
          for (const [, it] of due.filter(([index]) => index === i)) {
            if (it.kind === 'mode') pending.push(scene.scaler.setMode('shop', it.mode));
            else if (it.kind === 'deploy') pending.push(scene.scaler.deploy(revisions(make(it.id))));
            else {
              const broken = revisions(make(it.id), revision('broken', { mode: 'service' }));
              pending.push(assert.rejects(scene.scaler.deploy(broken), { code: 'start-failed' }));
            }
          }
        };
        const ends = await scene.meanwhile(Promise.all(await play(scene, staying, apply)));
        assert.ok(
          ends.every(({ outcome }) => outcome === 'ok'),
          'zero failures',
        );
        await scene.meanwhile(Promise.all(pending));
        allAccounted(scene, all.length);
        assert.deepEqual(scene.runtime.breaches, []);
        await scene.pass(1_000);
        const service = scene.scaler.mode('shop') === 'service';
        assert.equal(scene.runtime.live.size, service ? replicas : 0, 'only what should be is left');
        await scene.meanwhile(scene.scaler.close(1_000));
        nothingLives(scene);
      }),
      { numRuns: 100 },
    );
  });

  it('after a close nothing lives, and every invocation and every change has ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        changes,
        shape,
        fc.nat({ max: 39 }),
        fc.nat({ max: 200 }),
        async (all, due, o, at, drainMs) => {
          const scene = await Scene.of(
            revision('shop', { function: o, service: o }),
            revision('cart', { mode: 'service' }),
          );
          scene.runtime.onStart = () => ({ takesMs: o.startMs });
          const pending: Promise<unknown>[] = [];
          const ignore = (): void => undefined;
          const apply = (i: number): void => {
            for (const [, it] of due.filter(([index]) => index === i)) {
              if (it.kind === 'mode') pending.push(scene.scaler.setMode('shop', it.mode).catch(ignore));
              else
                pending.push(scene.scaler.deploy(revisions(revision('shop', { id: it.id }))).catch(ignore));
            }
            if (i === Math.min(at, all.length - 1)) pending.push(scene.scaler.close(drainMs));
          };
          const ends = await play(scene, all, apply);
          await scene.meanwhile(Promise.all([...ends, ...pending]), 20_000);
          assert.equal(scene.usage.length, all.length);
          nothingLives(scene);
        },
      ),
      { numRuns: 100 },
    );
  });
});
