import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StepList, type StepLine } from './step-list.ts';

const step = (name: string, state: StepLine['state'], text = '', tookMs: number | null = null): StepLine => ({
  name,
  state,
  text,
  tookMs,
});

function list(isTerminal: boolean): { steps: StepList; written: string[] } {
  const written: string[] = [];
  return {
    steps: new StepList({ isTerminal, width: 80, write: (text) => void written.push(text) }),
    written,
  };
}

/** What a terminal shows after `text`: lines, with the cursor's way up and what is erased. */
function screen(text: string): string[] {
  const lines: string[] = [''];
  for (const [, up, other] of text.matchAll(/\u001B\[(\d+)A\u001B\[0J|([^\u001B])/g)) {
    if (up !== undefined) lines.splice(lines.length - 1 - Number(up), Infinity, '');
    else if (other === '\n') lines.push('');
    else lines[lines.length - 1] += other!;
  }
  return lines.slice(0, -1);
}

test('elsewhere than on a terminal each step is one line, when it has ended', () => {
  const { steps, written } = list(false);
  steps.set(step('upload', 'begun', '1 of 3'));
  steps.set(step('upload', 'begun', '2 of 3'));
  steps.set(step('upload', 'done', '3 files', 1_234));
  steps.set(step('types', 'skipped', 'not checked'));
  steps.set(step('start catalog', 'failed', 'it threw', 80));
  assert.deepEqual(written.join('').split('\n'), [
    `  ✓ upload       3 files${' '.repeat(54 - 7)} ${'1.2s'.padStart(8)}`,
    '  - types        not checked',
    `  ✗ start catalog it threw${' '.repeat(53 - 8)} ${'80ms'.padStart(8)}`,
    '',
  ]);
  assert.ok(!written.join('').includes('\u001B'));
});

test('on a terminal what is under way is one line that is redrawn, below what has ended', () => {
  const { steps, written } = list(true);
  steps.set(step('start a', 'begun'));
  steps.set(step('start b', 'begun'));
  steps.set(step('start a', 'begun', 'half'));
  assert.deepEqual(screen(written.join('')), ['  · start a      half', '  · start b']);
  steps.note('something to know');
  steps.set(step('start b', 'done', 'ready'));
  assert.deepEqual(screen(written.join('')), [
    '  something to know',
    '  ✓ start b      ready',
    '  · start a      half',
  ]);
  steps.set(step('start a', 'failed', 'it threw'));
  assert.deepEqual(screen(written.join('')), [
    '  something to know',
    '  ✓ start b      ready',
    '  ✗ start a      it threw',
  ]);
});

test('no line is wider than the terminal, and nothing in it can take it over', () => {
  const { steps, written } = list(false);
  steps.set(step('n'.repeat(100), 'done', 't\u001B[2J'.repeat(50), 1));
  steps.note('x'.repeat(500));
  const text = written.join('');
  assert.ok(
    text.split('\n').every((line) => line.length <= 80),
    text,
  );
  assert.ok(!text.includes('\u001B'));
});

test('a hundred at once show ten', () => {
  const { steps, written } = list(true);
  for (let i = 0; i < 100; i += 1) steps.set(step(`start c${i}`, 'begun'));
  assert.equal(screen(written.join('')).length, 10);
});
