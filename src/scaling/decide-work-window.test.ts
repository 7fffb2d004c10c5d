import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decideWorkWindow,
  type FunctionWindowView,
  type ServiceWindowView,
  type WindowMemory,
} from './decide-work-window.ts';

const FULL = process.env['FULCRUM_FULL'] === '1' ? 10 : 1;
const BUSY: FunctionWindowView = {
  mode: 'function',
  each: 1,
  maxInstances: 100,
  startsAtOnce: 6,
  instances: 6,
  isShort: false,
  most: null,
  memory: null,
  work: { waiting: 10_000, oldestMs: 60_000, underWay: 6 },
};

/** Looked at each second, with all that is allowed under way. */
function sizes(seconds: number, o: (size: number) => Partial<FunctionWindowView> = () => ({})): number[] {
  let memory: WindowMemory | null = null;
  const all: number[] = [];
  for (let s = 0; s < seconds; s++) {
    const underWay: number = memory?.size ?? 0;
    const view = { ...BUSY, memory, work: { ...BUSY.work, underWay }, ...o(underWay) };
    const decided = decideWorkWindow(view, s * 1_000);
    memory = decided.memory;
    all.push(decided.size);
  }
  return all;
}

describe('how much kept work a function may have under way', () => {
  it('is a few at first, and doubles each second while the oldest waits and all is busy', () => {
    assert.deepEqual(sizes(7), [6, 12, 24, 48, 96, 100, 100]);
  });

  it('stays as it is where what waits is young, or not all of it is busy', () => {
    assert.deepEqual(
      sizes(3, (underWay) => ({ work: { waiting: 50, oldestMs: 300, underWay } })),
      [6, 6, 6],
    );
    assert.deepEqual(
      sizes(3, () => ({ work: { waiting: 5, oldestMs: 3_000, underWay: 3 } })),
      [6, 6, 6],
    );
  });

  it('is what the machine has given it where that has no room for more, and grows again when it has', () => {
    const short = sizes(6, (underWay) => ({ isShort: underWay === 24, instances: 10 }));
    assert.deepEqual(short, [6, 12, 24, 10, 20, 40]);
  });

  it('is halved each second once half of it would do', () => {
    let seconds = 0;
    const all = sizes(9, (underWay) =>
      ++seconds <= 5 ? {} : { work: { waiting: 0, oldestMs: 0, underWay: Math.min(2, underWay) } },
    );
    assert.deepEqual(all, [6, 12, 24, 48, 96, 48, 24, 12, 6]);
  });
});

const work = fc.record({
  waiting: fc.nat({ max: 500 }),
  oldestMs: fc.nat({ max: 10_000 }),
  underWay: fc.nat({ max: 300 }),
});
const most = fc.option(fc.nat({ max: 50 }));

describe('whatever a component looks like, its window', () => {
  it('of a function is within what is allowed, changes no sooner than a second but for want of room, and never stands still', () => {
    const views = fc.record({
      mode: fc.constant('function' as const),
      each: fc.integer({ min: 1, max: 8 }),
      maxInstances: fc.integer({ min: 1, max: 200 }),
      startsAtOnce: fc.integer({ min: 1, max: 32 }),
      instances: fc.nat({ max: 200 }),
      isShort: fc.boolean(),
      memory: fc.option(
        fc.record({ size: fc.integer({ min: 1, max: 1_600 }), changedAtMs: fc.nat({ max: 5_000 }) }),
      ),
      ...{ most, work },
    });
    fc.assert(
      fc.property(views, (view) => {
        const { size, memory } = decideWorkWindow(view, 5_000);
        if (view.most === 0) return assert.equal(size, 0);
        assert.ok(size >= 1 && size <= view.maxInstances * view.each);
        assert.ok(size <= (view.most ?? Infinity));
        if (view.isShort && view.memory !== null) assert.ok(size <= Math.max(1, view.instances) * view.each);
        if (view.memory === null) return undefined;
        assert.ok(memory!.size <= Math.max(view.memory.size * 2, view.startsAtOnce * view.each));
        const isYoung = 5_000 - view.memory.changedAtMs < 1_000;
        if (isYoung && !view.isShort) assert.ok(memory!.size <= view.memory.size);
        return undefined;
      }),
      { numRuns: 200 * FULL },
    );
  });

  it('of a service leaves half of its places, and all that requests have, to requests', () => {
    const views: fc.Arbitrary<ServiceWindowView> = fc.record({
      mode: fc.constant('service' as const),
      concurrency: fc.integer({ min: 1, max: 100 }),
      readyReplicas: fc.nat({ max: 10 }),
      load: fc.nat({ max: 1_000 }),
      queued: fc.nat({ max: 2 }),
      ...{ most, work },
    });
    fc.assert(
      fc.property(views, (view) => {
        const { size } = decideWorkWindow(view, 0);
        if (view.most === 0) return assert.equal(size, 0);
        const places = view.concurrency * view.readyReplicas;
        const requests = Math.max(0, view.load - view.work.underWay);
        assert.ok(size >= 1);
        if (size > 1) assert.ok(size * 2 <= places && size + requests <= places && view.queued === 0);
        assert.ok(size <= (view.most ?? Infinity));
        return undefined;
      }),
      { numRuns: 200 * FULL },
    );
  });
});
