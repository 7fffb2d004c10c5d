import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeliveryModel, type Planned } from './support/delivery-model.ts';

const event = (n: number, more: Partial<Planned> = {}): Planned => ({
  n,
  type: 'work.fn',
  takers: ['fn'],
  key: null,
  dedupe: null,
  delayMs: 0,
  poison: false,
  again: 0,
  ackAtOnce: false,
  ...more,
});

/** Events that are accepted. */
function modelWith(...events: readonly Planned[]): DeliveryModel {
  const model = new DeliveryModel();
  for (const one of events) {
    model.begins(one, 1_000);
    model.accepted(one.n, `e-${one.n}`);
  }
  return model;
}

function carry(model: DeliveryModel, batch: string, ...numbers: readonly number[]): void {
  model.batchBegan('fn', batch, numbers, 2_000);
  for (const n of numbers) model.done('fn', batch, n);
}

const kept = (n: number, state = 'leased') => ({ n, component: 'fn', state, attempt: 1 });

describe('the model of delivery', () => {
  test('takes each once, and what was killed once more', () => {
    const model = modelWith(event(1), event(2));
    carry(model, 'a', 1, 2);
    model.killed(null, [kept(2)], false);
    carry(model, 'b', 2);
    model.atEnd([]);
    assert.deepEqual(model.violations, []);
    assert.equal(model.repeats, 1);
  });

  test('sees what is lost, and what was never published', () => {
    const model = modelWith(event(1), event(2));
    carry(model, 'a', 1);
    model.atEnd([]);
    model.batchBegan('fn', 'b', [9], 2_000);
    assert.match(model.violations[0]!, /event 2 is lost/);
    assert.match(model.violations[1]!, /event 9, which nobody has published/);
  });

  test('sees what comes again though nothing that had it was killed', () => {
    const model = modelWith(event(1), event(2));
    carry(model, 'a', 1);
    model.killed('fn', [kept(2)], true);
    carry(model, 'b', 1);
    assert.match(model.violations.join(), /event 1 was done 2 times/);
  });

  test('sees what comes after its acknowledgement was committed, even where a kill comes in between', () => {
    const model = modelWith(event(1));
    carry(model, 'a', 1);
    model.beforeLook()([]);
    model.killed(null, [], false);
    carry(model, 'b', 1);
    assert.match(model.violations[0]!, /after its acknowledgement was committed/);
  });

  test('does not take for lost what is published while it looks', () => {
    const model = modelWith();
    const looked = model.beforeLook();
    model.begins(event(1), 1_000);
    model.accepted(1, 'e-1');
    looked([]);
    assert.deepEqual(model.violations, []);
  });

  test('grants a killed handler the word that is on its way, and no more', () => {
    const model = modelWith(event(1));
    model.batchBegan('fn', 'a', [1], 2_000);
    model.killed('fn', [kept(1)], true);
    model.done('fn', 'a', 1);
    carry(model, 'b', 1);
    assert.deepEqual(model.violations, []);
    carry(model, 'c', 1);
    assert.match(model.violations[0]!, /done 3 times/);
  });

  test('sees one key out of order, and two of a key together', () => {
    const model = modelWith(event(1, { key: 'k' }), event(2, { key: 'k' }), event(3, { key: 'k' }));
    carry(model, 'a', 2);
    carry(model, 'b', 1);
    model.batchBegan('fn', 'c', [2, 3], 2_000);
    assert.match(model.violations[0]!, /event 1 of key k came to fn behind 2/);
    assert.match(model.violations[1]!, /two events of one key/);
  });

  test('sees what comes too early, what is given up without being poison, and poison that is done', () => {
    const model = modelWith(event(1, { delayMs: 2_000 }), event(2), event(3, { poison: true }));
    carry(model, 'a', 1, 3);
    model.atEnd([kept(2, 'dead'), kept(3, 'dead')]);
    assert.match(model.violations[0]!, /before its delay/);
    assert.match(model.violations[1]!, /poison 3 was done/);
    assert.match(model.violations[2]!, /event 2 was given up/);
    assert.equal(model.violations.length, 3);
  });

  test('lets what its publisher was not sure of come, or not', () => {
    const model = new DeliveryModel();
    model.begins(event(1), 1_000);
    model.begins(event(2), 1_000);
    carry(model, 'a', 2);
    model.atEnd([]);
    assert.deepEqual(model.violations, []);
  });
});
