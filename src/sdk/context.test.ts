import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { context } from './context.ts';
import type { Context } from './handler-types.ts';
import { type InstanceHost, setInstanceHost } from './host.ts';
import { idempotent } from './idempotent.ts';

const host = (more: Partial<InstanceHost>): InstanceHost => ({
  version: 1,
  component: 'cart',
  call: () => Promise.resolve(),
  ...more,
});

describe('context', () => {
  afterEach(() => setInstanceHost(null));

  it('is the one of the invocation that runs', () => {
    const running = { requestId: 'r_1' } as Context;
    setInstanceHost(host({ context: () => running }));
    assert.equal(context(), running);
  });

  it('says why there is none', () => {
    const cases: [InstanceHost | null, RegExp][] = [
      [null, /outside Fulcrum/],
      [host({}), /older than it is/],
      [host({ context: () => null }), /where no invocation runs/],
    ];
    for (const [given, message] of cases) {
      setInstanceHost(given);
      assert.throws(context, { code: 'outside-fulcrum', message });
    }
  });
});

describe('idempotent', () => {
  it('marks a function, and gives it back with its types', async () => {
    const priceOf = idempotent(async (sku: string, count = 1): Promise<number> => sku.length * count);
    assert.equal(await priceOf('A-1', 2), 6);
    assert.equal(Reflect.get(priceOf, Symbol.for('fulcrum.idempotent')), true);
    assert.equal(idempotent(priceOf), priceOf);
    assert.deepEqual(Object.keys(priceOf), []);
  });

  it('takes nothing but functions', () => {
    // @ts-expect-error no function
    assert.throws(() => idempotent(5), TypeError);
  });
});
