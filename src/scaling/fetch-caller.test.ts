import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CancelSource } from '../base/cancel.ts';
import { FulcrumError } from '../base/errors.ts';
import { MAX_CALL_DEPTH, type CallRecord, type FetchOrder } from '../model/calls.ts';
import type { HttpEnd, HttpExchange, RequestHead, ResponseHead } from '../model/http.ts';
import type { CallStep, InvocationContext } from '../model/invocation.ts';
import { createFetchCaller } from './fetch-caller.ts';
import { Scene, revision } from './testing/scene.ts';

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const HEAD: RequestHead = {
  method: 'GET',
  url: 'http://catalog/items?a=1',
  target: '/items?a=1',
  headers: ['Connection', 'x-hop', 'X-Hop', '1', 'X-Own', '2'],
};

interface Asked {
  readonly ends: HttpEnd[];
  readonly heads: ResponseHead[];
  readonly said: string[];
}

async function scene(): Promise<{
  scene: Scene;
  records: CallRecord[];
  abort: CancelSource;
  /** What reached the callee's instance. */
  exchanges: HttpExchange[];
  ask: (to: string, more?: Partial<InvocationContext>) => Asked;
}> {
  const it = await Scene.of(
    revision('catalog', { mode: 'service', service: { timeoutMs: 1_000 } }),
    revision('cart', { mode: 'service' }),
  );
  const records: CallRecord[] = [];
  const exchanges: HttpExchange[] = [];
  Object.assign(it.runtime.instances[0]!, {
    http: (exchange: HttpExchange) => void exchanges.push(exchange),
  });
  const abort = new CancelSource();
  const parent = it.context({ requestId: 'r_parent', traceparent: TRACE, signal: abort, deadlineMs: 5_000 });
  const fetch = createFetchCaller({
    dispatcher: it.dispatcher,
    components: () => ['catalog', 'cart'],
    callsOf: (component) => (component === 'strict' ? ['cart'] : null),
    isStatic: (component) => component === 'files',
    sink: { record: (record) => void records.push(record) },
    clock: it.clock,
  });
  const ask = (to: string, more: Partial<InvocationContext> = {}): Asked => {
    const asked: Asked = { ends: [], heads: [], said: [] };
    const order: FetchOrder = {
      head: HEAD,
      body: null,
      response: {
        head: (head) => void asked.heads.push(head),
        data: (chunk) => asked.said.push(Buffer.from(chunk).toString()) > 0,
        end: () => void asked.said.push('end'),
        onDrain: () => undefined,
      },
      ended: (end) => void asked.ends.push(end),
    };
    fetch(more.component ?? 'shop', to, order, { ...parent, component: 'shop', ...more });
    return asked;
  };
  return { scene: it, records, abort, exchanges, ask };
}

function codes(asked: Asked): (string | undefined)[] {
  return asked.ends.map(({ error }) => error?.code);
}

describe('createFetchCaller', () => {
  it('carries a request as the invocation that it is, with request id, trace, chain and deadline', async () => {
    const { scene: it, records, exchanges, ask } = await scene();
    const asked = ask('catalog');
    const { context, head, response, ended } = exchanges[0]!;
    assert.deepEqual(
      [context.requestId, context.trigger, context.component, context.call],
      ['r_parent', 'call', 'catalog', { component: 'catalog', function: null, by: null, depth: 1 }],
    );
    assert.deepEqual(head.headers, [
      ...['Host', 'catalog', 'X-Own', '2', 'X-Request-Id', 'r_parent', 'traceparent', context.traceparent],
    ]);
    response.head({ status: 404, headers: ['Keep-Alive', '5', 'X-A', '1'] });
    response.data(Buffer.from('no'));
    response.end();
    ended.call(exchanges[0], { outcome: 'ok', error: null, cpuMs: 3 });
    assert.deepEqual(asked.heads, [{ status: 404, headers: ['X-A', '1'] }]);
    assert.deepEqual([asked.said, codes(asked)], [['no', 'end'], [undefined]]);
    const { component, trigger, status, cpuMs } = it.usage[0]!;
    assert.deepEqual([component, trigger, status, cpuMs], ['catalog', 'call', 404, 3]);
    const { from, to, function: called, way, outcome, code, span, parentSpan, attempts } = records[0]!;
    assert.deepEqual(
      [from, to, called, way, outcome, code, attempts],
      ['shop', 'catalog', null, 'wire', 'ok', null, 1],
    );
    assert.deepEqual([span, parentSpan], [context.traceparent.slice(36, 52), 'b'.repeat(16)]);
  });

  it('refuses what is not there, a folder of files, what may not be called and what is too far down', async () => {
    const { scene: it, records, ask } = await scene();
    let call: CallStep | null = null;
    for (let depth = 1; depth <= MAX_CALL_DEPTH; depth++)
      call = { component: 'a', function: null, by: call, depth };
    for (const [to, more, code, text] of [
      ['catlog', {}, 'call-unknown-component', /"shop" calls "catlog".*"catalog"/],
      ['files', {}, 'call-unknown-component', /"files" \(request r_parent\), which is a folder of files/],
      ['catalog', { component: 'strict' }, 'call-not-allowed', /"strict" may not call "catalog"/],
      ['catalog', { call }, 'call-too-deep', /call 33 of a chain/],
    ] as const) {
      const asked = ask(to, more);
      assert.deepEqual(codes(asked), [code]);
      assert.match(asked.ends[0]!.error!.message, text);
      assert.deepEqual([records.at(-1)!.outcome, records.at(-1)!.code], ['refused', code]);
    }
    assert.equal(it.usage.length, 0);
  });

  it('hands on what the handler threw, and names callee and request of any other failure', async () => {
    const { exchanges, ask } = await scene();
    const [threw, crashed] = [ask('catalog'), ask('catalog')];
    const thrown = { name: 'RangeError', message: 'no', stack: null, code: null, cause: null };
    const error = new FulcrumError('handler-error', 'The handler threw RangeError: no');
    exchanges[0]!.ended({ outcome: 'handler-error', error, cpuMs: 0, thrown });
    assert.deepEqual([threw.ends[0]!.thrown, threw.ends[0]!.error], [thrown, error]);
    const gone = new FulcrumError('instance-crashed', 'It ended.');
    exchanges[1]!.ended({ outcome: 'crashed', error: gone, cpuMs: 0 });
    assert.deepEqual(codes(crashed), ['instance-crashed']);
    assert.equal(
      crashed.ends[0]!.error!.message,
      'Component "catalog" failed when "shop" called it (request r_parent): It ended.',
    );
  });

  it('is over with its caller, although the callee goes on and holds its slot', async () => {
    const { scene: it, exchanges, abort, ask } = await scene();
    const asked = ask('catalog');
    abort.abort(new FulcrumError('client-gone', 'gone'));
    assert.deepEqual([asked.ends[0]!.outcome, ...codes(asked)], ['cancelled', 'client-gone']);
    assert.equal(it.status('catalog').instances[0]!.inFlight, 1);
    const { response } = exchanges[0]!;
    response.head({ status: 200, headers: [] });
    assert.equal(response.data(Buffer.from('late')), true);
    response.end();
    exchanges[0]!.ended({ outcome: 'ok', error: null, cpuMs: 0 });
    assert.deepEqual([asked.heads, asked.said, asked.ends.length], [[], [], 1]);
    assert.equal(it.status('catalog').instances[0]!.inFlight, 0);
  });

  it('gives up what does not answer in time, and lets a service take its time once it has', async () => {
    const { scene: it, exchanges, ask } = await scene();
    const [late, streams] = [ask('catalog'), ask('catalog')];
    exchanges[1]!.response.head({ status: 200, headers: [] });
    await it.pass(1_001);
    exchanges[0]!.ended({
      outcome: 'timeout',
      error: exchanges[0]!.context.signal.reason as FulcrumError,
      cpuMs: 0,
    });
    assert.deepEqual([codes(late), streams.ends], [['timeout'], []]);
    exchanges[1]!.response.data(Buffer.from('still'));
    assert.deepEqual(streams.said, ['still']);
  });

  it('lets no answer through that HTTP cannot carry', async () => {
    const { exchanges, ask } = await scene();
    const asked = ask('catalog');
    assert.throws(() => exchanges[0]!.response.head({ status: 200, headers: ['x', 'a\r\nset-cookie: b'] }), {
      code: 'bad-response',
    });
    assert.deepEqual(asked.heads, []);
  });
});
