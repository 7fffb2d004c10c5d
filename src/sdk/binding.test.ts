import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { binding } from './binding.ts';
import type { Env, ServiceBinding } from './handler-types.ts';
import { setInstanceHost } from './host.ts';

afterEach(() => setInstanceHost(null));

test('a binding may stand before there is a host, and asks through the one there is then', async () => {
  const { fetch } = binding('catalog');
  const asked: unknown[] = [];
  setInstanceHost({
    version: 1,
    component: 'shop',
    call: () => Promise.resolve(),
    fetch: async (...request) => {
      asked.push(request);
      return new Response('hello');
    },
  });
  assert.equal(await (await fetch('/a')).text(), 'hello');
  await fetch(new URL('http://x/b'), { method: 'PUT' });
  assert.deepEqual(asked, [
    ['catalog', '/a'],
    ['catalog', new URL('http://x/b'), { method: 'PUT' }],
  ]);
});

test('outside Fulcrum, and under one that is older than bindings, it says so', async () => {
  await assert.rejects(binding('catalog').fetch('/'), {
    code: 'outside-fulcrum',
    message: /'catalog' was made outside Fulcrum/,
  });
  setInstanceHost({ version: 1, component: 'shop', call: () => Promise.resolve() });
  await assert.rejects(binding('catalog').fetch('/'), { code: 'outside-fulcrum', message: /older/ });
});

test('the types of an environment have its variables and its bindings', () => {
  type Given = Env<'CURRENCY', 'catalog' | 'cart'>;
  const variable: Same<Given['CURRENCY'], string> = true;
  const bound: Same<Given['catalog'], ServiceBinding> = true;
  const other: Same<Given['OTHER'], string | undefined> = true;
  const isEnv: Given extends Env ? true : false = true;
  assert.ok(variable && bound && other && isEnv);
});

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
