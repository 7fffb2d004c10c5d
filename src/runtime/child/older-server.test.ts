import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { instanceHost, setInstanceHost } from '../../sdk/host.ts';
import type { QueueBatch } from '../../sdk/handler-types.ts';
import { EVENT_MINOR } from '../wire/frames.ts';
import { InvocationExchangeStream } from '../wire/invocation-exchange.ts';
import type { Init } from '../wire/messages.ts';
import { connectionOver, socketPair } from '../wire/testing/pair.ts';
import { authorsEnv } from './environment.ts';
import { ChildInstance } from './instance.ts';
import { Members } from './members.ts';
import type { ModuleHandlers } from './module-handlers.ts';

const HANDLERS: ModuleHandlers = {
  fetch: null,
  scheduled: null,
  queue: (batch) => {
    const [first, second] = (batch as QueueBatch).messages;
    first!.ack();
    second!.retry({ delay: '30s' });
  },
  websocket: null,
  functions: new Map(),
  onLoad: null,
  onStart: null,
};

afterEach(() => setInstanceHost(null));

for (const minor of [EVENT_MINOR - 1, EVENT_MINOR]) {
  test(`a batch is answered as a server of minor version ${minor} understands it`, async (t) => {
    const [near, far] = await socketPair(t);
    const server = connectionOver(near, 'server');
    const init = { minor, component: 'shop', bundlePath: '', env: {} } as Partial<Init> as Init;
    const members = new Members(init);
    members.all[0]!.handlers = HANDLERS;
    const child = new ChildInstance(connectionOver(far, 'instance'), init, members);
    const messages = [{ id: 'e_1' }, { id: 'e_2' }, { id: 'e_3' }];
    const batch = { encoding: 'json', bytes: Buffer.from(JSON.stringify({ messages })) } as const;
    const context = {
      component: 'hello',
      call: null,
      requestId: 'r_1',
      traceparent: '',
      trigger: 'event',
      deadlineMs: systemClock.monotonicMs() + 60_000,
      signal: new AbortController().signal,
    } as const;
    // Of a server that has not heard of lines, what comes is the value as it is.
    const exchange = new InvocationExchangeStream(
      { kind: 'queue', batch },
      context,
      server,
      minor,
      systemClock,
    );
    const { value } = await exchange.ended;
    assert.ok(child);
    assert.deepEqual(JSON.parse(Buffer.from(value!.bytes).toString()), { acked: ['e_1'], retried: ['e_2'] });
  });
}

test('an instance of a server that is older than events publishes nothing, and says why', async () => {
  setInstanceHost({ version: 1, component: 'shop', call: () => Promise.resolve() });
  assert.equal(instanceHost()!.publish, undefined);
  await assert.rejects(authorsEnv({}).events.publish('a'), { code: 'outside-fulcrum', message: /older/ });
});
