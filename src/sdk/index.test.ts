import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { type ComponentModule, type Env, defineApp, secret } from './index.ts';

/** Every component's cold start reads it. */
const LARGEST_BUNDLE_BYTES = 8 * 1024;

describe('the sdk', () => {
  it('defines apps as they are: objects, functions and async functions', async () => {
    const config = {
      name: 'shop',
      components: { hello: { entry: './hello.ts', env: { KEY: secret('KEY') } } },
    };
    assert.equal(defineApp(config), config);
    const made = defineApp(({ environment }) => ({ ...config, name: environment }));
    assert.ok(typeof made === 'function');
    assert.deepEqual(await made({ environment: 'test' }), { ...config, name: 'test' });
    const later = defineApp(async () => config);
    assert.ok(typeof later === 'function');
    assert.equal(await later({ environment: 'test' }), config);
  });

  it('makes of a secret plain data that can be cloned', () => {
    assert.deepEqual(structuredClone(secret('PAYMENT_KEY')), { $secret: 'PAYMENT_KEY' });
  });

  it('types what cannot be right as an error', () => {
    const components = {};
    // @ts-expect-error a schedule belongs to a module
    defineApp({ name: 'a', components: { a: { command: 'x', schedule: '0 2 * * *' } } });
    // @ts-expect-error no such key
    defineApp({ name: 'a', components: { a: { entry: './a.ts', memroy: '128MB' } } });
    // @ts-expect-error a component is one thing
    defineApp({ name: 'a', components: { a: { entry: './a.ts', static: './public' } } });
    // @ts-expect-error a variable's value is a string
    defineApp({ name: 'a', components, env: { PORT: 8080 } });
    // @ts-expect-error no such mode
    defineApp({ name: 'a', components: { a: { entry: './a.ts', mode: 'lambda' } } });
    assert.ok(true);
  });

  it('types handlers, with an environment that can be narrowed', async () => {
    const module = {
      fetch: (request, env) => new Response(`${request.method} ${env.CURRENCY.toLowerCase()}`),
      queue: (batch) => batch.messages.forEach((message) => message.ack()),
    } satisfies ComponentModule<Env<'CURRENCY'>>;
    const env = { CURRENCY: 'EUR' } as Env<'CURRENCY'>;
    const general: ComponentModule<Env<'CURRENCY'>> = module;
    const answer = await general.fetch?.(new Request('http://shop.example/'), env, context());
    assert.equal(await answer?.text(), 'GET eur');
    const unknown = (env: Env): string =>
      // @ts-expect-error it may not be there
      env.CURRENCY.toLowerCase();
    assert.throws(() => unknown({} as Env), TypeError);
  });

  it('stays tiny when it is bundled, and brings no dependency', async () => {
    const input = fileURLToPath(import.meta.resolve('./index.ts'));
    await using build = await rolldown({ input, platform: 'node', logLevel: 'silent' });
    const { output } = await build.generate({ format: 'es', minify: true });
    assert.equal(output.length, 1);
    assert.ok(Buffer.byteLength(output[0].code) < LARGEST_BUNDLE_BYTES, `${output[0].code.length} bytes`);
    assert.deepEqual(output[0].imports, []);
  });
});

function context(): Parameters<NonNullable<ComponentModule['fetch']>>[2] {
  return {
    requestId: 'r_1',
    component: 'a',
    signal: new AbortController().signal,
    waitUntil: () => undefined,
    remainingMs: () => 1_000,
  };
}
