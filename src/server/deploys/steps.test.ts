import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import type { DeployStep } from '../../control/host-port.ts';
import { Steps } from './steps.ts';

test('each step is told as it begins and ends, with its time', async () => {
  const clock = new FakeClock();
  const told: DeployStep[] = [];
  const steps = new Steps(clock, (step) => told.push(step));
  steps.begin('start');
  steps.begin('start', 'web');
  await clock.advance(120);
  steps.done('start', '', 'web');
  steps.done('start', 'all are up');
  assert.deepEqual(
    told.map(({ name, component, state, message, tookMs }) => [name, component, state, message, tookMs]),
    [
      ['start', null, 'begun', '', null],
      ['start', 'web', 'begun', '', null],
      ['start', 'web', 'done', '', 120],
      ['start', null, 'done', 'all are up', 120],
    ],
  );
});

test('given up, what was under way has failed, its components are not needed any more, and each is told once', () => {
  const told: string[] = [];
  const steps = new Steps(new FakeClock(), ({ component, state, message }) =>
    told.push(`${component} ${state} ${message}`),
  );
  steps.begin('start');
  steps.begin('start', 'web');
  steps.begin('start', 'sums');
  steps.failed('start', 'web', new Error('no luck\nat all'));
  steps.giveUp(new Error('web did not start'));
  steps.giveUp(new Error('again'));
  assert.deepEqual(told.slice(3), [
    'web failed no luck',
    'sums skipped not needed any more',
    'null failed web did not start',
  ]);
});

test('a listener that throws harms nobody', () => {
  const steps = new Steps(new FakeClock(), () => {
    throw new Error('gone');
  });
  steps.begin('check');
  steps.done('check');
});
