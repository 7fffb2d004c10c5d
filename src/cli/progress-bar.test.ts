import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressBar } from './progress-bar.ts';

const CLEAR = '\r\u001B[K';

function bar(isTerminal: boolean, width = 80): { bar: ProgressBar; written: string[] } {
  const written: string[] = [];
  return { written, bar: new ProgressBar({ isTerminal, width, write: (text) => written.push(text) }) };
}

test('a bar is written over itself, and taken away', () => {
  const { bar: one, written } = bar(true);
  one.set('Reading', 0.5);
  one.set('Reading', 0.5001);
  one.set('Replaying', 2);
  one.clear();
  one.clear();
  assert.deepEqual(written, [
    `${CLEAR}Reading    ${'█'.repeat(12)}${'░'.repeat(12)}  50 %`,
    `${CLEAR}Replaying  ${'█'.repeat(24)} 100 %`,
    CLEAR,
  ]);
});

test('a bar never breaks its line, and is not there where there is no terminal', () => {
  const narrow = bar(true, 20);
  narrow.bar.set('Reading', 0.1);
  assert.ok(Array.from(narrow.written[0]!.slice(CLEAR.length)).length < 20);
  const none = bar(false);
  none.bar.set('Reading', 0.1);
  none.bar.clear();
  assert.deepEqual(none.written, []);
});
