import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeployStep } from '../../control/host-port.ts';
import type { ModeFinding } from '../../model/mode-check.ts';
import { ServerSteps } from './server-steps.ts';
import { StepList } from './step-list.ts';

const FINDING: ModeFinding = {
  rule: 'shared-variable',
  member: null,
  severity: 'warning',
  file: 'greeter.ts',
  line: 8,
  column: 5,
  lineText: "user = request.headers.get('x-user');",
  message:
    "'user' is written by a request and shared with all others that run at the same time: one would see what belongs to another.",
  advice: 'Keep it in a local variable and pass it on, or in an AsyncLocalStorage.',
};

function shown(...steps: Partial<DeployStep>[]): string[] {
  const written: string[] = [];
  const list = new StepList({ isTerminal: false, width: 80, write: (text) => void written.push(text) });
  const all = new ServerSteps(list);
  for (const step of steps) {
    all.show({ name: 'start', state: 'done', component: null, message: '', tookMs: null, ...step });
  }
  const lines = written.join('').split('\n').slice(0, -1);
  assert.ok(
    lines.every((line) => line.length <= 80),
    lines.join('\n'),
  );
  return lines;
}

test('one fault is one ✗: what was given up because of it is not needed any more', () => {
  assert.deepEqual(
    shown(
      { state: 'begun' },
      { state: 'begun', component: 'web' },
      { state: 'begun', component: 'sums' },
      { state: 'failed', component: 'web', message: 'it threw' },
      { state: 'skipped', component: 'sums', message: 'not needed any more', tookMs: 81 },
      { state: 'failed', message: 'it threw' },
    ),
    ['  ✗ start web    it threw', '  - start sums   not needed any more'],
  );
  // One that no component explains is told.
  assert.deepEqual(shown({ name: 'check', state: 'failed', message: 'no' }), ['  ✗ check        no']);
});

test('what a switch of a component of mode auto would break is told with its place and its line', () => {
  const step = { name: 'modes', component: 'greeter', message: 'as a service it would break in one place' };
  assert.deepEqual(shown({ ...step, findings: [FINDING] }), [
    '  ! modes greeter as a service it would break in one place',
    '    warning greeter.ts:8:5 shared-variable',
    "      'user' is written by a request and shared with all others that run at the",
    '      same time: one would see what belongs to another.',
    "      8 | user = request.headers.get('x-user');",
    '      Keep it in a local variable and pass it on, or in an AsyncLocalStorage.',
  ]);
  const many = shown({ ...step, findings: Array.from({ length: 12 }, () => FINDING) });
  assert.equal(many.at(-1), '    … and 2 more: `fulcrum mode greeter MODE --check` shows all');
});
