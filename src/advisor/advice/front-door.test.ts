import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBook } from '../../meter/price-book.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import { factsOf } from '../testing/advice-request.ts';
import { unpaidFees } from './front-door.ts';

const BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'].map(openBook);

function unpaid(triggers: Partial<UnitFacts['triggers']>): string[] {
  const none = { routes: 0, events: [], schedules: [], callers: [] };
  return unpaidFees(factsOf({ triggers: { ...none, ...triggers } }), BOOKS);
}

test('what nobody reaches from outside pays no front door', () => {
  for (const triggers of [{ events: ['order.placed'] }, { schedules: ['0 2 * * *'] }, { callers: ['shop'] }])
    assert.deepEqual(unpaid(triggers), ['gateway', 'load-balancer']);
});

test('what has routes, or of which nothing is known, pays it', () => {
  assert.deepEqual(unpaid({ routes: 1, events: ['order.placed'] }), []);
  assert.deepEqual(unpaid({}), []);
});
