import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanOf } from '../simulator/start-times.ts';
import { unitFacts } from '../testing/usage-export.ts';
import { modelsOfFacts } from './models-of-facts.ts';

const started = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

test('settings are as they are, and each mode has its own', () => {
  const facts = unitFacts();
  const models = modelsOfFacts(facts);
  assert.equal(models.function.settings, facts.function);
  assert.equal(models.service.settings, facts.service);
  assert.ok(!('startsAtOnce' in models.function) && !('machineCpus' in models.service));
});

test("starts are the unit's own once there are twenty, else the engine's", () => {
  const few = modelsOfFacts(unitFacts({ startsMs: { function: started(19, 500), service: [] } }));
  assert.ok(meanOf(few.function.coldStart) < 20);
  const many = modelsOfFacts(
    unitFacts({ startsMs: { function: started(20, 500), service: started(30, 900) } }),
  );
  assert.equal(meanOf(many.function.coldStart), 500);
  assert.equal(meanOf(many.service.start), 900);
});

test('a command is never forked: it starts as a process does', () => {
  const { function: asFunction, service } = modelsOfFacts(unitFacts({ kind: 'command' }));
  assert.deepEqual(asFunction.coldStart, service.start);
});

test("where a machine is given, its bounds are the models'", () => {
  const models = modelsOfFacts(unitFacts(), { cpus: 2, startsAtOnce: 6 });
  assert.deepEqual([models.function.startsAtOnce, models.service.machineCpus], [6, 2]);
});
