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
    assert.equal(size({ kind: 'exact', value: 70 * MB }).memoryBytes, 70 * MB);
    assert.equal(size({ kind: 'percent', value: 150 }).memoryBytes, 1_500 * MB);
    assert.equal(size(null, { kind: 'percent', value: 50 }).cpus, 2);
    assert.equal(size(null, { kind: 'exact', value: 1.5 }).cpus, 1.5);
    assert.equal(size(null).cpus, 4);
  });

  it('is refused where nothing can run in it, as a part of the machine too', () => {
    const machine = { memoryBytes: 1_000 * MB, cpus: 4 };
    const size = (memoryPercent: number, cpuPercent: number) =>
      budgetSize(
        { memory: { kind: 'percent', value: memoryPercent }, cpus: { kind: 'percent', value: cpuPercent } },
        'serve',
        machine,
      );
    assert.throws(() => size(0.0001, 50), {
      code: 'usage',
      message: /memory budget of 1 KB .*16 MB or more/,
    });
    assert.throws(() => size(50, 0.0001), { code: 'usage', message: /0\.01 or more/ });
    assert.deepEqual(size(1.6, 0.25), { memoryBytes: 16 * MB, cpus: 0.01 });
  });

  it('knows this machine', () => {
    const { memoryBytes, cpus } = thisMachine();
    assert.ok(memoryBytes > 64 * MB && memoryBytes < 2 ** 53 && cpus >= 1);
  });
});
