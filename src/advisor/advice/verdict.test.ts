import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Mode } from '../../model/app.ts';
import { outlooksOf } from '../testing/advice-request.ts';
import type { SampledOutlook } from './outlook.ts';
import { verdictOf } from './verdict.ts';

const band = (mid: number) => ({ low: mid, mid, high: mid });

/** Four samples: what a month costs in each, and whether what is asked is met. */
function outlook(
  mode: Mode,
  perMonth: number,
  p99Ms: number,
  costs: number[],
  meets: number[],
): SampledOutlook {
  const some = {
    perMonth: band(perMonth),
    p99Ms: band(p99Ms),
    meetsObjective: meets.filter(Boolean).length / 4,
  };
  return {
    outlook: outlooksOf({ [mode]: some })[mode],
    perMonth: Float64Array.from(costs),
    meets: Uint8Array.from(meets),
  };
}

function certainty(asFunction: SampledOutlook, service: SampledOutlook, objectiveMs: number | null): number {
  const outlooks = { function: asFunction, service };
  const verdict = verdictOf({ present: 'function', outlooks, obstacles: [], objectiveMs });
  return 'mode' in verdict && verdict.mode === 'function' ? verdict.certainty : NaN;
}

describe('how sure a verdict is', () => {
  const always = [1, 1, 1, 1];

  test('is in how many samples it is the best, not only the cheaper one', () => {
    const service = outlook('service', 9, 90, [9, 9, 9, 9], always);
    const costs = [5, 5, 5, 12];
    assert.equal(certainty(outlook('function', 5, 90, costs, always), service, null), 0.75);
    assert.equal(certainty(outlook('function', 5, 90, costs, [1, 0, 0, 1]), service, 100), 0.25);
  });

  test('of what is dearer and quicker, in how many the other misses what is asked', () => {
    const quick = outlook('function', 20, 90, [20, 20, 20, 20], [1, 1, 1, 0]);
    assert.equal(certainty(quick, outlook('service', 9, 110, [9, 9, 9, 9], [0, 1, 1, 0]), 100), 0.25);
  });

  test('of a tie, in how many the other is not cheaper by what counts', () => {
    const own = outlook('function', 10, 90, [10, 10, 10, 10], always);
    assert.equal(certainty(own, outlook('service', 9.9, 90, [9.9, 9.8, 9.6, 9.4], always), null), 0.75);
  });
});
