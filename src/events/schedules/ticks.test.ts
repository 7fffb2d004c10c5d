import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ScheduledAt } from '../../model/work-settings.ts';
import { isFixedTime, latestTick, nextTick } from './ticks.ts';

const RUNS = { numRuns: process.env['FULCRUM_FULL'] === '1' ? 5_000 : 500 };

const cron = (line: string, timeZone = 'UTC'): ScheduledAt => ({ kind: 'cron', cron: line, timeZone });
const every = (everyMs: number): ScheduledAt => ({ kind: 'every', everyMs, text: `@every ${everyMs}ms` });

/** The ticks from one time to another, both as ISO text. */
function ticks(when: ScheduledAt, from: string, to: string): string[] {
  const found: string[] = [];
  for (
    let at = nextTick(when, Date.parse(from));
    at !== null && at <= Date.parse(to);
    at = nextTick(when, at)
  )
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'));
  return found;
}

test('a line ticks in its time zone, with seconds where it has them', () => {
  const from = '2026-06-30T00:00:00Z';
  assert.deepEqual(ticks(cron('0 2 * * *', 'Europe/Berlin'), from, '2026-07-02T00:00:00Z'), [
    '2026-07-01T00:00Z',
    '2026-07-02T00:00Z',
  ]);
  assert.deepEqual(ticks(cron('*/20 59 23 * * *'), from, '2026-07-01T00:00:00Z'), [
    '2026-06-30T23:59Z',
    '2026-06-30T23:59:20.000Z',
    '2026-06-30T23:59:40.000Z',
  ]);
  // Either of the two kinds of day, as cron always had it.
  assert.deepEqual(ticks(cron('0 0 1 * FRI'), from, '2026-07-10T00:00:00Z'), [
    '2026-07-01T00:00Z',
    '2026-07-03T00:00Z',
    '2026-07-10T00:00Z',
  ]);
  assert.equal(nextTick(cron('0 0 29 2 *'), Date.UTC(2026, 0)), Date.UTC(2028, 1, 29));
});

test('a time that does not come, the clocks being put forward, is made up for where the line names it', () => {
  // In Berlin, on 29 March 2026, 02:00 is 03:00: 01:00 UTC.
  const day = ['2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z'] as const;
  assert.deepEqual(ticks(cron('30 2 * * *', 'Europe/Berlin'), ...day), ['2026-03-29T01:00Z']);
  assert.deepEqual(ticks(cron('0,30 2,4 * * *', 'Europe/Berlin'), ...day), [
    '2026-03-29T01:00Z',
    '2026-03-29T02:00Z',
    '2026-03-29T02:30Z',
  ]);
  assert.deepEqual(ticks(cron('0 0-4/2 * * *', 'Europe/Berlin'), ...day), ['2026-03-29T02:00Z']);
  assert.equal(ticks(cron('30 * * * *', 'Europe/Berlin'), ...day).length, 23);
});

test('a time that comes twice, the clocks being put back, counts once where the line names it', () => {
  // On 25 October 2026, 03:00 is 02:00: at 01:00 UTC.
  const day = ['2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z'] as const;
  assert.deepEqual(ticks(cron('30 2 * * *', 'Europe/Berlin'), ...day), ['2026-10-25T00:30Z']);
  assert.deepEqual(ticks(cron('30 2-3 * * *', 'Europe/Berlin'), ...day), [
    '2026-10-25T00:30Z',
    '2026-10-25T02:30Z',
  ]);
  assert.equal(ticks(cron('30 * * * *', 'Europe/Berlin'), ...day).length, 25);
  // By half an hour, on Lord Howe Island: 5 April 2026, 02:00 is 01:30, at 15:00 UTC of the day before.
  const lord = ['2026-04-04T13:00:00Z', '2026-04-05T13:29:59Z'] as const;
  assert.deepEqual(ticks(cron('45 1 * * *', 'Australia/Lord_Howe'), ...lord), ['2026-04-04T14:45Z']);
});

test('a duration ticks at its multiples since 1970, one time once', () => {
  assert.equal(nextTick(every(30_000), 60_000), 90_000);
  assert.equal(nextTick(every(30_000), 59_999.5), 60_000);
  assert.equal(latestTick(every(30_000), 60_000), 60_000);
  const at = { kind: 'at', atMs: 5 } as const;
  assert.deepEqual(
    [nextTick(at, 4), nextTick(at, 5), latestTick(at, 4), latestTick(at, 5)],
    [5, null, null, 5],
  );
});

test('the latest tick is the one after which the next is later', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca',
  ];
  const lines = [
    '30 2 * * *',
    '15 1,2,3 * * *',
    '*/15 * * * *',
    '0 0 1 * *',
    '5 0 * * MON',
    '*/10 * * * * *',
    '0 2 29 2 *',
  ];
  // Around where clocks change, above all.
  const moment = fc.oneof(
    fc.integer({ min: Date.UTC(2026, 2, 28, 20), max: Date.UTC(2026, 2, 29, 4) }),
    fc.integer({ min: Date.UTC(2026, 9, 24, 20), max: Date.UTC(2026, 9, 25, 4) }),
    fc.integer({ min: Date.UTC(2026, 3, 4, 12), max: Date.UTC(2026, 3, 4, 18) }),
    fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) }),
  );
  const when = fc.oneof(
    fc.tuple(fc.constantFrom(...lines), fc.constantFrom(...zones)).map(([line, zone]) => cron(line, zone)),
    fc.integer({ min: 1_000, max: 100_000_000 }).map(every),
  );
  fc.assert(
    fc.property(when, moment, (one, nowMs) => {
      const latest = latestTick(one, nowMs)!;
      const next = nextTick(one, nowMs)!;
      assert.ok(latest <= nowMs && next > nowMs);
      assert.equal(nextTick(one, latest), next);
      assert.equal(latestTick(one, next), next);
      assert.equal(latestTick(one, next - 1), latest);
    }),
    RUNS,
  );
});

test('what names no time of the day goes by how often', () => {
  for (const line of ['0 2 * * *', '0,30 2-4 * * *', '0 0 2 * * *', '5 0 */2 * *'])
    assert.equal(isFixedTime(cron(line)), true, line);
  for (const line of ['* * * * *', '0 * * * *', '0-30/10 2 * * *', '*/5 0 2 * * *', '0 0 */2 * * *'])
    assert.equal(isFixedTime(cron(line)), false, line);
  assert.deepEqual([isFixedTime(every(1_000)), isFixedTime({ kind: 'at', atMs: 1 })], [false, true]);
});
