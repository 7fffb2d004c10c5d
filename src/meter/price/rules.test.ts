import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GB, MB, FROM_MS, usedOf, minuteAt } from '../testing/used.ts';
import { billedTime } from './billed-time.ts';
import { memoryOf, soldMemoryMb } from './memory.ts';
import { monthsBetween } from './month.ts';
import { erlangB, shareOfProvisioned } from './provisioned.ts';

const BY_MS = { granularityMs: 1, minimumMs: 0, billsInit: true };

test('steps of 1 ms and of 100 ms are what was counted', () => {
  const used = usedOf({ executed: 3, wholeMs: 151 + 100 + 1, hundredsMs: 200 + 100 + 100 });
  assert.deepEqual(billedTime(used, BY_MS), { ms: 252, assumptions: [] });
  assert.deepEqual(billedTime(used, { ...BY_MS, granularityMs: 100 }), { ms: 400, assumptions: [] });
});

test('100 ms that nobody counted are told by the durations, and said to be', () => {
  const used = usedOf({ executed: 4, wholeMs: 4 * 120, durations: [[119, 4]] });
  const billed = billedTime(used, { ...BY_MS, granularityMs: 100 });
  assert.equal(billed.ms, 800);
  assert.equal(billed.assumptions.length, 1);
});

test('an estimate stays between no rounding at all and a whole step for each', () => {
  // Buckets that contradict the sum.
  const high = usedOf({ executed: 2, wholeMs: 20, durations: [[5000, 2]] });
  assert.equal(billedTime(high, { ...BY_MS, granularityMs: 100 }).ms, 20 + 2 * 99);
  const low = usedOf({ executed: 2, wholeMs: 2000, durations: [[1, 2]] });
  assert.equal(billedTime(low, { ...BY_MS, granularityMs: 100 }).ms, 2000);
  // None: half a step for each.
  const none = usedOf({ executed: 2, wholeMs: 2000 });
  assert.equal(billedTime(none, { ...BY_MS, granularityMs: 100 }).ms, 2100);
});

test('a minimum is what each short one is missing, and nothing to the long ones', () => {
  const durations: [number, number][] = [
    [40, 10],
    [500, 10],
  ];
  const used = usedOf({ executed: 20, wholeMs: 10 * 40.4 + 10 * 505, durations });
  const billed = billedTime(used, { ...BY_MS, minimumMs: 100 });
  // 40.4 in the middle of its bucket, 41 in whole ms.
  assert.equal(billed.ms, used.wholeMs + 10 * (100 - 41));
});

test('a minimum above the step holds beside it', () => {
  const used = usedOf({ executed: 10, wholeMs: 10 * 120, hundredsMs: 10 * 200, durations: [[119, 10]] });
  assert.equal(billedTime(used, { ...BY_MS, granularityMs: 100, minimumMs: 1000 }).ms, 10_000);
});

test('starts are billed or not', () => {
  const used = usedOf({ executed: 2, wholeMs: 500, startMs: 180 });
  assert.equal(billedTime(used, BY_MS).ms, 500);
  const without = billedTime(used, { ...BY_MS, billsInit: false });
  assert.equal(without.ms, 320);
  assert.match(without.assumptions[0]!, /starts \(180 ms in all\) are not billed/);
});

test('memory is the next step or size that is sold', () => {
  const steps = { memoryStepMb: 128, leastMb: 128, mostMb: 1536, sizesMb: [] };
  assert.equal(soldMemoryMb(1, steps), 128);
  assert.equal(soldMemoryMb(128 * MB, steps), 128);
  assert.equal(soldMemoryMb(129 * MB, steps), 256);
  assert.equal(soldMemoryMb(1536 * MB, steps), 1536);
  assert.equal(soldMemoryMb(1537 * MB, steps), null);
  const sizes = { ...steps, sizesMb: [512, 2048, 4096] };
  assert.equal(soldMemoryMb(513 * MB, sizes), 2048);
  assert.equal(soldMemoryMb(4097 * MB, sizes), null);
  // 0.1 + 0.2 of a GB must not buy a step more.
  assert.equal(soldMemoryMb(128 * MB * (1 + 1e-12), steps), 128);
});

test('memory is what was asked for, held in work, or held at all', () => {
  assert.equal(memoryOf(usedOf({ wholeMs: 7, memoryBytes: GB }), undefined), GB);
  assert.equal(memoryOf(usedOf({ wholeMs: 7, memoryBytes: GB }), MB), MB);
  assert.equal(memoryOf(usedOf({ instances: { livedMs: 7 }, memoryBytes: GB }), undefined), GB);
  assert.equal(memoryOf(usedOf(), undefined), 0);
});

test('whole calendar months are what they are, all else is hours of 730 a month', () => {
  const at = (text: string): number => Date.parse(`${text}Z`);
  assert.equal(monthsBetween(at('2026-02-01T00:00'), at('2026-03-01T00:00')), 1);
  assert.equal(monthsBetween(at('2026-10-01T00:00'), at('2027-01-01T00:00')), 3);
  assert.equal(monthsBetween(0, 730 * 3_600_000), 1);
  assert.equal(monthsBetween(at('2026-10-01T00:00'), at('2026-10-01T01:00')), 1 / 730);
});

test('Erlang’s B of three servers and two at work is 4/19', () => {
  assert.ok(Math.abs(erlangB(2, 3) - 4 / 19) < 1e-12);
  assert.equal(erlangB(2, 0), 1);
  assert.equal(erlangB(0, 3), 0);
});

test('instances that are kept ready take what Erlang leaves them, minute by minute', () => {
  const load = [minuteAt(0, { workMs: 120_000 }), minuteAt(1)];
  const used = usedOf({ fromMs: FROM_MS, toMs: FROM_MS + 120_000, wholeMs: 120_000, load });
  assert.ok(Math.abs(shareOfProvisioned(used, 3) - 15 / 19) < 1e-12);
  // On average only one would be at work.
  assert.ok(Math.abs(shareOfProvisioned({ ...used, load: [] }, 3) - 15 / 16) < 1e-12);
});
