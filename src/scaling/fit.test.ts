import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppSpec } from '../model/app.ts';
import { minimumOf, noSuccessor, refuseUnfit, unfit } from './fit.ts';
import { revision } from './testing/scene.ts';

const MB = 1024 ** 2;
const GB = 1024 ** 3;

function app(...all: readonly ReturnType<typeof revision>[]): Pick<AppSpec, 'components' | 'groups'> {
  return { components: new Map(all.map(({ spec }) => [spec.name, spec])), groups: new Map() };
}

const fn = (name: string, memoryBytes: number, maxInstances = 100) =>
  revision(name, { function: { memoryBytes, maxInstances } });
const service = (name: string, memoryBytes: number, minReplicas: number, maxReplicas = minReplicas) =>
  revision(name, { mode: 'service', service: { memoryBytes, minReplicas, maxReplicas } });

const newcomer = (component: string, bytes: number, minimum = 0, proves = true) => ({
  ...{ component, bytes, minimum, proves },
  mode: minimum > 0 ? ('service' as const) : ('function' as const),
});

describe('what fits', () => {
  it('is told of who may grow beyond it, those of one reason together', () => {
    const shop = app(
      fn('report', 128 * MB),
      fn('cart', 128 * MB),
      fn('small', MB),
      service('web', 256 * MB, 2, 4),
    );
    const told = unfit(shop, { memoryBytes: 5 * GB + 512 * MB, minimumBytes: minimumOf(shop) });
    assert.deepEqual(told, [
      {
        text: "report, cart: max 100 × 128 MB = 13 GB, but 40 fit into this machine's budget of 5.5 GB beside the services",
        never: false,
      },
    ]);
  });

  it('is nothing at all for what is larger than what services leave', () => {
    const [told] = unfit(app(fn('report', 2 * GB, 3)), { memoryBytes: 2 * GB, minimumBytes: GB });
    assert.match(told!.text, /^report: max 3 × 2 GB = 6 GB, but none fits/);
    assert.equal(told!.never, true);
  });

  it('is told of services that could not be deployed again', () => {
    const shop = app(service('web', 256 * MB, 2), service('api', 128 * MB, 1), fn('small', MB));
    const own = { minimumBytes: minimumOf(shop) };
    assert.deepEqual(noSuccessor(shop, { memoryBytes: 1_280 * MB, ...own }), []);
    assert.deepEqual(noSuccessor(shop, { memoryBytes: GB, ...own }), [
      {
        text: "web, api: the next release needs 640 MB for these services beside what serves, and this machine's budget of 1 GB leaves 384 MB: it will be refused",
        never: true,
      },
    ]);
    assert.equal(
      noSuccessor(shop, { memoryBytes: 1_280 * MB, minimumBytes: 704 * MB }).length,
      1,
      'beside others',
    );
    assert.deepEqual(noSuccessor(shop, { memoryBytes: 512 * MB, ...own }), []);
  });

  it('follows the mode that was chosen', () => {
    const one = app(fn('report', GB));
    const budget = { memoryBytes: 4 * GB, minimumBytes: 0 };
    assert.equal(unfit(one, budget).length, 1);
    assert.deepEqual(
      unfit(one, budget, () => 'service'),
      [],
    );
    assert.equal(
      minimumOf(one, () => 'service'),
      256,
    );
  });
});

describe('what can never fit is refused with what it needs, what there is and what to do', () => {
  const refused: [string, Parameters<typeof refuseUnfit>, RegExp][] = [
    [
      'an instance larger than the budget',
      [{ memoryBytes: GB, minimumBytes: 0 }, [newcomer('big', 4 * GB, 0, false)]],
      /^One instance of component "big" may hold 4 GB, and the memory budget of this server is 1 GB\. Lower `memory`/,
    ],
    [
      'services that do not fit together',
      [{ memoryBytes: GB, minimumBytes: 0 }, [newcomer('a', 512 * MB, 2), newcomer('b', 256 * MB, 1)]],
      /^Services need 1\.3 GB of memory \(a 2 × 512 MB, b 1 × 256 MB\), and the memory budget of this server is 1 GB: 1 GB are free for them\./,
    ],
    [
      'services beside those that they replace',
      [{ memoryBytes: GB, minimumBytes: 768 * MB }, [newcomer('a', 512 * MB, 1)]],
      /beside the 768 MB of services that are there.*256 MB are free.*--memory-budget/,
    ],
    [
      'a function that has to start beside them',
      [{ memoryBytes: GB, minimumBytes: 512 * MB }, [newcomer('a', 256 * MB, 1), newcomer('f', 512 * MB)]],
      /^One instance of component "f" may hold 512 MB, and services leave 256 MB/,
    ],
  ];
  for (const [what, args, message] of refused)
    it(what, () => assert.throws(() => refuseUnfit(...args), { code: 'machine-full', message }));

  it('and all else is not', () => {
    refuseUnfit({ memoryBytes: GB, minimumBytes: 512 * MB }, [
      newcomer('a', 512 * MB, 1),
      newcomer('f', 512 * MB, 0, false),
    ]);
  });
});
