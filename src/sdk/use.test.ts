import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { FulcrumError } from '../base/errors.ts';
import { type InstanceHost, setInstanceHost } from './host.ts';
import { type Remote, use } from './use.ts';

interface Catalog {
  default: { fetch(): Response };
  priceOf(sku: string, quantity?: number): number;
  all(): Promise<string[]>;
  readonly version: string;
  Product: new () => object;
}

interface Call {
  readonly component: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

function recordingHost(answer: (call: Call) => unknown): { host: InstanceHost; calls: Call[] } {
  const calls: Call[] = [];
  const host: InstanceHost = {
    version: 1,
    component: 'storefront',
    call: (component, name, args) => {
      calls.push({ component, name, args });
      return Promise.resolve(answer({ component, name, args }));
    },
  };
  return { host, calls };
}

describe('use', () => {
  afterEach(() => setInstanceHost(null));

  it('may stand before there is a host, and calls through the one there is then', async () => {
    const catalog = use<Catalog>('catalog');
    const { priceOf } = catalog;
    const { host, calls } = recordingHost(() => 12);
    setInstanceHost(host);
    assert.equal(await catalog.priceOf('A-1', 2), 12);
    assert.equal(await priceOf('A-2'), 12);
    assert.deepEqual(calls, [
      { component: 'catalog', name: 'priceOf', args: ['A-1', 2] },
      { component: 'catalog', name: 'priceOf', args: ['A-2'] },
    ]);
    assert.equal(catalog.priceOf, priceOf);
  });

  it('rejects with what the function threw', async () => {
    const { host } = recordingHost(() => Promise.reject(new RangeError('sold out')));
    setInstanceHost(host);
    await assert.rejects(use<Catalog>('catalog').all(), { name: 'RangeError', message: 'sold out' });
  });

  it('is not taken for a promise, a JSON value or anything else the language looks for', async () => {
    const { host, calls } = recordingHost(() => 1);
    setInstanceHost(host);
    const catalog = use<Catalog>('catalog');
    assert.equal(await Promise.resolve(catalog), catalog);
    assert.equal(JSON.stringify(catalog), '{}');
    assert.equal(typeof inspect(catalog), 'string');
    const value: unknown = catalog;
    assert.throws(() => String(value), TypeError);
    for (const key of [
      'then',
      'default',
      'toJSON',
      'constructor',
      'valueOf',
      Symbol.iterator,
      Symbol.toPrimitive,
    ]) {
      assert.equal(Reflect.get(catalog, key), undefined, String(key));
    }
    assert.throws(() => Object.assign(catalog, { priceOf: () => 0 }), TypeError);
    assert.deepEqual(calls, []);
  });

  it('says clearly that it was called outside Fulcrum', async () => {
    await assert.rejects(use<Catalog>('catalog').priceOf('A-1'), (error: unknown) => {
      assert.ok(error instanceof FulcrumError);
      assert.equal(error.code, 'outside-fulcrum');
      assert.match(error.message, /catalog\.priceOf\(\) was called outside Fulcrum/);
      return true;
    });
  });

  it('has the types of the exported functions, each of them async', () => {
    type Expected = {
      readonly priceOf: (sku: string, quantity?: number) => Promise<number>;
      readonly all: () => Promise<string[]>;
    };
    const same: Same<Remote<Catalog>, Expected> = true;
    assert.ok(same);
  });
});

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
