import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLogMoment, parseMoment } from './moments.ts';
import { orderOf } from './order.ts';

test('times are put in order, equal ones as they came', () => {
  const times = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.double({ min: 1.7e12, max: 1.8e12, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(times), (list) => {
      const expected = list.map((_, i) => i).sort((a, b) => list[a]! - list[b]! || a - b);
      assert.deepEqual([...orderOf(Float64Array.from(list))], expected);
    }),
    { seed: 5 },
  );
});

test('moments are read as JavaScript writes them, with any zone', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (at, offset) => {
        const ms = at.getTime();
        assert.equal(parseMoment(at.toISOString()), ms);
        const two = (value: number): string => String(Math.abs(value)).padStart(2, '0');
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
        assert.equal(
          parseMoment(new Date(ms + offset * 60_000).toISOString().replace('Z', zone).replace('T', ' ')),
          ms,
        );
      },
    ),
    { seed: 5 },
  );
});

test('what is no moment is none', () => {
  for (const text of [
    '',
    'now',
    '2026-02-30 00:00:00',
    '2026-01-01',
    '2026-01-01T24:00:00',
    '12',
    '1e12',
    '2026-01-01T00:00:00+15:00',
    '99999999999999999999',
  ]) {
    assert.equal(parseMoment(text), null, text);
  }
  assert.equal(parseLogMoment('31/Jan/2026:12:00:00 +0100'), Date.UTC(2026, 0, 31, 11));
  for (const text of [
    '',
    '31/Jan/2026:12:00:00',
    '32/Jan/2026:12:00:00 +0000',
    '31/Jan/2026:25:00:00 +0000',
  ]) {
    assert.equal(parseLogMoment(text), null, text);
  }
});
