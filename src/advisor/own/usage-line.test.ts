import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitFacts, usageLines } from '../testing/usage-export.ts';
import { isFault, isUsageHead, parseUsageLine } from './usage-line.ts';

const LINES = usageLines([{ atMs: 1, durationMs: 5 }], { spanMs: 60_000, facts: [unitFacts()] });

test('lines are read as they were written', () => {
  for (const line of LINES) assert.deepEqual(parseUsageLine(JSON.stringify(line)), line);
  assert.ok(isUsageHead(JSON.stringify(LINES[0])));
  assert.ok(!isUsageHead(JSON.stringify(LINES[1])));
});

test('what is wrong with a line is told: what stands there, and what should', () => {
  const [head, minute] = LINES;
  const cases: [unknown, string, string][] = [
    ['{', '{', 'a JSON object on a line of its own'],
    ['[]', '[]', 'a JSON object such as {"kind":"minute",…}'],
    [{}, 'kind: undefined', 'kind: one of usage, minute, instances, joined-calls, arrivals, gap, end'],
    [
      { kind: 'toString' },
      'kind: "toString"',
      'kind: one of usage, minute, instances, joined-calls, arrivals, gap, end',
    ],
    [{ ...head, format: 2 }, 'format: 2', 'format: 1; a newer Fulcrum may have written it'],
    [{ ...head, toMs: 'x' }, 'toMs: "x"', 'toMs: a moment in ms since the epoch'],
    [{ ...head, facts: [{}] }, 'facts: [{}]', 'facts: a list of units with their members and settings'],
    [{ ...minute, mode: 'both' }, 'mode: "both"', 'mode: "function" or "service"'],
    [{ ...minute, count: -1 }, 'count: -1', 'count: a whole number of at least 0'],
    [{ ...minute, spanMs: 0 }, 'spanMs: 0', 'spanMs: a number of ms above 0'],
    [{ ...minute, hundredsMs: 'x' }, 'hundredsMs: "x"', 'hundredsMs: a number of at least 0, or null'],
    [{ ...minute, duration: '%' }, 'duration: "%"', 'duration: bytes in base64'],
    [
      { ...minute, outcome: 'lost' },
      'outcome: "lost"',
      'outcome: how an invocation ends, such as "ok" or "refused"',
    ],
  ];
  for (const [line, found, expected] of cases) {
    const parsed = parseUsageLine(typeof line === 'string' ? line : JSON.stringify(line));
    assert.ok(isFault(parsed), JSON.stringify(line));
    assert.deepEqual(parsed, { found, expected });
  }
});
