import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CloudEvent, emitterFor, httpTransport, Mode, type Message } from 'cloudevents';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { gatewayFixture } from '../gateway/testing/gateway-fixture.ts';
import { answering } from '../gateway/testing/fake-instance.ts';
import type { LaterOrder } from '../model/app-events.ts';
import { NO_LIMITS, type ComponentSpec, type Limits } from '../model/app.ts';
import type { EventOrder, Published } from '../model/event.ts';
import type { KeptAnswer } from '../model/event-store.ts';
import { DEFAULT_EVENTS } from '../model/work-settings.ts';
import { AppLimits } from '../scaling/limits/app-limits.ts';
import { gatewayEvents } from './gateway-events.ts';

const TOKEN = 'a-token-of-enough-letters';

class Events {
  readonly published: (readonly EventOrder[])[] = [];
  readonly orders: LaterOrder[] = [];
  failure: FulcrumError | null = null;

  publish(from: string | null, orders: readonly EventOrder[]): Promise<readonly Published[]> {
    assert.equal(from, null);
    if (this.failure !== null) return Promise.reject(this.failure);
    this.published.push(orders);
    return Promise.resolve(orders.map((_, i) => ({ id: `e_${i + 1}`, duplicate: false })));
  }

  later(order: LaterOrder): Promise<Published> {
    this.orders.push(order);
    return Promise.resolve({ id: order.id!, duplicate: false });
  }

  readonly asked: string[] = [];

  answer(id: string): Promise<KeptAnswer | null> {
    this.asked.push(id);
    return Promise.resolve(null);
  }
}

async function scene(t: TestContext, limits: Partial<Limits> = {}) {
  const fixture = await gatewayFixture(t);
  const events = new Events();
  const clock = new FakeClock();
  const appLimits = new AppLimits(clock);
  const spec = { kind: 'module', name: 'report', limits: { ...NO_LIMITS, ...limits } } as ComponentSpec;
  appLimits.configure(new Map([['report', spec]]), null);
  const endpoint = { host: null, path: '/events', token: { kind: 'value' as const, value: TOKEN } };
  fixture.offers = gatewayEvents({
    spec: { events: { ...DEFAULT_EVENTS, endpoint } },
    token: TOKEN,
    events,
    limits: appLimits,
    clock,
  });
  fixture.runs('report', ['/*'], answering(200, [], 'at once'), null, { async: { open: true } });
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> =>
    fetch(`${fixture.url}/events`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
  return { fixture, events, clock, post };
}

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCHED = { 'content-type': 'application/cloudevents-batch+json' };
const EVENT = { specversion: '1.0', id: 'A-1', source: '/orders', type: 'order.paid' };

test('the SDK sends events to the gateway, in binary and structured mode', async (t) => {
  const { fixture, events } = await scene(t);
  const transport = httpTransport(`${fixture.url}/events`);
  const authorized = async (message: Message, options?: object): Promise<unknown> =>
    await transport(message, { ...options, headers: { authorization: `Bearer ${TOKEN}` } });
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    const emit = emitterFor(authorized, { mode });
    const event = new CloudEvent({ ...EVENT, partitionkey: 'c-7', subject: 's', data: { total: 42 } });
    const { body } = (await emit(event)) as { body: string };
    assert.deepEqual(JSON.parse(body), { ids: ['e_1'] });
  }
  assert.equal(events.published.length, 2);
  for (const [order] of events.published) {
    assert.equal(order!.type, 'order.paid');
    assert.equal(order!.id, 'A-1');
    assert.equal(order!.key, 'c-7');
    assert.deepEqual([order!.source, order!.dedupe], ['/orders', null]);
    assert.equal(Buffer.from(order!.data).toString(), '{"total":42}');
  }
});

test('a batch of the SDK’s events is published as one; an empty one publishes nothing and is well', async (t) => {
  const { events, post } = await scene(t);
  const batch = ['A-1', 'A-2'].map((id) => new CloudEvent({ ...EVENT, id }));
  const sent = await post(JSON.stringify(batch), BATCHED);
  assert.equal(sent.status, 202);
  assert.deepEqual(await sent.json(), { ids: ['e_1', 'e_2'] });
  assert.deepEqual(
    events.published.map((orders) => orders.map(({ id }) => id)),
    [['A-1', 'A-2']],
  );
  const empty = await post('[]', BATCHED);
  assert.deepEqual([empty.status, await empty.json()], [202, { ids: [] }]);
  assert.equal(events.published.length, 1);
});

test('of a batch with one that is wrong nothing is published, and the answer says which and why', async (t) => {
  const { events, post } = await scene(t);
  const response = await post(JSON.stringify([EVENT, { ...EVENT, id: 7 }]), BATCHED);
  assert.equal(response.status, 400);
  const problem = (await response.json()) as { type: string; detail: string };
  assert.match(problem.type, /event-invalid$/);
  assert.match(problem.detail, /Event 2 of the batch .*"id": found the value 7, expected/);
  assert.equal(events.published.length, 0);
});

test('bad ones each get a 4xx that says what is wrong', async (t) => {
  const { events, post } = await scene(t);
  const deep = `{"data":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`;
  for (const [body, headers, status, words] of [
    ['{}', STRUCTURED, 400, /"specversion": found nothing/],
    [JSON.stringify({ ...EVENT, time: 5 }), STRUCTURED, 400, /"time": found the value 5/],
    [Buffer.from([0x7b, 0xff]), STRUCTURED, 400, /no UTF-8/],
    [deep, STRUCTURED, 400, /more than 128/],
    [Buffer.alloc(10 * 1024 ** 2 + 1, ' '), STRUCTURED, 413, /10 MB at most/],
    [Buffer.alloc(10 * 1024 ** 2, ' '), STRUCTURED, 400, /found nothing, expected JSON/],
    ['<x/>', { 'content-type': 'application/cloudevents+xml' }, 415, /not understood/],
    ['{}', { 'content-type': 'application/json' }, 415, /no ce-… fields/],
    ['{}', { 'content-type': 'application/json', 'ce-id': 'A' }, 400, /"specversion": found nothing/],
  ] as const) {
    const response = await post(body, headers);
    const { detail } = (await response.json()) as { detail: string };
    assert.equal(response.status, status, detail);
    assert.match(detail, words);
  }
  assert.equal(events.published.length, 0);
});

test('of two content types none is the one', async (t) => {
  const { fixture } = await scene(t);
  const head = `POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close`;
  const types = 'Content-Type: a/b\r\ncontent-type: c/d\r\nContent-Length: 0';
  assert.match(
    await fixture.raw(`${head}\r\n${types}\r\n\r\n`),
    /^HTTP\/1\.1 400 [^]*two Content-Type fields/,
  );
});

test('what the store cannot keep: 503 and when to come again', async (t) => {
  const { events, post } = await scene(t);
  events.failure = new FulcrumError('store-failed', 'The disk is full.');
  const response = await post(JSON.stringify(EVENT), STRUCTURED);
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
});

test('what lists and events call a kept request does not open its answer: only the key does, which who asked got', async (t) => {
  const { fixture, events } = await scene(t);
  const response = await fetch(`${fixture.url}/x?async`);
  const { id: key } = (await response.json()) as { id: string };
  const id = events.orders[0]!.id!;
  assert.match(id, /^a_[0-9a-z]{26}$/);
  assert.ok(!id.includes(key.slice(11)) && !key.includes(id.slice(11)), 'one does not tell the other');
  assert.equal(response.headers.get('location'), `/x?async=${key}`);
  await fetch(`${fixture.url}/x?async=${key}`);
  assert.equal((await fetch(`${fixture.url}/x?async=${id}`)).status, 404);
  assert.deepEqual(events.asked, [id]);
});

test('an event is of the trace that its sender was in, unless it names another', async (t) => {
  const { events, post } = await scene(t);
  const [sent, named] = ['1', '2'].map((digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
  const batch = [EVENT, { ...EVENT, id: 'A-2', traceparent: named, sequence: '1' }];
  await post(JSON.stringify(batch), { ...BATCHED, traceparent: sent! });
  assert.deepEqual(
    events.published[0]!.map(({ extensions }) => extensions),
    [{ traceparent: sent }, { traceparent: named, sequence: '1' }],
  );
});

test('a component’s rates hold for asking, those of a client for asking after it, and being full does not matter', async (t) => {
  const { fixture, events, clock } = await scene(t, { rps: 1, burst: 2, perClient: { rps: 1, burst: 3 } });
  const ask = async (query: string): Promise<number> => (await fetch(`${fixture.url}/x?${query}`)).status;
  assert.deepEqual([await ask('async'), await ask('async'), await ask('async')], [202, 202, 429]);
  assert.deepEqual(
    [await ask('async=a_0123456789abcdef'), await ask('async=a_0123456789abcdef')],
    [404, 429],
  );
  await clock.advance(1_000);
  assert.equal(await ask('async'), 202);
  assert.equal(events.orders.length, 3);
});

test('what is switched off takes nothing for later, and still tells what became of what it took', async (t) => {
  const { fixture, events } = await scene(t, { concurrency: 0 });
  const response = await fetch(`${fixture.url}/x?async`);
  assert.equal(response.status, 429);
  assert.match(await response.text(), /switched-off/);
  assert.equal((await fetch(`${fixture.url}/x?async=a_0123456789abcdef`)).status, 404);
  assert.equal(events.orders.length, 0);
});

test('an app without an endpoint takes no events', () => {
  const of = (endpoint: boolean, token: string | null) =>
    gatewayEvents({
      spec: {
        events: {
          ...DEFAULT_EVENTS,
          endpoint: endpoint ? { host: null, path: '/events', token: { kind: 'value', value: 'x' } } : null,
        },
      },
      token,
      events: new Events(),
      limits: new AppLimits(new FakeClock()),
      clock: new FakeClock(),
    }).events;
  assert.equal(of(false, TOKEN), null);
  assert.equal(of(true, null), null);
  assert.equal(of(true, TOKEN)!.path, '/events');
});
