import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { budgetSize, NOTHING_ASKED, thisMachine } from './budget-size.ts';

const MB = 1024 ** 2;
const memory = (machineMb: number, purpose: 'serve' | 'dev' = 'serve'): number =>
  budgetSize(NOTHING_ASKED, purpose, { memoryBytes: machineMb * MB, cpus: 2 }).memoryBytes / MB;

describe('the budget of a server', () => {
  it('is the machine less a tenth, and less 128 MB at least', () => {
    assert.deepEqual([memory(1_024), memory(2_000), memory(10_000)], [896, 1_800, 9_000]);
    assert.equal(memory(100), 128, 'never nothing');
  });

  it('has room for the shop example, changes of it included, where it is run with `dev` on 1 GB', () => {
    const [services, allTheirSuccessors, largestFunction] = [3 * 256, 3 * 256, 256];
    assert.ok(memory(1_024, 'dev') >= services + allTheirSuccessors + largestFunction);
  });

  it('is what was asked for, exactly or as a part of what there is', () => {
    const machine = { memoryBytes: 1_000 * MB, cpus: 4 };
    const size = (memory: Parameters<typeof budgetSize>[0]['memory'], cpus: typeof memory = null) =>
      budgetSize({ memory, cpus }, 'serve', machine);
    assert.equal(size({ kind: 'exact', value: 7 * MB }).memoryBytes, 7 * MB);
    assert.equal(size({ kind: 'percent', value: 150 }).memoryBytes, 1_500 * MB);
    assert.equal(size(null, { kind: 'percent', value: 50 }).cpus, 2);
    assert.equal(size(null, { kind: 'exact', value: 1.5 }).cpus, 1.5);
    assert.equal(size(null).cpus, 4);
  });

  it('knows this machine', () => {
    const { memoryBytes, cpus } = thisMachine();
    assert.ok(memoryBytes > 64 * MB && memoryBytes < 2 ** 53 && cpus >= 1);
  });
});
