import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moment, spanOf } from './moments.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);

test('a moment is so long ago, or a date in UTC', () => {
  for (const [text, expectedMs] of [
    ['30d', NOW_MS - 30 * 86_400_000],
    ['1h30m', NOW_MS - 90 * 60_000],
    ['2026-11-01', Date.UTC(2026, 10, 1)],
    ['2026-11', Date.UTC(2026, 10, 1)],
    ['2026-11-01T12:30', Date.UTC(2026, 10, 1, 12, 30)],
    ['2026-11-01T12:30:15Z', Date.UTC(2026, 10, 1, 12, 30, 15)],
    ['2026-11-01T12:30+02:00', Date.UTC(2026, 10, 1, 10, 30)],
  ] as const) {
    assert.equal(
      spanOf({ since: moment(text) }, NOW_MS).fromMs,
      Math.floor(expectedMs / 60_000) * 60_000,
      text,
    );
  }
});

test('what is neither is refused with what it would have to be', () => {
  for (const text of [
    '',
    'yesterday',
    '0s',
    '30',
    '2026-02-30',
    '2026-02-30T10:00Z',
    '2026-11-31T00:00+02:00',
    '2026-13-01',
    '2026-11-01T25:00',
    '-1d',
    '1969',
  ]) {
    assert.throws(
      () => moment(text),
      /It is a duration such as 30d or 12h, or a date such as 2026-11-01/,
      text,
    );
  }
});

test('a stretch is the last thirty days where nothing is said, and ends after it begins', () => {
  assert.deepEqual(spanOf({}, NOW_MS), { fromMs: NOW_MS - 30 * 86_400_000, toMs: NOW_MS });
  const since = moment('2026-11-01');
  assert.deepEqual(spanOf({ since, until: moment('12h') }, NOW_MS), {
    fromMs: Date.UTC(2026, 10, 1),
    toMs: NOW_MS - 12 * 3_600_000,
  });
  // The rest of November is still to come.
  assert.deepEqual(spanOf({ since, until: moment('2026-12') }, NOW_MS), {
    fromMs: Date.UTC(2026, 10, 1),
    toMs: NOW_MS,
  });
  for (const wrong of [{ since, until: moment('2026-10') }, { since: moment('2026-12') }]) {
    assert.throws(() => spanOf(wrong, NOW_MS), { code: 'usage', message: /^--since .* is not before / });
  }
});
