import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mode } from '../../model/app.ts';
import { AUTO, AutoUnit, HOUR_MS, windowOf, type WindowLike } from '../testing/auto-windows.ts';
import { memoryOf, memoryText } from './auto-memory.ts';
import { decideMode } from './decide-mode.ts';

const cost = fc.double({ min: 0, max: 200, noNaN: true });
const ms = fc.double({ min: 1, max: 1_000, noNaN: true });
const obstacle = fc.option(fc.constant('It keeps state.'), { freq: 4, nil: undefined });

const like: fc.Arbitrary<WindowLike> = fc
  .record({
    function: fc.option(cost, { freq: 10 }),
    service: fc.option(cost, { freq: 10 }),
    unsure: fc.double({ min: 0, max: 1, noNaN: true }),
    executed: fc.nat(10_000),
    p99Ms: fc.record({ function: ms, service: ms }),
    measuredP99Ms: ms,
    objectiveP99Ms: fc.option(ms, { nil: undefined }),
    measuredPerMonth: fc.option(cost, { nil: undefined }),
    obstacles: fc.record({ function: obstacle, service: obstacle }),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as WindowLike);

const life = fc.array(like, { minLength: 1, maxLength: 150 });
const mode = fc.constantFrom<Mode>('function', 'service');

test('whatever comes: no switch for cost within a dwell, to a mode that may not be, or that does not save enough', () => {
  fc.assert(
    fc.property(life, mode, (windows, start) => {
      const unit = new AutoUnit(start);
      let lastMs = -Infinity;
      for (const one of windows) {
        const { mode: from, nowMs } = unit;
        const seen = windowOf(one, from, nowMs);
        const decision = unit.live(one);
        assert.ok(unit.memory!.excess >= 0);
        if (decision.kind === 'stay') continue;
        assert.ok(
          decision.reason.length > 20 && !/NaN|undefined|Infinity/.test(decision.reason),
          decision.reason,
        );
        assert.ok(Object.values(decision.figures).every(Number.isFinite));
        if (decision.kind !== 'switch') continue;
        assert.equal(seen.modes[decision.to].obstacle, null);
        if (decision.why === 'cost') {
          assert.ok(unit.nowMs - lastMs >= AUTO.dwellMs);
          assert.ok(seen.saving!.low >= 0.1 * seen.modes[from].perMonth!.mid);
        }
        if (decision.why === 'objective') {
          assert.equal(decision.to, 'service');
          assert.ok(seen.measured.p99Ms! > seen.objectiveP99Ms!);
        }
        lastMs = unit.nowMs;
      }
    }),
    { seed: 1, numRuns: 400 },
  );
});

test('the same life gives the same, also where every memory went through the store', () => {
  fc.assert(
    fc.property(life, mode, (windows, start) => {
      const [kept, read] = [new AutoUnit(start), new AutoUnit(start)];
      for (const one of windows) {
        assert.deepEqual(read.live(one), kept.live(one));
        read.memory = memoryOf(memoryText(read.memory!));
        assert.deepEqual(read.memory, kept.memory);
      }
    }),
    { seed: 2, numRuns: 100 },
  );
});

test('where it only tells, nothing is ever switched', () => {
  fc.assert(
    fc.property(life, mode, (windows, start) => {
      const unit = new AutoUnit(start, { acts: false });
      for (const one of windows) unit.live(one);
      assert.equal(unit.mode, start);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test('switches are bounded: undone ones make the dwell longer', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1.3, max: 20, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (times, days) => {
        // As a service it always costs that many times of what was expected, and more than the function.
        const unit = new AutoUnit('function');
        for (let i = 0; i < days * 24; i++) {
          const measured = unit.mode === 'service' ? { measuredPerMonth: 100 * times } : {};
          unit.live({ function: 100, service: 10, ...measured });
        }
        // 6, 12, 24, 48, 96 and from then on 168 hours apart.
        assert.ok(unit.switches.length <= 2 * (6 + days / 7), String(unit.switches.length));
      },
    ),
    { seed: 4, numRuns: 50 },
  );
});

test('with nothing that holds it back it costs three times the best schedule at most, and a switch', () => {
  const prices = fc.array(fc.record({ function: cost, service: cost }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(prices, mode, fc.double({ min: 0.2, max: 5, noNaN: true }), (windows, start, switchCost) => {
      const unit = new AutoUnit(start, { dwellMs: 0, leastSaving: 0, switchCost });
      let spent = 0;
      let best: Record<Mode, number> = { function: 0, service: 0 };
      best[start === 'function' ? 'service' : 'function'] = switchCost;
      for (const one of windows) {
        const hours = (of: Mode): number => one[of] / 730;
        spent += hours(unit.mode);
        best = {
          function: Math.min(best.function, best.service + switchCost) + hours('function'),
          service: Math.min(best.service, best.function + switchCost) + hours('service'),
        };
        if (unit.live(one).kind === 'switch') spent += switchCost;
      }
      // A window is as fine as it can be seen: each switch may come so much too late.
      const window = 200 / 730;
      assert.ok(
        spent <=
          3 * Math.min(best.function, best.service) + 2 * switchCost + window * (1 + unit.switches.length),
      );
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('what no version of this has written is begun anew', () => {
  for (const text of ['', '{', 'null', '[]', '{}', '{"version":2}', '{"version":1,"mode":"auto"}'])
    assert.equal(memoryOf(text), null);
  const sound = decideMode(null, windowOf({ function: 1, service: 2 }, 'service', 0), AUTO, HOUR_MS).memory;
  const text = memoryText(sound);
  assert.deepEqual(memoryOf(text), sound);
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(sound)), fc.jsonValue(), (name, value) => {
      const read = memoryOf(JSON.stringify({ ...(JSON.parse(text) as object), [name]: value }));
      // Whatever it takes, it can go on with.
      if (read === null) return;
      decideMode(read, windowOf({ function: 1, service: 2 }, 'service', HOUR_MS), AUTO, 2 * HOUR_MS);
    }),
    { seed: 6, numRuns: 500 },
  );
});
