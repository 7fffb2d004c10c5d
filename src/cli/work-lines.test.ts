import assert from 'node:assert/strict';
import { test } from 'node:test';
import { component, FakePort } from '../control/fixtures/fake-port.ts';
import type { BacklogStatus, ScheduleStatus } from '../model/status.ts';
import { psLines } from './commands/ps.ts';
import { componentLines } from './component-lines.ts';
import { judgeDeadLetters } from './doctor/dead-letters.ts';
import { backlogLines, scheduleLines } from './work-lines.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 12);
const HOUR_MS = 3_600_000;

function schedule(part: Partial<ScheduleStatus> = {}): ScheduleStatus {
  return {
    ...{ name: 'schedule', text: '0 2 * * *', lastAtMs: NOW_MS - 3 * HOUR_MS, lastState: 'ok' },
    ...{ lastMessage: null, nextAtMs: NOW_MS + 14 * HOUR_MS },
    ...part,
  };
}

function backlog(part: Partial<BacklogStatus> = {}): BacklogStatus {
  return { waiting: 0, oldestDueAtMs: null, underWay: 0, later: 0, dead: 0, ...part };
}

const report = component({
  name: 'report',
  schedules: [
    schedule({ name: 'nightly', text: '0 2 * * * Europe/Berlin' }),
    schedule({
      name: 'hourly',
      text: '@every 1h',
      lastState: 'failed',
      lastMessage: `no\npaper ${'x'.repeat(90)}`,
    }),
    schedule({ name: 'new', text: '@at 2026-12-24T17:00:00.000Z', lastAtMs: null, lastState: null }),
    schedule({ name: 'past', text: '@at 2026-01-01T00:00:00.000Z', lastState: 'skipped', nextAtMs: null }),
  ],
});
const receipts = component({
  ...{ name: 'receipts', events: ['order.paid', 'order.refunded'] },
  backlog: backlog({
    waiting: 10_000,
    oldestDueAtMs: NOW_MS - 5 * HOUR_MS,
    underWay: 2,
    later: 1_204,
    dead: 3,
  }),
});

test('ps shows last and next ticks with their outcome, and what waits and is dead, below its table', () => {
  const list = [
    report,
    component({ name: 'mail', schedules: [schedule()] }),
    receipts,
    component({ backlog: backlog() }),
  ];
  const lines = psLines(new FakePort().app(), list, NOW_MS, 80);
  for (const line of lines) assert.ok(Array.from(line).length <= 80, line);
  const text = lines.join('\n');
  const blocks = text.split('\n\n');
  assert.match(blocks[2]!, /^SCHEDULE OF +WHEN +LAST +OUTCOME +NEXT$/m);
  assert.match(blocks[2]!, /^report +nightly: 0 2 \* \* \* Europe\/Berlin +3h ago +ok +in 14h$/m);
  assert.match(blocks[2]!, /^report +hourly: @every 1h +3h ago +failed +in 14h$/m);
  assert.match(blocks[2]!, /^report +new: @at \S+ +- +- +in 14h$/m);
  assert.match(blocks[2]!, /^report +past: .* skipped +never$/m);
  assert.match(blocks[2]!, /^mail +0 2 \* \* \* +3h ago /m);
  assert.match(
    blocks[3]!,
    /^WORK FOR +WAITING +OLDEST +UNDER WAY +LATER +DEAD\nreceipts +10,000\+ +5h ago +2 +1,204 +3$/,
  );
  assert.match(blocks[4]!, /^report: its tick 3h ago \(hourly: @every 1h\) failed: no paper x+…$/m);
  assert.match(blocks[4]!, /^receipts: 3 dead: fulcrum events ls --state dead --component receipts$/m);
});

test('a command that ps names is never cut, however long the component’s name is', () => {
  const name = 'a-component-with-a-rather-long-name-too';
  const lines = psLines(new FakePort().app(), [{ ...receipts, name }], NOW_MS, 80);
  for (const line of lines) assert.ok(Array.from(line).length <= 80, line);
  assert.ok(lines.join(' ').includes(`fulcrum events ls --state dead --component ${name}`), lines.join('\n'));
});

test('an app without schedules and kept work has neither table', () => {
  const list = [component(), component({ name: 'mail', backlog: backlog() })];
  assert.deepEqual([scheduleLines(list, NOW_MS, 80), backlogLines(list, NOW_MS, 80)], [[], []]);
});

test('of many schedules ps shows the first, and the component itself all', () => {
  const many = component({ schedules: Array.from({ length: 30 }, (_, i) => schedule({ name: `s${i}` })) });
  const lines = scheduleLines([many], NOW_MS, 80, 20);
  assert.deepEqual([lines.length, lines.at(-1)], [22, 'and 10 more; fulcrum ps COMPONENT shows all of one']);
  assert.equal(componentLines(many, NOW_MS, 80).filter((line) => line.startsWith('catalog  ')).length, 30);
});

test('ps COMPONENT shows its own, and why a tick failed in full', () => {
  const lines = componentLines(report, NOW_MS, 80);
  for (const line of lines) assert.ok(Array.from(line).length <= 80, line);
  assert.ok(lines.join('').includes('x'.repeat(80)));
  assert.ok(lines.some((line) => line.startsWith('report       hourly')));
  const told = componentLines(receipts, NOW_MS, 80);
  assert.ok(told.includes('takes order.paid, order.refunded'));
  assert.ok(told.some((line) => /^receipts +10,000\+/.test(line)));
});

test('doctor warns of dead letters and of ticks that failed', () => {
  const findings = judgeDeadLetters([{ app: 'shop', components: [report, receipts] }]);
  assert.deepEqual(
    findings.map(({ name, status, found }) => [name, status, found]),
    [
      ['dead letters', 'warning', '3 for receipts of shop'],
      ['schedules', 'warning', 'the last tick failed: report of shop'],
    ],
  );
  const healthy = judgeDeadLetters([{ app: 'shop', components: [component()] }]);
  assert.deepEqual(
    healthy.map(({ name, status }) => [name, status]),
    [['dead letters', 'ok']],
  );
});
