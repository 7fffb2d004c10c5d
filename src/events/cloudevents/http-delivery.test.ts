import assert from 'node:assert/strict';
import { execPath } from 'node:process';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FulcrumError } from '../../base/errors.ts';
import type { Delivery } from '../../model/event-store.ts';
import type { Instance } from '../../model/instance.ts';
import type { CloudEventMode } from '../../model/work-settings.ts';
import { ask, contextOf, testRuntime } from '../../runtime/command/testing/program.ts';
import { cloudEventsDelivery, deliverOverHttp, type HttpDelivered } from './http-delivery.ts';
import { writtenEvent } from './testing/written-event.ts';

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

class Receiver {
  readonly instance: Instance;

  constructor(instance: Instance) {
    this.instance = instance;
  }

  deliver(
    path: string,
    deliveries: readonly Delivery[] = [delivery()],
    mode: CloudEventMode = 'binary',
    signal?: AbortSignal,
  ): Promise<HttpDelivered> {
    const subscription = { http: { path, mode } };
    return deliverOverHttp(this.instance, contextOf(signal), deliveries, subscription, () => 0);
  }

  async received(): Promise<readonly Received[]> {
    return JSON.parse((await ask(this.instance, '/received')).text) as Received[];
  }
}

async function receiver(t: TestContext): Promise<Receiver> {
  const program = fileURLToPath(new URL('fixtures/receiver.mjs', import.meta.url));
  return new Receiver(await testRuntime(t).start(`"${execPath}" "${program}"`));
}

function delivery(changes: Partial<Delivery> = {}): Delivery {
  return {
    ...writtenEvent({ subject: 'order €', key: 'k-1', attributes: '{"sequence":"7"}' }),
    app: 'shop',
    component: 'legacy',
    kind: 'event',
    dataBytes: 12,
    publishedAtMs: 0,
    state: 'leased',
    dueAtMs: 0,
    attempt: 1,
    attempts: [],
    ...changes,
  };
}

function failure(end: HttpDelivered): FulcrumError {
  assert.equal(end.outcome, 'handler-error');
  assert.ok(end.error instanceof FulcrumError);
  assert.equal(end.error.code, 'handler-error');
  return end.error;
}

test('a program gets events as CloudEvents in each mode, and acknowledges them by any 2xx', async (t) => {
  const program = await receiver(t);
  for (const [mode, path] of [
    ['binary', '/204'],
    ['structured', '/200'],
    ['batched', '/202'],
  ] as const) {
    const end = await program.deliver(path, [delivery({ attempt: 3 })], mode);
    assert.deepEqual(end, { outcome: 'ok', error: null, cpuMs: 0, retryAfterMs: null });
  }
  const received = await program.received();
  assert.deepEqual(
    received.map(({ path }) => path),
    ['/204', '/200', '/202'],
  );
  for (const { events, headers } of received) {
    assert.equal(events.length, 1);
    const [event] = events;
    assert.equal(event!['id'], 'e-1');
    assert.equal(event!['partitionkey'], 'k-1');
    assert.equal(event!['sequence'], '7');
    assert.deepEqual(event!['data'], { total: 42 });
    assert.equal(headers['x-fulcrum-attempt'], '3');
    assert.equal(headers['x-request-id'], 'r_test');
    assert.match(headers['traceparent']!, /^00-0af7651916cd43dd8448eb211c80319c-/);
  }
  // The SDK leaves the percent signs of a field as they are.
  assert.deepEqual(
    received.map(({ events }) => events[0]!['subject']),
    ['order%20%E2%82%AC', 'order €', 'order €'],
  );
});

test('a batch is one request, acknowledged or failed as a whole', async (t) => {
  const program = await receiver(t);
  const batch = ['a', 'b', 'c'].map((id, i) => delivery({ id, attempt: i + 1 }));
  assert.equal((await program.deliver('/200', batch, 'batched')).outcome, 'ok');
  failure(await program.deliver('/500', batch, 'batched'));
  const received = await program.received();
  assert.deepEqual(
    received.map(({ events }) => events.map(({ id }) => id)),
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
  );
  assert.equal(received[0]!.headers['x-fulcrum-attempt'], '3');
});

test('every other status is an attempt that failed: the error says which, and how the answer begins', async (t) => {
  const program = await receiver(t);
  for (const status of [300, 301, 400, 404, 410, 500, 502]) {
    const end = await program.deliver(`/${status}?location=/200&retry-after=9`);
    const error = failure(end);
    assert.match(error.message, new RegExp(`POST /${status}\\?\\S+ with ${status}: "answer x+…"`));
    assert.ok(error.message.length < 700);
    assert.equal(end.retryAfterMs, null, 'it asks for time with 429 and 503 only');
  }
  assert.equal((await program.received()).length, 7, 'no redirect was followed');
});

test('429 and 503 may ask for time: in seconds or as a date, at most a day', async (t) => {
  const program = await receiver(t);
  const asked = async (fields: Readonly<Record<string, string>>, status = 503): Promise<number | null> => {
    const end = await program.deliver(`/${status}?${new URLSearchParams(fields).toString()}`);
    failure(end);
    return end.retryAfterMs;
  };
  assert.equal(await asked({ 'retry-after': '7' }, 429), 7_000);
  assert.equal(await asked({ 'retry-after': '0' }), 0);
  assert.equal(await asked({ 'retry-after': '99999999' }), 86_400_000);
  assert.equal(await asked({ 'retry-after': 'soon' }), null);
  assert.equal(await asked({ 'retry-after': '-5' }), null);
  assert.equal(await asked({ a: 'b' }), null);
  // By the answer's own clock, whatever ours says.
  const date = 'Fri, 27 Nov 2026 18:30:00 GMT';
  assert.equal(await asked({ date, 'retry-after': 'Fri, 27 Nov 2026 18:30:20 GMT' }), 20_000);
  assert.equal(await asked({ date, 'retry-after': 'Friday, 27-Nov-26 18:30:20 GMT' }), 20_000);
  assert.equal(await asked({ date, 'retry-after': 'Fri Nov 27 18:30:20 2026' }), 20_000);
  assert.equal(await asked({ date, 'retry-after': 'Fri, 27 Nov 2026 18:00:00 GMT' }), 0);
});

test('an answer that breaks off acknowledges nothing, whatever its status', async (t) => {
  const end = await (await receiver(t)).deliver('/cut');
  assert.equal(end.outcome, 'bad-response');
  assert.equal(end.retryAfterMs, null);
});

test('the deadline gives it up, and a crash is told as one', async (t) => {
  const program = await receiver(t);
  const deadline = new AbortController();
  const late = program.deliver('/hang', [delivery()], 'binary', deadline.signal);
  while ((await program.received()).length === 0);
  deadline.abort(new FulcrumError('timeout', 'Its time is over.'));
  assert.equal((await late).outcome, 'timeout');
  const hanging = program.deliver('/hang');
  while ((await program.received()).length === 1);
  program.instance.kill(new FulcrumError('instance-crashed', 'It was killed.'));
  assert.equal((await hanging).outcome, 'crashed');
});

test('a large event arrives whole', async (t) => {
  const program = await receiver(t);
  const data = Buffer.from(JSON.stringify('x'.repeat(1024 ** 2 - 2)));
  assert.equal((await program.deliver('/200', [delivery({ data })], 'structured')).outcome, 'ok');
  assert.equal(((await program.received())[0]!.events[0]!['data'] as string).length, 1024 ** 2 - 2);
});

test('several deliveries are one request where they are batched, else one each, and each has its outcome', async (t) => {
  const program = await receiver(t);
  const deliver = async (mode: CloudEventMode, path: string) =>
    await cloudEventsDelivery.deliver(
      [delivery({ id: 'a' }), delivery({ id: 'b' })],
      { http: { path, mode } },
      { instance: program.instance },
      contextOf(),
    );
  assert.deepEqual(await deliver('batched', '/200'), {
    ...{ outcome: 'ok', error: null, cpuMs: 0 },
    outcomes: [{ as: 'done' }, { as: 'done' }],
  });
  const failed = await deliver('structured', '/503?retry-after=3');
  assert.equal(failed.outcome, 'handler-error');
  assert.deepEqual(
    failed.outcomes.map((outcome) => [outcome.as, outcome.as === 'failed' ? outcome.notBeforeMs : null]),
    [
      ['failed', 3_000],
      ['failed', 3_000],
    ],
  );
  assert.deepEqual(
    (await program.received()).map(({ events }) => events.length),
    [2, 1, 1],
  );
});

test('a mode for one event is given one', async (t) => {
  const program = await receiver(t);
  await assert.rejects(
    program.deliver('/200', [delivery(), delivery({ id: 'b' })]),
    /for one event, not for 2/,
  );
});
