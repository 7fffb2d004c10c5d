import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { InstancesLine, MinuteLine } from '../model/usage-export.ts';
import type { Used } from '../model/used.ts';
import { Sketch } from './sketch.ts';
import { mergedUsed, UsedDays } from './used.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY = Date.UTC(2026, 2, 1);
const MB = 1024 ** 2;

function sketchOf(...durationsMs: readonly number[]): string {
  const sketch = new Sketch();
  for (const ms of durationsMs) sketch.add(ms);
  return Buffer.from(sketch.encode()).toString('base64');
}

/** A minute of one invocation of 10 ms, unless it is told otherwise. */
function minute(part: Partial<MinuteLine> = {}): MinuteLine {
  return {
    kind: 'minute',
    component: 'catalog',
    revision: 'r',
    mode: 'function',
    outcome: 'ok',
    minuteMs: DAY,
    spanMs: MINUTE_MS,
    count: 1,
    cold: 0,
    internal: 0,
    waitedMs: 0,
    startMs: 0,
    durationMs: 10,
    billedMs: 10,
    wholeMs: 10,
    wholeByteMs: 10 * 128 * MB,
    hundredsMs: 100,
    cpuMs: 4,
    bytesIn: 7,
    bytesOut: 70,
    latency: sketchOf(10),
    duration: sketchOf(10),
    ...part,
  };
}

function instances(part: Partial<InstancesLine> = {}): InstancesLine {
  return {
    kind: 'instances',
    unit: 'catalog',
    revision: 'r',
    mode: 'service',
    minuteMs: DAY,
    spanMs: MINUTE_MS,
    started: 1,
    livedMs: MINUTE_MS,
    heldByteMs: MINUTE_MS * 256 * MB,
    watchedMs: MINUTE_MS / 2,
    usedByteMs: (MINUTE_MS / 2) * 100 * MB,
    cpuMs: 50,
    ...part,
  };
}

function usedOf(...lines: readonly MinuteLine[]): ReturnType<UsedDays['days']> {
  const days = new UsedDays('catalog');
  for (const line of lines) days.minute(line);
  return days.days(DAY - DAY_MS, DAY + 30 * DAY_MS);
}

describe('what a component used', () => {
  test('is what its minutes counted, whatever their outcome and revision', () => {
    const [used, ...more] = usedOf(
      minute({ internal: 2 }),
      minute({ revision: 's', count: 2, cold: 1, startMs: 90, wholeMs: 120, hundredsMs: 300 }),
      minute({ outcome: 'handler-error', minuteMs: DAY + MINUTE_MS }),
    );
    assert.deepEqual(more, []);
    assert.deepEqual(
      { ...used, durations: null, instances: null },
      {
        component: 'catalog',
        mode: 'function',
        fromMs: DAY,
        toMs: DAY + DAY_MS,
        executed: 4,
        internal: 1,
        refused: 0,
        cold: 1,
        wholeMs: 140,
        hundredsMs: 500,
        startMs: 90,
        byteMs: 30 * 128 * MB,
        cpuMs: 12,
        bytesIn: 21,
        bytesOut: 210,
        durations: null,
        instances: null,
        load: [
          { minuteMs: DAY, executed: 3, workMs: 110, cpuMs: 8, busiest: null },
          { minuteMs: DAY + MINUTE_MS, executed: 1, workMs: 10, cpuMs: 4, busiest: null },
        ],
      },
    );
  });

  test('has no execution of what was refused, or given up before there was an instance', () => {
    const [used] = usedOf(
      minute({ outcome: 'refused', count: 5, durationMs: 0, wholeMs: 0, duration: sketchOf(0, 0, 0, 0, 0) }),
      minute({ outcome: 'cancelled', count: 3, wholeMs: 20, duration: sketchOf(0, 8, 12) }),
    );
    assert.equal(used!.executed, 2);
    assert.equal(used!.refused, 6);
    assert.equal(used!.load[0]!.executed, 2);
    assert.equal(
      used!.durations.reduce((sum, [, count]) => sum + count, 0),
      2,
    );
  });

  test('has durations with the starts that they had, on average', () => {
    const [used] = usedOf(
      minute({ count: 4, cold: 1, startMs: 1_000, durationMs: 40, duration: sketchOf(10, 10, 10, 10) }),
    );
    const [warm, cold] = used!.durations;
    assert.equal(warm![1], 3);
    assert.ok(Math.abs(warm![0] - 10) < 0.3);
    assert.equal(cold![1], 1);
    assert.ok(Math.abs(cold![0] - 1_010) < 22);
  });

  test('knows no steps of 100 ms where a part of it was written before those were counted', () => {
    const [used] = usedOf(minute(), minute({ hundredsMs: null }), minute());
    assert.equal(used!.hundredsMs, null);
  });

  test('is told by days and modes, a service for the minutes in which there was one', () => {
    const days = new UsedDays('catalog');
    days.minute(minute({ minuteMs: DAY + 10 * MINUTE_MS }));
    days.minute(minute({ mode: 'service', minuteMs: DAY + 30 * MINUTE_MS }));
    for (const at of [20, 21, 40]) days.instances(instances({ minuteMs: DAY + at * MINUTE_MS }));
    days.minute(minute({ minuteMs: DAY + DAY_MS }));
    const toMs = DAY + DAY_MS + 5 * MINUTE_MS;
    assert.deepEqual(
      days.days(DAY, toMs).map((used) => [used.mode, used.fromMs - DAY, used.toMs - DAY]),
      [
        ['function', 10 * MINUTE_MS, DAY_MS],
        ['service', 20 * MINUTE_MS, 41 * MINUTE_MS],
        ['function', DAY_MS, DAY_MS + 5 * MINUTE_MS],
      ],
    );
  });

  test('takes what nobody looked at of its memory for what was seen', () => {
    const days = new UsedDays('catalog');
    days.instances(instances(), 0.5);
    const [used] = days.days(DAY, DAY + DAY_MS);
    assert.deepEqual(used!.instances, {
      started: 0.5,
      livedMs: MINUTE_MS / 2,
      heldByteMs: (MINUTE_MS / 2) * 256 * MB,
      usedByteMs: (MINUTE_MS / 2) * 100 * MB,
      cpuMs: 25,
    });
    days.instances(instances({ mode: 'function', watchedMs: 0, usedByteMs: 0 }));
    assert.equal(days.days(DAY, DAY + DAY_MS)[0]!.instances.usedByteMs, null);
  });

  test('spreads what had to be folded into an hour over its minutes', () => {
    const [used] = usedOf(
      minute({ spanMs: 60 * MINUTE_MS, count: 120, durationMs: 600, duration: sketchOf() }),
    );
    assert.equal(used!.load.length, 60);
    assert.deepEqual(used!.load[59], {
      minuteMs: DAY + 59 * MINUTE_MS,
      executed: 2,
      workMs: 10,
      cpuMs: 4 / 60,
      busiest: null,
    });
  });
});

describe('several stretches as one', () => {
  const one: Used = {
    component: 'catalog',
    mode: 'service',
    fromMs: DAY,
    toMs: DAY + DAY_MS,
    executed: 3,
    internal: 1,
    refused: 2,
    cold: 1,
    wholeMs: 30,
    hundredsMs: 300,
    startMs: 5,
    byteMs: 700,
    cpuMs: 11,
    bytesIn: 13,
    bytesOut: 17,
    durations: [
      [8, 2],
      [20, 1],
    ],
    instances: { started: 1, livedMs: 100, heldByteMs: 900, usedByteMs: 400, cpuMs: 19 },
    load: [{ minuteMs: DAY, executed: 3, workMs: 30, cpuMs: 11, busiest: 2 }],
  };
  const other: Used = {
    ...one,
    fromMs: DAY + DAY_MS,
    toMs: DAY + 2 * DAY_MS,
    executed: 1,
    durations: [
      [8, 1],
      [10, 4],
    ],
    load: [
      { minuteMs: DAY + MINUTE_MS, executed: 1, workMs: 9, cpuMs: 2, busiest: 1 },
      { minuteMs: DAY, executed: 4, workMs: 50, cpuMs: 6, busiest: 3 },
    ],
  };
  const stretch = { fromMs: DAY, toMs: DAY + 2 * DAY_MS };

  test('have every sum, durations and minutes put together', () => {
    assert.deepEqual(mergedUsed([one, other], stretch), {
      ...one,
      ...stretch,
      executed: 4,
      internal: 2,
      refused: 4,
      cold: 2,
      wholeMs: 60,
      hundredsMs: 600,
      startMs: 10,
      byteMs: 1_400,
      cpuMs: 22,
      bytesIn: 26,
      bytesOut: 34,
      durations: [
        [8, 3],
        [10, 4],
        [20, 1],
      ],
      instances: { started: 2, livedMs: 200, heldByteMs: 1_800, usedByteMs: 800, cpuMs: 38 },
      load: [
        { minuteMs: DAY, executed: 7, workMs: 80, cpuMs: 17, busiest: 3 },
        { minuteMs: DAY + MINUTE_MS, executed: 1, workMs: 9, cpuMs: 2, busiest: 1 },
      ],
    });
  });

  test('know of memory and steps what all of them do that have any', () => {
    const none = { ...one.instances, livedMs: 0, usedByteMs: null };
    const unseen = { ...one.instances, usedByteMs: null };
    const [idle, unknown] = [
      { ...other, executed: 0, hundredsMs: null, instances: none },
      { ...other, hundredsMs: null, instances: unseen },
    ];
    const told = mergedUsed([one, idle], stretch);
    assert.deepEqual([told.instances.usedByteMs, told.hundredsMs], [400, 300]);
    const untold = mergedUsed([one, unknown], stretch);
    assert.deepEqual([untold.instances.usedByteMs, untold.hundredsMs], [null, null]);
  });

  test('have the sums of all of them, whichever way minutes are dealt out to days', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 5 * 1_440 }),
            count: fc.integer({ min: 1, max: 50 }),
            wholeMs: fc.integer({ min: 1, max: 10_000 }),
            hundredsMs: fc.option(fc.integer({ min: 1, max: 100 }), { freq: 9 }),
          }),
          { minLength: 1 },
        ),
        (minutes) => {
          const lines = minutes.map(({ at, ...counts }) =>
            minute({ ...counts, minuteMs: DAY + at * MINUTE_MS }),
          );
          const all = mergedUsed(usedOf(...lines), { fromMs: DAY, toMs: DAY + 5 * DAY_MS });
          const sum = (of: (line: MinuteLine) => number): number =>
            lines.reduce((total, line) => total + of(line), 0);
          assert.equal(
            all.executed,
            sum((line) => line.count),
          );
          assert.equal(
            all.wholeMs,
            sum((line) => line.wholeMs),
          );
          assert.equal(
            all.hundredsMs,
            lines.some((line) => line.hundredsMs === null) ? null : sum((line) => line.hundredsMs!),
          );
          assert.equal(all.load.length, new Set(minutes.map(({ at }) => at)).size);
          assert.equal(
            all.load.reduce((total, load) => total + load.executed, 0),
            all.executed,
          );
          assert.ok(all.load.every((load, i) => i === 0 || load.minuteMs > all.load[i - 1]!.minuteMs));
        },
      ),
      { seed: 9, numRuns: 100 },
    );
  });
});
