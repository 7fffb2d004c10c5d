import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, Forecast, HOUR_MS } from './forecast.ts';
import { asSeries, FROM_MS, randomBy, series, truth, type Synthetic } from './testing/synthetic.ts';

const SEEDS = process.env['FULCRUM_FULL'] === '1' ? 400 : 40;

type Values = (number | null)[];
/** What may have happened to a series besides noise. */
const HARMS: Record<string, (values: Values, synthetic: Synthetic, random: () => number) => void> = {
  'as it is': () => undefined,
  'with an outage of a day that nobody noticed': (values, _, random) => {
    values.fill(0, ...stretch(values, 24, random));
  },
  'with gaps': (values, _, random) => {
    values.fill(null, ...stretch(values, 30, random));
    values.fill(null, ...stretch(values, 3, random));
  },
  'with restarts, each an hour of which half is missing': (values, _, random) => {
    for (let i = 0; i < 4; i++) {
      const at = Math.floor(random() * values.length);
      values[at] = (values[at] ?? 0) / 2;
    }
  },
  'with one crazy spike': (values, { base }, random) => {
    values[Math.floor(random() * values.length)] = base * 1_000;
  },
};

function stretch(values: Values, hours: number, random: () => number): [number, number] {
  const from = Math.floor(random() * (values.length - hours));
  return [from, from + hours];
}

describe('a forecast', () => {
  it('does what the worked example says', () => {
    const values = Array.from(
      { length: 240 },
      (_, i) => (100 + 10 * Math.floor(i / 24)) * (i % 24 === 12 ? 2 : 1),
    );
    const forecast = Forecast.of(asSeries(values))!;
    const noon = FROM_MS + 10 * DAY_MS + 12 * HOUR_MS;
    const { low, expected, high } = forecast.at(noon);
    for (const value of [low, expected, high]) assert.ok(Math.abs(value - 400) < 1e-6, `${value}`);
    const reach = forecast.reaches(500 - 1e-6, FROM_MS + 10 * DAY_MS);
    assert.equal(reach.kind === 'expected' && reach.expectedMs, noon + 5 * DAY_MS);
  });

  for (const [name, harm] of Object.entries(HARMS)) {
    it(`finds a known crossing within its band four times in five, of a series ${name}`, () => {
      let inside = 0;
      const errors: number[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = randomBy(seed * 7_919);
        const base = 50 + random() * 1_000;
        const days = 10 + Math.floor(random() * 31);
        const synthetic: Synthetic = {
          days,
          base,
          growthPerDay: base * (0.005 + random() * 0.03),
          swing: random() * 0.9,
          busiestHour: Math.floor(random() * 24),
          weekend: days >= 14 ? 0.3 + random() * 0.7 : 1,
        };
        const values = series(synthetic, 0.02 + random() * 0.13, random);
        harm(values, synthetic, random);
        const nowMs = FROM_MS + days * DAY_MS;
        let crossingMs = nowMs + Math.floor((5 + random() * 40) * 24) * HOUR_MS;
        // The highest of a week ahead, and then its first time.
        const limit = Math.max(
          ...Array.from({ length: 168 }, (_, i) => truth(synthetic, crossingMs + i * HOUR_MS)),
        );
        for (crossingMs = nowMs; truth(synthetic, crossingMs) < limit;) crossingMs += HOUR_MS;
        const reach = Forecast.of(asSeries(values))!.reaches(limit, nowMs);
        if (reach.kind !== 'expected') continue;
        errors.push(Math.abs(reach.expectedMs - crossingMs) / (crossingMs - nowMs));
        if (reach.earlyMs <= crossingMs && (reach.lateMs ?? Infinity) >= crossingMs) inside++;
      }
      assert.ok(inside >= 0.8 * SEEDS, `${inside} of ${SEEDS}`);
      errors.sort((a, b) => a - b);
      const middle = errors[errors.length >> 1]!;
      assert.ok(middle < 0.2, `the middle one is off by ${middle} of the time there is`);
    });
  }

  it('holds about four in five of the hours to come in its band', () => {
    let inside = 0;
    let all = 0;
    for (let seed = 1; seed <= SEEDS / 4; seed++) {
      const random = randomBy(seed);
      const synthetic = { days: 35, base: 200, growthPerDay: 3, swing: 0.6, busiestHour: 18, weekend: 0.5 };
      const values = series(synthetic, 0.2, random);
      const forecast = Forecast.of(asSeries(values.slice(0, 28 * 24)))!;
      for (let i = 28 * 24; i < values.length; i++) {
        const { low, high } = forecast.at(FROM_MS + i * HOUR_MS);
        all++;
        if (values[i]! >= low && values[i]! <= high) inside++;
      }
    }
    const share = inside / all;
    assert.ok(share > 0.75 && share < 0.93, `${share}`);
  });

  it('is never NaN, and its band never the wrong way round, whatever the series', () => {
    const value = fc.oneof(
      { weight: 4, arbitrary: fc.double({ min: 0, max: 1e6, noNaN: true }) },
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(1e15, 5e-324, Number.NaN, -1, Infinity) },
    );
    const any = fc.array(value, { minLength: 0, maxLength: 24 * 16, size: 'max' });
    fc.assert(
      fc.property(
        any,
        fc.integer({ min: 0, max: 23 }),
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        (values, shift, limit) => {
          const fromMs = FROM_MS + shift * HOUR_MS;
          const forecast = Forecast.of({ fromMs, values });
          if (forecast === null) return;
          for (let hour = 0; hour < 400 * 24; hour += 37) {
            const { low, expected, high } = forecast.at(fromMs + hour * HOUR_MS);
            assert.ok(
              Number.isFinite(high) && low >= 0 && low <= expected && expected <= high,
              `${low} ${expected} ${high}`,
            );
          }
          const reach = forecast.reaches(limit, fromMs + values.length * HOUR_MS);
          for (const at of Object.values(reach)) assert.ok(!Number.isNaN(at));
          if (reach.kind === 'expected') {
            assert.ok(reach.earlyMs <= reach.expectedMs && reach.expectedMs <= (reach.lateMs ?? Infinity));
          }
        },
      ),
      { numRuns: SEEDS },
    );
  });

  it('of what never changes never reaches anything above it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 72, max: 600 }), (value, hours) => {
        const forecast = Forecast.of(asSeries(Array.from({ length: hours }, () => value)))!;
        assert.deepEqual(forecast.reaches(value * 1.001 + 1, FROM_MS), { kind: 'none' });
        assert.equal(forecast.slope, 0);
      }),
      { numRuns: 30 },
    );
  });

  it('says that it is reached where a day like today reaches it, and that it falls where it does', () => {
    const daily = (level: (day: number) => number): Forecast =>
      Forecast.of(asSeries(Array.from({ length: 480 }, (_, i) => level(Math.floor(i / 24)))))!;
    const nowMs = FROM_MS + 20 * DAY_MS;
    assert.deepEqual(daily(() => 50).reaches(50, nowMs), { kind: 'reached' });
    assert.deepEqual(daily((day) => 100 - day).reaches(150, nowMs), { kind: 'falling' });
  });

  it('tells what only a busy hour may reach from what the trend does', () => {
    const random = randomBy(3);
    const values = Array.from({ length: 480 }, () => 100 * (1 + 0.3 * (2 * random() - 1)));
    const reach = Forecast.of(asSeries(values))!.reaches(118, FROM_MS + 20 * DAY_MS);
    assert.equal(reach.kind, 'possible');
  });

  it('gives weekends a shape of their own from two weeks on, and not before', () => {
    const of = (days: number): Forecast =>
      Forecast.of(
        asSeries(Array.from({ length: days * 24 }, (_, i) => (Math.floor(i / 24) % 7 >= 5 ? 20 : 100))),
      )!;
    const saturday = FROM_MS + 33 * DAY_MS;
    assert.ok(Math.abs(of(28).at(saturday).expected - 20) < 1);
    assert.ok(Math.abs(of(28).at(saturday - DAY_MS).expected - 100) < 1);
    assert.ok(
      Math.abs(of(12).at(FROM_MS + 12 * DAY_MS).expected - of(12).at(FROM_MS + 14 * DAY_MS).expected) < 30,
    );
  });

  it('is none with fewer than three days', () => {
    const hours = (count: number): (number | null)[] => Array.from({ length: count }, () => 1);
    assert.equal(Forecast.of(asSeries([])), null);
    assert.equal(Forecast.of(asSeries(hours(59))), null);
    assert.notEqual(Forecast.of(asSeries(hours(60))), null);
    assert.equal(Forecast.of(asSeries([...hours(48), ...Array.from({ length: 500 }, () => null)])), null);
  });
});
