import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simulate } from '../simulator/simulate.ts';
import { functionModel, poisson, serviceModel } from '../testing/traffic.ts';
import { Arrivals } from './arrivals.ts';
import { blocksOf } from './blocks.ts';
import { replayBlock, type BlockReplay } from './block-replay.ts';
import { mergedUsed } from './merged.ts';

const traffic = poisson({ count: 40_000, pauseMs: 500, durationMs: 300, cpuShare: 0.1, seed: 1 });
const arrivals = new Arrivals({ kind: 'arrivals', traffic });
const MODELS = [
  functionModel({ keepAliveMs: 20_000 }),
  serviceModel({ maxReplicas: 5, concurrency: 2 }, { cpus: 1 }),
];

const blocksWith = (model: (typeof MODELS)[number], most: number): BlockReplay[] =>
  blocksOf(arrivals.span).spans.map((block) =>
    replayBlock({ arrivals, block, model, times: 1, seed: 1, most }),
  );
const near = (found: number, expected: number, share: number): void =>
  assert.ok(Math.abs(found / expected - 1) <= share, `${found} is not within ${share} of ${expected}`);

describe('replayed blocks', () => {
  for (const model of MODELS) {
    test(`of a ${model.mode} come to what the window as a whole comes to`, () => {
      const blocks = blocksWith(model, Infinity);
      const whole = simulate(traffic, model, 1).used;
      const merged = mergedUsed(blocks.map(({ used }) => used));
      assert.equal(merged.executed, whole.executed);
      assert.equal(merged.toMs, whole.toMs);
      near(merged.wholeMs, whole.wholeMs, 0.002);
      near(merged.instances.livedMs, whole.instances.livedMs, 0.01);
      near(merged.cold + 10, whole.cold + 10, 0.1);
      assert.equal(
        merged.load.reduce((sum, { executed }) => sum + executed, 0),
        whole.executed,
      );
    });

    test(`of a ${model.mode} are told by a stretch of each where they are too many`, () => {
      const whole = simulate(traffic, model, 1).used;
      const merged = mergedUsed(blocksWith(model, 800).map(({ used }) => used));
      near(merged.executed, whole.executed, 0.001);
      near(merged.wholeMs, whole.wholeMs, 0.05);
      near(merged.instances.livedMs, whole.instances.livedMs, 0.1);
      near(
        merged.load.reduce((sum, { workMs }) => sum + workMs, 0),
        whole.wholeMs,
        0.05,
      );
    });
  }

  test('of dense traffic tell how a service is once it has got under way, whatever of it is replayed', () => {
    // Two cores' worth for ten minutes: the one replica that it begins with is far too few.
    const dense = poisson({ count: 120_000, pauseMs: 5, durationMs: 10, cpuShare: 1, seed: 2 });
    const model = serviceModel({ maxReplicas: 10, maxQueued: 1_000, concurrency: 20 }, { cpus: 1 });
    const arrivals = new Arrivals({ kind: 'arrivals', traffic: dense });
    const [, block] = blocksOf(arrivals.span).spans;
    const of = (most: number): BlockReplay =>
      replayBlock({ arrivals, block: block!, model, times: 1, seed: 1, most });
    const [whole, some] = [of(Infinity), of(3_000)];
    assert.equal(whole.refused, 0);
    assert.equal(some.refused, 0);
    assert.ok(whole.latencyQuantilesMs[99]! < 200, `${whole.latencyQuantilesMs[99]}`);
    near(some.latencyQuantilesMs[99]!, whole.latencyQuantilesMs[99]!, 0.3);
  });
});
