import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Invocation, InvocationContext, InvocationResult } from '../model/invocation.ts';
import { createCaller } from './caller.ts';
import { Scene, revision } from './testing/scene.ts';

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const CALL: Invocation = {
  kind: 'call',
  function: 'priceOf',
  args: { encoding: 'json', bytes: new Uint8Array() },
};

async function scene(): Promise<{
  scene: Scene;
  parent: InvocationContext;
  abort: AbortController;
  call: (to: string, deadlineMs?: number) => Promise<InvocationResult>;
}> {
  const it = await Scene.of(revision('catalog', { mode: 'service' }), revision('cart', { mode: 'service' }));
  const caller = createCaller(it.dispatcher, () => it.scaler.names());
  const abort = new AbortController();
  const parent = it.context({
    requestId: 'r_parent',
    traceparent: TRACE,
    signal: abort.signal,
    deadlineMs: 5_000,
  });
  const call = (to: string, deadlineMs = 5_000): Promise<InvocationResult> =>
    caller.call('storefront', to, CALL, { ...parent, deadlineMs });
  return { scene: it, parent, abort, call };
}

describe('createCaller', () => {
  it('carries request id, trace and deadline along', async () => {
    const { scene: it, call } = await scene();
    const [instance] = it.runtime.instances;
    const contexts: InvocationContext[] = [];
    const value = { encoding: 'json', bytes: new Uint8Array([1]) } as const;
    instance!.invoke = async (_, given) => {
      contexts.push(given);
      return { outcome: 'ok', error: null, cpuMs: 1, value, thrown: null };
    };
    const result = await call('catalog');
    assert.equal(result.value, value);
    const { requestId, traceparent, trigger, deadlineMs } = contexts[0]!;
    assert.deepEqual([requestId, trigger, deadlineMs], ['r_parent', 'call', 5_000]);
    assert.match(traceparent, new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`));
    assert.notEqual(traceparent, TRACE);
    assert.equal(it.usage[0]!.trigger, 'call');
  });

  it('is over with its caller, although the callee goes on and holds its slot', async () => {
    const { scene: it, abort, call } = await scene();
    it.runtime.instances[0]!.hung = true;
    const calling = call('catalog');
    abort.abort();
    const result = await calling;
    assert.deepEqual([result.outcome, result.thrown !== null], ['cancelled', true]);
    assert.equal(it.status('catalog').instances[0]!.inFlight, 1);
  });

  it('hands on what the function threw', async () => {
    const { scene: it, call } = await scene();
    const thrown = { name: 'RangeError', message: 'no', stack: null, code: null, cause: null };
    it.runtime.instances[0]!.invoke = async () => ({
      outcome: 'handler-error',
      error: null,
      cpuMs: 1,
      value: null,
      thrown,
    });
    assert.equal((await call('catalog')).thrown, thrown);
  });

  it('names the nearest where there is no such component', async () => {
    const { call } = await scene();
    const { outcome, thrown } = await call('catlog');
    assert.equal(outcome, 'refused');
    assert.equal(thrown!.code, 'call-unknown-component');
    assert.match(thrown!.message, /"storefront" calls "catlog".*"catalog"/);
    assert.match((await call('zzzzzzzz')).thrown!.message, /"catalog", "cart"/);
  });

  it('names the callee and the request where it timed out, crashed or was refused', async () => {
    const { scene: it, call } = await scene();
    it.runtime.workMs = Number.POSITIVE_INFINITY;
    const timedOut = call('catalog', it.clock.monotonicMs() + 50);
    await it.pass(60);
    const { thrown } = await timedOut;
    assert.equal(thrown!.code, 'timeout');
    assert.match(thrown!.message, /"catalog".*"storefront".*r_parent/);

    const crashing = call('catalog');
    it.runtime.instances[0]!.crash();
    assert.equal((await crashing).thrown!.code, 'instance-crashed');

    const refused = call('catalog', it.clock.monotonicMs());
    assert.equal((await refused).thrown!.code, 'timeout');
  });

  it('ends the call when its parent is aborted', async () => {
    const { scene: it, call, abort } = await scene();
    it.runtime.workMs = Number.POSITIVE_INFINITY;
    const calling = call('catalog');
    abort.abort();
    const result = await calling;
    assert.deepEqual([result.outcome, result.thrown!.code], ['cancelled', 'client-gone']);
  });
});
