import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodySource } from '../model/body.ts';
import type { InvocationContext, InvocationResult, Returned } from '../model/invocation.ts';
import { FulcrumError, type ErrorCode } from '../base/errors.ts';
import { CallScene, DONE, TRACE, callOf, threw } from './testing/calls.ts';
import { revision } from './testing/scene.ts';

const scene = (): Promise<CallScene> =>
  CallScene.of(revision('catalog', { mode: 'service' }), revision('cart', { mode: 'service' }));

describe('createCaller', () => {
  it('carries request id, trace, chain and deadline along', async () => {
    const it = await scene();
    const contexts: InvocationContext[] = [];
    const value = { encoding: 'json', bytes: new Uint8Array([1]) } as const;
    it.handlers.set('catalog', async (_, context) => {
      contexts.push(context);
      return { ...DONE, value };
    });
    const deadlineMs = it.scene.clock.monotonicMs() + 4_000;
    const result = await it.call('catalog', 'priceOf', { deadlineMs });
    assert.equal(result.value, value);
    const { component, requestId, traceparent, trigger, call } = contexts[0]!;
    assert.deepEqual([component, requestId, trigger], ['catalog', 'r_parent', 'call']);
    assert.equal(contexts[0]!.deadlineMs, deadlineMs);
    assert.deepEqual(call, { component: 'catalog', function: 'priceOf', by: null, depth: 1 });
    assert.match(traceparent, new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`));
    assert.notEqual(traceparent, TRACE);
    assert.equal(it.scene.usage[0]!.trigger, 'call');
  });

  it('is over with its caller, although the callee goes on and holds its slot', async () => {
    const it = await scene();
    it.scene.runtime.instances[0]!.hung = true;
    const calling = it.call('catalog');
    it.gone.abort(new Error('gone'));
    const result = await calling;
    assert.deepEqual([result.outcome, result.thrown!.code], ['cancelled', 'client-gone']);
    assert.equal(it.scene.status('catalog').instances[0]!.inFlight, 1);
  });

  it('hands on what the function threw', async () => {
    const it = await scene();
    const thrown = { name: 'RangeError', message: 'no', stack: null, code: null, cause: null };
    it.handlers.set('catalog', async () => threw(thrown));
    assert.equal((await it.call('catalog')).thrown, thrown);
    assert.deepEqual([it.records[0]!.outcome, it.records[0]!.code], ['handler-error', 'handler-error']);
  });

  it('ends the timeout of a service, and its own measure, with the result, and the call with its streams', async () => {
    const it = await scene();
    const body: BodySource = { lengthBytes: null, read() {}, pause() {}, resume() {}, cancel() {} };
    const returned: Returned = { value: { encoding: 'json', bytes: new Uint8Array() }, passed: [body] };
    const streams = Promise.withResolvers<InvocationResult>();
    it.scene.runtime.onInvoke = async (_, invocation) => {
      await it.scene.clock.advance(30);
      if (invocation.kind === 'call') invocation.onReturned!(returned);
      return await streams.promise;
    };
    const told: Returned[] = [];
    const order = callOf('list', { onReturned: (what) => void told.push(what) });
    const calling = it.caller.call('storefront', 'catalog', order, it.parent());
    await it.scene.pass(60_000);
    assert.deepEqual(told, [returned]);
    assert.deepEqual([it.records.length, it.scene.status('catalog').instances[0]!.inFlight], [0, 1]);
    streams.resolve(DONE);
    assert.equal((await calling).outcome, 'ok');
    assert.deepEqual([it.records[0]!.durationMs, it.scene.status('catalog').instances[0]!.inFlight], [30, 0]);
    assert.ok(it.scene.usage[0]!.durationMs >= 60_000, 'the invocation lasts as long as its streams');
  });

  it('wants no streams of one who has gone', async () => {
    const it = await scene();
    let cancelled = 0;
    const body: BodySource = {
      lengthBytes: null,
      read() {},
      pause() {},
      resume() {},
      cancel: () => void cancelled++,
    };
    const late = Promise.withResolvers<void>();
    it.scene.runtime.onInvoke = async (_, invocation) => {
      await late.promise;
      if (invocation.kind === 'call')
        invocation.onReturned!({ value: { encoding: 'json', bytes: new Uint8Array() }, passed: [body] });
      return DONE;
    };
    const order = callOf('list', { onReturned: () => assert.fail('nobody is there to be told') });
    const calling = it.caller.call('storefront', 'catalog', order, it.parent());
    it.gone.abort(new Error('gone'));
    await calling;
    late.resolve();
    await it.scene.pass(1);
    assert.equal(cancelled, 1);
  });
});

describe('the record of a call', () => {
  it('says who called whom, how it ended, how long it took and where it stands in the trace', async () => {
    const it = await scene();
    it.scene.runtime.workMs = 40;
    const atMs = it.scene.clock.nowMs();
    await it.scene.meanwhile(it.call('catalog'));
    const [{ span, ...record }] = it.records as [(typeof it.records)[0]];
    assert.deepEqual(record, {
      from: 'storefront',
      to: 'catalog',
      function: 'priceOf',
      way: 'wire',
      outcome: 'ok',
      code: null,
      requestId: 'r_parent',
      parentSpan: 'b'.repeat(16),
      depth: 1,
      atMs,
      durationMs: 40,
      attempts: 1,
    });
    assert.match(span, /^[0-9a-f]{16}$/);
  });

  it('of calls in a chain forms a tree, and is there of one that was refused', async () => {
    const it = await scene();
    it.handlers.set('catalog', it.calling('cart'));
    it.handlers.set('cart', it.calling('nobody'));
    await it.call('catalog');
    assert.deepEqual(
      it.records.map(({ from, to, depth, attempts, code }) => [from, to, depth, attempts, code]),
      [
        ['cart', 'nobody', 3, 0, 'call-unknown-component'],
        ['catalog', 'cart', 2, 1, 'handler-error'],
        ['storefront', 'catalog', 1, 1, 'handler-error'],
      ],
    );
    const [third, second, first] = it.records;
    assert.deepEqual([third!.parentSpan, second!.parentSpan], [second!.span, first!.span]);
  });
});

/** What goes wrong, what is told of it, and that it names callee and request. */
const FAILURES: readonly [ErrorCode, (it: CallScene) => Promise<InvocationResult>][] = [
  ['call-unknown-component', (it) => it.call('catlog')],
  [
    'call-not-allowed',
    (it) => {
      it.allowed.set('storefront', ['cart']);
      return it.call('catalog');
    },
  ],
  ['call-unknown-function', (it) => told(it, 'call-unknown-function')],
  ['call-not-cloneable', (it) => told(it, 'call-not-cloneable')],
  ['call-too-large', (it) => told(it, 'call-too-large')],
  [
    'timeout',
    (it) => {
      it.scene.runtime.instances[0]!.hung = true;
      return it.call('catalog', 'priceOf', { deadlineMs: it.scene.clock.monotonicMs() + 50 });
    },
  ],
  ['timeout', (it) => it.call('catalog', 'priceOf', { deadlineMs: it.scene.clock.monotonicMs() })],
  [
    'instance-crashed',
    (it) => {
      const calling = it.call('catalog');
      it.scene.runtime.instances[0]!.crash();
      return calling;
    },
  ],
  [
    'overloaded',
    (it) => {
      for (let i = 0; i < 2; i++) void it.call('busy');
      return it.call('busy');
    },
  ],
  [
    'rate-limited',
    (it) => {
      it.scene.limits.of('catalog').configure({ rps: null, burst: null, perClient: null, concurrency: 1 });
      void it.call('catalog');
      return it.call('catalog');
    },
  ],
  [
    'start-failed',
    (it) => {
      it.scene.runtime.onStart = () => ({ takesMs: 5, fails: 'it throws' });
      return it.call('busy');
    },
  ],
  [
    'shutting-down',
    (it) => {
      const calling = it.call('busy');
      void it.scene.scaler.close(0);
      return calling;
    },
  ],
  [
    'client-gone',
    (it) => {
      const calling = it.call('catalog');
      it.gone.abort(new FulcrumError('client-gone', 'The caller went away.'));
      return calling;
    },
  ],
];

function told(it: CallScene, code: ErrorCode): Promise<InvocationResult> {
  const error = new FulcrumError(code, 'What the instance says.');
  it.handlers.set('catalog', async () => ({ ...DONE, outcome: 'handler-error', error }));
  return it.call('catalog');
}

describe('a failure names caller, callee and request', () => {
  for (const [code, fail] of FAILURES) {
    it(code, async () => {
      const one = revision('busy', { function: { maxInstances: 1, maxQueued: 1 } });
      const it = await CallScene.of(revision('catalog', { mode: 'service' }), one);
      const { outcome, thrown } = await it.scene.meanwhile(fail(it));
      assert.notEqual(outcome, 'ok');
      assert.equal(thrown!.code, code);
      assert.match(thrown!.message, /"storefront"/);
      assert.match(thrown!.message, /"(catalog|busy)"|"catlog"/);
      assert.match(thrown!.message, /\(request r_parent\)/);
      assert.equal(it.records.at(-1)!.code, code);
    });
  }
});
