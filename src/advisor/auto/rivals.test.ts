import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Mode } from '../../model/app.ts';
import { AUTO, AutoUnit, HOUR_MS, windowOf, type WindowLike } from '../testing/auto-windows.ts';
import { newRivals, rivalsAfter } from './rivals.ts';

const QUIET = { function: 1, service: 30 };
/** Of which a sixth of the hour holds nearly all: its band says nothing. */
const BURST = { function: 600, service: 30, unsure: 1 };
const DAYS = 24;

/** Every eighth hour a burst: as a function a day costs 2.5 times what it costs as a service. */
function bursts(unit: AutoUnit, hours: number): void {
  for (let hour = 0; hour < hours; hour++) unit.live(hour % 8 === 0 ? BURST : QUIET);
}

describe('what comes in bursts that are shorter than a dwell', () => {
  test('is given the mode that is cheaper by the day, and stays in it', () => {
    const unit = new AutoUnit('function');
    bursts(unit, 2 * DAYS - 1);
    assert.deepEqual(unit.switches, []);
    bursts(unit, 14 * DAYS);
    assert.deepEqual(
      unit.switches.map(({ to, why }) => [to, why]),
      [['service', 'lately']],
    );
  });

  test('is told with what it would have saved', () => {
    const unit = new AutoUnit('function', { acts: false });
    const told = Array.from({ length: 4 * DAYS }, (_, hour) => unit.live(hour % 8 === 0 ? BURST : QUIET));
    const steps = told.filter(({ kind }) => kind !== 'stay');
    assert.equal(steps.length, 1);
    const [step] = steps;
    assert.match(
      step!.kind === 'would-switch' ? step!.reason : '',
      /^Over the last days a service throughout would have cost less .* by the least saving and \$0\.\d+\./,
    );
    assert.ok(step!.kind === 'would-switch' && step!.figures['leadOfOther']! > 0);
  });

  test('is a function again within half a day once it is silent for good', () => {
    const unit = new AutoUnit('function');
    bursts(unit, 14 * DAYS);
    assert.equal(unit.mode, 'service');
    const fromMs = unit.nowMs;
    for (let hour = 0; hour < DAYS; hour++) unit.live({ ...QUIET, executed: 0 });
    assert.equal(unit.mode, 'function');
    const back = unit.switches.at(-1)!;
    assert.ok(back.atMs - fromMs <= 12 * HOUR_MS, `after ${(back.atMs - fromMs) / HOUR_MS} h`);
  });

  test('is not what misses its objective as the other, nor what may not be that', () => {
    for (const one of [
      { meets: { function: 1, service: 0.5 }, objectiveP99Ms: 200 },
      { obstacles: { service: 'It keeps sessions in memory.' } },
    ]) {
      const unit = new AutoUnit('function');
      for (let hour = 0; hour < 10 * DAYS; hour++) unit.live({ ...(hour % 8 === 0 ? BURST : QUIET), ...one });
      assert.deepEqual(unit.switches, []);
    }
  });

  test('goes by its windows alone where no dwell makes them late', () => {
    const unit = new AutoUnit('service', { dwellMs: 0 });
    bursts(unit, 14 * DAYS);
    assert.equal(unit.memory!.rivals.follows, null);
  });
});

test('days that a window alone does judge are left to it: half of each day is a service, half a function', () => {
  const unit = new AutoUnit('function');
  for (let hour = 0; hour < 10 * DAYS; hour++)
    unit.live(hour % DAYS < 12 ? { function: 100, service: 30 } : { function: 1, service: 30 });
  assert.ok(unit.switches.length >= 18, String(unit.switches.length));
  assert.equal(unit.memory!.rivals.follows, null);
});

test('whatever comes, following a rival never costs more than one and a half entries above reacting', () => {
  const cost = fc.double({ min: 0, max: 200, noNaN: true });
  const like: fc.Arbitrary<WindowLike> = fc.record({
    ...{ function: cost, service: cost, executed: fc.nat(1_000) },
    unsure: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  // A few kinds of hours that come again and again, so that something is learned; then something else.
  const stretch = fc.record({
    likes: fc.array(like, { minLength: 1, maxLength: 4 }),
    hours: fc.array(fc.nat(3), { minLength: 24, maxLength: 150 }),
  });
  let followed = 0;
  fc.assert(
    fc.property(
      fc.array(stretch, { minLength: 1, maxLength: 4 }),
      fc.constantFrom<Mode>('function', 'service'),
      (life, start) => {
        let rivals = newRivals(start);
        let [lost, entry, atMs] = [0, 0, 0];
        for (const { likes, hours } of life) {
          for (const hour of hours) {
            const window = windowOf(likes[hour % likes.length]!, start, atMs);
            const { follows, reacting } = rivals;
            atMs += HOUR_MS;
            rivals = rivalsAfter(rivals, window, AUTO);
            assert.ok(rivals.seenMs === atMs);
            assert.ok(rivals.follows === null || atMs >= 48 * HOUR_MS);
            const costOf = (mode: Mode): number => window.modes[mode].perMonth!.mid / 730;
            const switchCost = rivals.reacting.mode === reacting.mode ? 0 : AUTO.switchCost;
            entry = Math.max(entry, AUTO.switchCost + (AUTO.leastSaving * rivals.perMonth * 48) / 730);
            if (follows === null) {
              lost = 0;
              continue;
            }
            followed++;
            lost += costOf(follows) - (costOf(reacting.mode) + switchCost);
            assert.ok(lost <= 1.5 * entry + costOf(follows), `${lost} above ${entry}`);
          }
        }
      },
    ),
    { seed: 7, numRuns: 300 },
  );
  assert.ok(followed > 1_000, `${followed} windows were followed`);
});
