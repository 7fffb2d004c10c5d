import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivals, factsOf, minutes, MB, requestOf } from '../../testing/advice-request.ts';
import type { AdviceRequest } from '../request.ts';
import { changes } from './changes.ts';
import { shapeOf } from './shape.ts';

const request = requestOf({
  traffic: arrivals([0, 100, 60_000], { spanMs: 300_000, durationsMs: [100, 200, 1_000], cpuShare: 0.25 }),
});

function columns({ traffic }: AdviceRequest): { at: number[]; took: number[]; cpu: number[] } {
  if (traffic.kind === 'minutes') assert.fail('these are no arrivals');
  const { arrivedAtMs, durationMs, cpuMs, fromMs } = traffic.traffic;
  return { at: Array.from(arrivedAtMs, (ms) => ms - fromMs), took: [...durationMs], cpu: [...cpuMs] };
}

test('durations and CPU time grow together, and arrivals stay', () => {
  const { at, took, cpu } = columns(changes.durations(2)(request));
  assert.deepEqual(
    [at, took, cpu],
    [
      [0, 100, 60_000],
      [200, 400, 2_000],
      [50, 100, 500],
    ],
  );
});

test('no call takes longer than a limit', () => {
  assert.deepEqual(columns(changes.atMost(150)(request)).took, [100, 150, 150]);
});

test('less waiting leaves what is computed', () => {
  assert.deepEqual(columns(changes.lessWaiting(0.5)(request)).took, [50, 100, 500]);
  assert.deepEqual(columns(changes.lessWaiting(1)(request)).took, [25, 50, 250]);
});

test('even calls are as many, at equal distances', () => {
  assert.deepEqual(columns(changes.even(request)).at, [50_000, 150_000, 250_000]);
  const byMinute = requestOf({ traffic: minutes([10, 0, 0], { quantilesMs: [50] }) });
  const { traffic } = changes.even(byMinute);
  assert.deepEqual(traffic.kind === 'minutes' && traffic.traffic.invocations, [3, 4, 3]);
});

test('minutes change as arrivals do', () => {
  const byMinute = requestOf({ traffic: minutes([10], { quantilesMs: [100, 300] }, 0.25) });
  const longer = shapeOf(changes.durations(3)(byMinute).traffic);
  assert.deepEqual([longer.meanMs, longer.cpuShare], [600, 0.25]);
  const less = shapeOf(changes.lessWaiting(1)(byMinute).traffic);
  assert.deepEqual([less.meanMs, less.cpuShare], [50, 1]);
});

test('a change of traffic that is scaled already stays scaled', () => {
  const thrice = changes.durations(2)(changes.traffic(3)(request));
  assert.equal(thrice.traffic.times, 3);
  assert.equal(changes.even(thrice).traffic.times, 3);
});

test('what has nothing to do with replays leaves alone what they go by', () => {
  for (const change of [
    changes.nothing,
    changes.objective(100),
    changes.operations({ function: 1, service: 2 }),
    changes.mended('function', ['state']),
    changes.withoutFees,
  ]) {
    const changed = change(request);
    assert.equal(changed.traffic, request.traffic);
    assert.equal(changed.facts.function, request.facts.function);
    assert.equal(changed.facts.service, request.facts.service);
    assert.equal(changed.facts.startsMs, request.facts.startsMs);
  }
});

test('memory changes in both modes', () => {
  const { facts } = changes.memory(2)(requestOf({ facts: factsOf() }));
  assert.deepEqual([facts.function.memoryBytes, facts.service.memoryBytes], [256 * MB, 512 * MB]);
});

test('a program that is taken apart starts as modules do', () => {
  const program = factsOf({ kind: 'command', startsMs: { function: [3_000], service: [3_000] } });
  const { facts } = changes.takenApart(requestOf({ facts: program }));
  assert.deepEqual([facts.kind, facts.startsMs], ['module', { function: [], service: [3_000] }]);
});
