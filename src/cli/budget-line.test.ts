import assert from 'node:assert/strict';
import { it } from 'node:test';
import { budgetLine } from './budget-line.ts';

const GB = 1024 ** 3;
const STATUS = {
  memoryBytes: 5.6 * GB,
  promisedBytes: 1.2 * GB,
  keptBytes: 0,
  cpus: 2,
  pressed: false,
  waiting: 0,
};

it('the line of a machine says what is promised of it, and what is wrong', () => {
  assert.equal(budgetLine(STATUS), 'machine: 1.2 GB of 5.6 GB promised');
  assert.equal(
    budgetLine({ ...STATUS, waiting: 1, pressed: true }),
    'machine: 1.2 GB of 5.6 GB promised; 1 component waits for room; short of memory: no function instance starts',
  );
});
