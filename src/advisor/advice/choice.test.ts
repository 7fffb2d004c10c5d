import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Obstacle } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import { choiceOf, type Candidate } from './choice.ts';

const at = (perMonth: number | null, p99Ms: number | null = 100, refusedShare = 0): Candidate => ({
  perMonth,
  p99Ms,
  refusedShare,
});
const against = (mode: Mode, severity: Obstacle['severity'] = 'impossible'): Obstacle => ({
  mode,
  severity,
  criterion: 'duration',
  text: '',
  evidence: [],
});

describe('the choice', () => {
  test('is the cheaper one', () => {
    assert.deepEqual(choiceOf({ function: at(5), service: at(9) }, [], 'service', null), {
      mode: 'function',
      because: 'cheapest',
    });
    assert.deepEqual(choiceOf({ function: at(10), service: at(9) }, [], 'function', 200), {
      mode: 'service',
      because: 'cheapest',
    });
  });

  test('keeps what is there where both cost the same within 5 %, and is a function where nothing is', () => {
    const candidates = { function: at(10), service: at(9.6) };
    for (const [present, mode] of [
      ['function', 'function'],
      ['service', 'service'],
      [null, 'function'],
    ] as const)
      assert.deepEqual(choiceOf(candidates, [], present, null), { mode, because: 'tie' });
    assert.deepEqual(choiceOf({ function: at(0), service: at(0) }, [], null, null), {
      mode: 'function',
      because: 'tie',
    });
  });

  test('meets the objective first', () => {
    const slow = { function: at(5, 300), service: at(9, 100) };
    assert.deepEqual(choiceOf(slow, [], 'function', 200), { mode: 'service', because: 'objective' });
    assert.deepEqual(choiceOf(slow, [], 'function', 300), { mode: 'function', because: 'cheapest' });
    assert.deepEqual(choiceOf(slow, [], 'function', 50), { mode: null, because: 'objective' });
    // Some cents are no reason: it is the latency.
    const cents = { function: at(10, 100), service: at(10.1, 300) };
    assert.deepEqual(choiceOf(cents, [], 'service', 200), { mode: 'function', because: 'objective' });
  });

  test('is none that refuses what comes', () => {
    assert.equal(
      choiceOf({ function: at(50), service: at(9, 100, 0.2) }, [], 'service', null).mode,
      'function',
    );
  });

  test('is what is possible', () => {
    const candidates = { function: at(5), service: at(9) };
    assert.deepEqual(choiceOf(candidates, [against('function')], null, null), {
      mode: 'service',
      because: 'only-possible',
    });
    assert.equal(choiceOf(candidates, [against('function', 'warning')], null, null).mode, 'function');
    assert.deepEqual(choiceOf({ function: at(null), service: at(9) }, [], null, null), {
      mode: 'service',
      because: 'only-possible',
    });
    assert.deepEqual(choiceOf(candidates, [against('function'), against('service')], null, null), {
      mode: null,
      because: 'impossible',
    });
  });
});
