import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { budgetArgs, budgetAsked } from './budget-flags.ts';

describe('the flags of a budget', () => {
  it('are sizes, numbers, or parts of what there is', () => {
    assert.deepEqual(budgetAsked({ memoryBudget: '12GB', cpuBudget: '1.5' }, {}), {
      memory: { kind: 'exact', value: 12 * 1024 ** 3 },
      cpus: { kind: 'exact', value: 1.5 },
    });
    assert.deepEqual(budgetAsked({ memoryBudget: '150%', cpuBudget: '50 %' }, {}), {
      memory: { kind: 'percent', value: 150 },
      cpus: { kind: 'percent', value: 50 },
    });
    assert.deepEqual(budgetAsked({}, {}), { memory: null, cpus: null });
  });

  it('are taken from the environment where they are not given', () => {
    const env = { FULCRUM_MEMORY_BUDGET: '1GB', FULCRUM_CPU_BUDGET: '' };
    assert.deepEqual(budgetAsked({}, env), { memory: { kind: 'exact', value: 1024 ** 3 }, cpus: null });
    assert.deepEqual(budgetAsked({ memoryBudget: '2GB' }, env).memory, {
      kind: 'exact',
      value: 2 * 1024 ** 3,
    });
  });

  it('say what is wrong, and where', () => {
    const wrong: [Parameters<typeof budgetAsked>[0], NodeJS.ProcessEnv, RegExp][] = [
      [{ memoryBudget: '12' }, {}, /^--memory-budget: '12' is no size.*12GB/],
      [{ memoryBudget: '0%' }, {}, /^--memory-budget: '0%' is no size/],
      [{ memoryBudget: '1MB' }, {}, /too little/],
      [{ cpuBudget: '0' }, {}, /^--cpu-budget: '0' is no number of processors/],
      [{ cpuBudget: '-1' }, {}, /no number/],
      [{ cpuBudget: '0.00001' }, {}, /from 0\.01 to/],
      [{ memoryBudget: '99999TB' }, {}, /'99999TB' is no size; write one with its unit \(MB or GB\)/],
      [{ memoryBudget: '1' }, {}, /with its unit/],
      [{}, { FULCRUM_CPU_BUDGET: 'all' }, /^FULCRUM_CPU_BUDGET: 'all'/],
    ];
    for (const [flags, env, message] of wrong)
      assert.throws(() => budgetAsked(flags, env), { code: 'usage', message });
  });

  it('are written down as they were given', () => {
    assert.deepEqual(budgetArgs({ memoryBudget: '80%' }), ['--memory-budget', '80%']);
  });
});
