import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock, type Clock } from '../../base/clock.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import type { CallRecord } from '../../model/calls.ts';
import type { InstanceHome } from '../../model/instance.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import type { LogFrame } from './messages.ts';
import { chainWith, pathOf } from './chain-text.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { OutboundCalls } from './outbound-calls.ts';
import { Session } from './session.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c';
const INVOCATION: InvocationContext = {
  component: 'cart',
  call: chainWith(null, [{ component: 'cart', function: 'place' }]),
  requestId: 'r_1',
  traceparent: `${TRACE}-b7ad6b7169203331-01`,
  trigger: 'call',
  deadlineMs: systemClock.monotonicMs() + 60_000,
  signal: new AbortController().signal,
};

interface Scene {
  readonly peer: WireConnection;
  readonly server: WireConnection;
  readonly asked: { readonly from: string; readonly parent: InvocationContext }[];
  readonly records: CallRecord[];
  readonly lines: LogFrame[];
  readonly calls: OutboundCalls;
  /** What a call waits for, once it is asked for. */
  readonly held: { until: Promise<void> };
  /** Opens a stream with this head, as an instance that runs the invocation would. */
  ask(head: object): Promise<void>;
}

/** A group's instance that says what it likes, with an invocation under way. */
async function scene(
  t: TestContext,
  members: readonly string[] | null = ['cart', 'stock'],
  clock: Clock = systemClock,
): Promise<Scene> {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const asked: Scene['asked'] = [];
  const records: CallRecord[] = [];
  const lines: LogFrame[] = [];
  const held = { until: Promise.resolve() };
  let answered = (): void => undefined;
  const home = {
    caller: {
      call: async (from: string, _to: string, _invocation: unknown, parent: InvocationContext) => {
        asked.push({ from, parent });
        await held.until;
        return {
          outcome: 'ok',
          error: null,
          cpuMs: 0,
          thrown: null,
          value: { encoding: 'json', bytes: Buffer.from('1') },
        };
      },
    },
    calls: { record: (call: CallRecord) => records.push(call) },
  } as unknown as InstanceHome;
  const calls = new OutboundCalls('core', server, home, clock, members);
  const session = new Session(server, null, calls, (line) => lines.push(line), members);
  assert.equal(server.handler, session);
  const peer = connectionOver(far, 'instance', { opened: (stream) => handle(stream) });
  const running = server.open();
  running.handler = {
    ...running.handler,
    context: INVOCATION,
    frame: () => undefined,
    lost: () => undefined,
  };
  server.writer.json(FRAME.CALL, 0, running.id, {});
  return {
    ...{ peer, server, asked, records, lines, calls, held },
    ask: async (head) => {
      const over = new Promise<void>((resolve) => (answered = resolve));
      const stream = peer.open();
      handle(stream, { frame: (type) => type === FRAME.DONE && answered(), lost: () => answered() });
      const common = { kind: 'call', function: 'f', encoding: 'json', to: 'other', parent: running.id };
      peer.writer.json(FRAME.CALL, 0, stream.id, { ...common, ...head });
      stream.endBody();
      await Promise.race([over, server.closed]);
    },
  };
}

test('what a group asks for comes from the member that asks, as far down the chain as that is', async (t) => {
  const { ask, asked } = await scene(t);
  await ask({ from: 'cart' });
  assert.deepEqual(asked[0], { from: 'cart', parent: INVOCATION });
  const traceparent = `${TRACE}-1111111111111111-01`;
  const path = [
    { component: 'stock', function: 'reserve' },
    { component: 'cart', function: null },
    { component: 'stock', function: 'look' },
  ];
  await ask({ from: 'stock', path, traceparent, remainingMs: 50 });
  const { from, parent } = asked[1]!;
  assert.deepEqual(
    [from, parent.component, parent.requestId, parent.traceparent],
    ['stock', 'stock', 'r_1', traceparent],
  );
  assert.deepEqual(pathOf(parent.call), [{ component: 'cart', function: 'place' }, ...path]);
  assert.equal(parent.call!.depth, 4);
  assert.ok(parent.deadlineMs <= systemClock.monotonicMs() + 50);
  assert.equal(parent.signal, INVOCATION.signal);
});

test('how many invocations wait for what they have called is known, however many calls each has made', async (t) => {
  const { ask, asked, calls, held } = await scene(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  held.until = promise;
  const path = [{ component: 'stock', function: 'reserve' }];
  const both = [ask({ from: 'cart' }), ask({ from: 'stock', path }), ask({ from: 'stock', parent: null })];
  while (asked.length < 3) await new Promise(setImmediate);
  assert.equal(calls.calling, 1);
  resolve();
  await Promise.any(both);
  while (calls.calling > 0) await new Promise(setImmediate);
});

test('it cannot have more time, or another trace, than its invocation has', async (t) => {
  const { ask, asked } = await scene(t);
  const path = [{ component: 'stock', function: 'reserve' }];
  const traceparent = `00-${'f'.repeat(32)}-1111111111111111-01`;
  for (const remainingMs of [1e12, 0]) await ask({ from: 'stock', path, traceparent, remainingMs });
  for (const { parent } of asked)
    assert.deepEqual(
      [parent.deadlineMs, parent.traceparent],
      [INVOCATION.deadlineMs, INVOCATION.traceparent],
    );
});

test('an invocation that is over, or is not its own, is not taken for the one that asks', async (t) => {
  const { ask, asked } = await scene(t);
  await ask({ from: 'stock' });
  await ask({ from: 'stock', parent: 99 });
  for (const { from, parent } of asked) {
    assert.deepEqual([from, parent.component, parent.call], ['stock', 'stock', null]);
    assert.notEqual(parent.requestId, 'r_1');
  }
});

test('of a component by itself nothing of that is believed', async (t) => {
  const { ask, asked } = await scene(t, null);
  await ask({ from: 'stock', path: [{ component: 'x', function: 'y' }], remainingMs: 1 });
  assert.deepEqual(asked, [{ from: 'core', parent: INVOCATION }]);
});

test('who claims what cannot be loses its connection', async (t) => {
  const path = (component: unknown, called: unknown, times = 1): object => ({
    path: Array.from({ length: times }, () => ({ component, function: called })),
  });
  const heads: [string, object][] = [
    ['nobody', {}],
    ['no member', { from: 'other' }],
    [
      'a path out of the group',
      {
        from: 'stock',
        path: [
          { component: 'other', function: 'f' },
          { component: 'stock', function: 'f' },
        ],
      },
    ],
    ['too long a path', { from: 'stock', ...path('stock', 'f', 40) }],
    ['no path', { from: 'stock', path: 'stock.f' }],
    ['no step', { from: 'stock', path: [null] }],
    ['no function', { from: 'stock', ...path('stock', 5) }],
    ['too long a name', { from: 'stock', ...path('stock', 'f'.repeat(2_000)) }],
  ];
  for (const [what, head] of heads) {
    await t.test(what, async (t) => {
      const { ask, asked, server } = await scene(t);
      await ask(head);
      assert.equal((await server.closed)?.code, 'wire-protocol');
      assert.equal(asked.length, 0);
    });
  }
});

test('more calls than could be told are told of, as a line', async (t) => {
  const clock = new FakeClock();
  const { peer, ask, lines, records } = await scene(t, ['cart', 'stock'], clock);
  peer.writer.bytes(FRAME.CALLED, 0, 0, Buffer.from([7, 0, 0, 0, 0, 0]));
  await ask({ from: 'cart' });
  await clock.advance(1_000);
  assert.deepEqual([lines.length, records.length, lines[0]!.level], [1, 0, 'warn']);
  assert.match(lines[0]!.text, /^\(7 calls within the process/);
});

test('of a component by itself there are no calls within the process', async (t) => {
  const { peer, server } = await scene(t, null);
  peer.writer.bytes(FRAME.CALLED, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0]));
  assert.equal((await server.closed)?.code, 'wire-protocol');
});
