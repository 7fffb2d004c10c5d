import { NO_PUBLISHER } from '../../model/event.ts';
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { NO_CALLER, NO_CALL_SINK } from '../../model/calls.ts';
import type { HttpExchange } from '../../model/http.ts';
import type { StartOrder } from '../../model/instance.ts';
import type { InvocationContext, InvocationEnd, MessageSaid } from '../../model/invocation.ts';
import type { ModuleRevision } from '../../model/revision.ts';
import { FLAG_BODY, FRAME } from './frames.ts';
import { introduce } from './introduce.ts';
import { readJson } from './messages.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';
import type { InstanceLog } from './instance-log.ts';
import type { WireStream } from './stream.ts';
import type { InstanceProcess, WireInstance } from './wire-instance.ts';

const CONTEXT: InvocationContext = {
  component: 'hello',
  call: null,
  requestId: 'r_1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  trigger: 'route',
  deadlineMs: systemClock.monotonicMs() + 60_000,
  signal: new AbortController().signal,
};

/** An instance of the first version of the wire, as it was: it answers in three frames, and has heard of nothing newer. */
async function oldInstance(
  t: Parameters<typeof socketPair>[0],
): Promise<{ instance: WireInstance; welcome: object }> {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const welcomed = Promise.withResolvers<object>();
  const peer = connectionOver(far, 'instance', {
    control: (type, _flags, payload) => {
      if (type !== FRAME.WELCOME) return;
      welcomed.resolve(readJson(payload));
      const handlers = { fetch: true, scheduled: false, queue: true, functions: [] };
      peer.writer.json(FRAME.READY, 0, 0, { handlers, inspectUrl: null });
    },
    opened: (stream, type, flags, payload) => {
      if (type === FRAME.CALL) return verdict(stream);
      assert.deepEqual([type, flags], [FRAME.REQUEST, 0]);
      const [method, url, , , ...fields] = payload.toString('latin1', 5).split('\0');
      handle(stream);
      const at = peer.writer.begin(FRAME.RESPONSE, FLAG_BODY, stream.id, 2);
      peer.writer.slab.writeUInt16LE(200, at);
      peer.writer.data(stream.id, Buffer.from(`${method} ${url} ${fields.join(' ')}`));
      peer.writer.number(FRAME.DONE, stream.id, 3_000);
      peer.forget(stream);
    },
  });
  const verdict = (stream: WireStream): void =>
    handle(stream, {
      frame: (type) => {
        if (type !== FRAME.BODY_END) return;
        peer.writer.data(stream.id, Buffer.from('{"acked":["e_1"],"retried":["e_2","e_3"]}'));
        peer.writer.number(FRAME.DONE, stream.id, 0);
        peer.forget(stream);
      },
    });
  const revision = {
    kind: 'module',
    id: 'abc',
    env: {},
    spec: { name: 'shop' },
    bundle: { path: '/x', filesRoot: '/' },
  } as ModuleRevision;
  const gone: InstanceProcess = {
    pid: 1,
    ended: new Promise(() => undefined),
    hasEnded: false,
    lastOutput: () => '',
    stop: () => Promise.resolve(),
    kill: () => undefined,
    measure: () => Promise.resolve(null),
  };
  const home = {
    caller: NO_CALLER,
    calls: NO_CALL_SINK,
    components: () => [],
    publisher: NO_PUBLISHER,
    log: { write: () => undefined },
    env: {},
  };
  const instance = await introduce({
    engine: 'spawn',
    order: { instanceId: 'i_old', mode: 'service', revision, home } as unknown as StartOrder,
    revision,
    process: gone,
    admitted: Promise.resolve({ connection: server, minor: 0 }),
    lines: { line: () => undefined } as unknown as InstanceLog,
    baseEnv: {},
    clock: systemClock,
  });
  return { instance, welcome: await welcomed.promise };
}

test('an instance that was started before an upgrade serves on', async (t) => {
  const { instance, welcome } = await oldInstance(t);
  assert.equal((welcome as { minor: number }).minor, 0, 'it is told to speak as it always did');
  const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
  let text = '';
  const exchange: HttpExchange = {
    context: CONTEXT,
    head: { method: 'GET', url: 'http://shop.io/a', target: '/a', headers: ['Host', 'shop.io'] },
    body: null,
    response: {
      head: ({ status }) => void (text += `${status} `),
      data: (chunk) => {
        text += Buffer.from(chunk).toString();
        return true;
      },
      end: () => void (text += '.'),
      onDrain: () => undefined,
    },
    ended: resolve,
  };
  instance.http(exchange);
  assert.deepEqual(await promise, { outcome: 'ok', error: null, cpuMs: 3 });
  assert.equal(text, '200 GET http://shop.io/a Host shop.io.');
});

test('what it cannot do is refused in words, and not asked of it', async (t) => {
  const { instance } = await oldInstance(t);
  assert.equal(instance.handlersOf(instance.revision.spec.name)?.websocket, false);
  const headers = ['Host', 'a', 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  const end = await instance.upgrade({
    context: CONTEXT,
    head: { method: 'GET', url: 'http://a/', target: '/', headers },
    socket: new PassThrough(),
    early: Buffer.alloc(0),
  });
  assert.equal(end.error!.code, 'upgrade-unsupported');
  assert.match(end.error!.message, /older Fulcrum/);
});

test('what it says of a batch at the end is told as if it had said it one by one', async (t) => {
  const { instance } = await oldInstance(t);
  const said: MessageSaid[] = [];
  const batch = { encoding: 'json', bytes: Buffer.from('{"messages":[]}') } as const;
  const { outcome } = await instance.invoke(
    { kind: 'queue', batch, onSaid: (one) => said.push(one) },
    CONTEXT,
  );
  assert.equal(outcome, 'ok');
  assert.deepEqual(said, [
    { id: 'e_1', as: 'acked', afterMs: null },
    { id: 'e_2', as: 'retried', afterMs: null },
    { id: 'e_3', as: 'retried', afterMs: null },
  ]);
});
