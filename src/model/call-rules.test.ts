import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  failureText,
  notMadeText,
  refusalOf,
  stepOf,
  unknownFunctionText,
  type CallRules,
  type WantedCall,
} from './call-rules.ts';
import { MAX_CALL_DEPTH } from './calls.ts';
import type { CallStep } from './invocation.ts';

const rules = (calls: Readonly<Record<string, readonly string[]>> = {}): CallRules => ({
  components: () => ['catalog', 'cart', 'checkout'],
  callsOf: (component) => calls[component] ?? null,
});

const wanted = (o: Partial<WantedCall> = {}): WantedCall => ({
  from: 'cart',
  to: 'catalog',
  function: 'priceOf',
  by: null,
  requestId: 'r_1',
  ...o,
});

/** A chain of calls, each `component.function` or `component` for a request. */
function chain(...steps: readonly string[]): CallStep | null {
  let by: CallStep | null = null;
  for (const text of steps) {
    const [to, called = null] = text.split('.') as [string, string?];
    by = stepOf(wanted({ to, function: called, by }));
  }
  return by;
}

const refusal = (o: Partial<WantedCall>, of = rules()): [string, string] | null => {
  const error = refusalOf(wanted(o), of);
  return error === null ? null : [error.code, error.message];
};

describe('refusalOf', () => {
  it('refuses nothing where nothing speaks against it', () => {
    assert.equal(refusal({}), null);
    assert.equal(refusal({ by: chain('cart.total', 'checkout.place') }), null);
    assert.equal(refusal({}, rules({ cart: ['catalog'], catalog: [] })), null);
  });

  it('names the nearest of what there is, or all', () => {
    assert.deepEqual(refusal({ to: 'catlog' }), [
      'call-unknown-component',
      'Component "cart" calls "catlog", which does not exist (request r_1). Did you mean "catalog"?',
    ]);
    assert.match(refusal({ to: 'zzzzzzzz' })![1], /There are: "catalog", "cart", "checkout"\.$/);
    assert.ok(refusal({ to: 'z'.repeat(100_000) })![1].length < 300);
  });

  it('says of a folder of files what it is', () => {
    const withFiles = { ...rules(), isStatic: (component: string) => component === 'files' };
    assert.deepEqual(refusal({ to: 'files' }, withFiles), [
      'call-unknown-component',
      'Component "cart" calls "files" (request r_1), which is a folder of files: the gateway serves it, and it cannot be called.',
    ]);
    assert.match(
      refusal({ to: 'files', function: null }, withFiles)![1],
      /"cart" sends a request to "files"/,
    );
  });

  it('refuses what the config does not allow, and says what it does', () => {
    assert.deepEqual(refusal({}, rules({ cart: ['checkout'] })), [
      'call-not-allowed',
      'Component "cart" may not call "catalog" (request r_1): its `calls` in fulcrum.config.ts allow only "checkout".',
    ]);
    assert.match(refusal({}, rules({ cart: [] }))![1], /allow none\.$/);
  });

  it('refuses a circle with the chain spelled out', () => {
    const by = chain('checkout.place', 'catalog.priceOf', 'cart.total');
    assert.deepEqual(refusal({ by }), [
      'call-cycle',
      'Component "cart" calls catalog.priceOf, which is part of the chain of calls already and waits for this one (request r_1): checkout.place → catalog.priceOf → cart.total → catalog.priceOf.',
    ]);
  });

  it('takes another function of the same component, and a request that comes back, for no circle', () => {
    const by = chain('catalog.list', 'cart.total', 'catalog');
    assert.equal(refusal({ by }), null);
    assert.equal(refusal({ by, function: null }), null);
  });

  it('lets a chain have its links and not one more, requests included, and tells it in short', () => {
    const steps = Array.from({ length: MAX_CALL_DEPTH }, (_, i) => (i % 2 ? `cart.f${i}` : 'catalog'));
    assert.equal(refusal({ by: chain(...steps.slice(1)) }), null);
    for (const called of ['priceOf', null]) {
      const [code, message] = refusal({ by: chain(...steps), function: called })!;
      assert.equal(code, 'call-too-deep');
      assert.match(
        message,
        /as call 33 of a chain, which may have 32 \(request r_1\): catalog \(HTTP\) → cart\.f1/,
      );
      assert.match(message, /\(24 more\) → /);
    }
    const long = chain('catalog.priceOf', ...steps.slice(1).map((_, i) => `cart.${'f'.repeat(10_000)}${i}`));
    assert.ok(refusal({ by: long })![1].length < 2_000);
  });
});

describe('failureText', () => {
  const ended = { code: 'instance-crashed', message: 'It ended.' } as const;

  it('names caller, callee and request', () => {
    assert.equal(
      failureText(wanted(), ended),
      'Function "priceOf" of component "catalog" failed when "cart" called it (request r_1): It ended.',
    );
    assert.equal(
      failureText(wanted({ function: null }), ended),
      'Component "catalog" failed when "cart" called it (request r_1): It ended.',
    );
  });

  it('says of a function that is not there who asks for it, and not that it failed', () => {
    const text = failureText(wanted(), { code: 'call-unknown-function', message: 'It has none.' });
    assert.equal(
      text,
      'Component "cart" calls function "priceOf" of component "catalog" (request r_1): It has none.',
    );
  });
});

it('says of a call that no invocation makes nothing of a request', () => {
  assert.equal(
    notMadeText({ ...wanted(), requestId: null }, 'No.'),
    'Component "cart" calls function "priceOf" of component "catalog": No.',
  );
});

it('says what there is in place of a function that is not exported', () => {
  const text = (called: string, ...exported: string[]): string => unknownFunctionText(called, exported);
  assert.equal(
    text('priceof', 'list', 'priceOf'),
    'The component exports no function `priceof`. Did you mean `priceOf`?',
  );
  assert.equal(
    text('buy', 'list', 'priceOf'),
    'The component exports no function `buy`. There are: `list`, `priceOf`.',
  );
  assert.match(text('buy'), /It exports none\.$/);
  assert.match(text('fetch', 'fetched'), /service binding \(`env\.NAME\.fetch\(\)`\)\.$/);
  const many = Array.from({ length: 10_000 }, (_, i) => `${'f'.repeat(1_000)}${i}`);
  assert.match(text('x'.repeat(100_000), ...many), /`, …\.$/);
  assert.ok(text('x'.repeat(100_000), ...many).length < 1_000);
});
