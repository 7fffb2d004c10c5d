import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { CloudEventsRequest } from './port.ts';
import { ApiWorld, SECRET_MARKER } from './fixtures/api-world.ts';
import { ask, type Answer } from './fixtures/ask.ts';
import { delivery, EVENT_ID } from './fixtures/fake-events.ts';
import { component, FakePort } from './fixtures/fake-port.ts';

interface Listed {
  id: string;
  component: string | null;
  [field: string]: unknown;
}

describe('kept work over the admin API', () => {
  let world: ApiWorld;
  let port: FakePort;
  const bearer: Record<string, Record<string, string>> = {};

  before(async () => {
    world = await ApiWorld.start();
    for (const scope of ['read', 'deploy', 'admin'] as const) {
      const token = await world.token({ id: `t_${scope}`, name: scope, scope });
      bearer[scope] = { authorization: `Bearer ${token}` };
    }
  });
  after(() => world.end());
  beforeEach(async () => {
    await world.clock.advance(60_000);
    port = new FakePort();
    port.list = [
      component({ name: 'receipts', events: ['order.*'] }),
      component({ name: 'catalog' }),
      component({ name: 'assets', kind: 'static', mode: null }),
    ];
    port.events.takers.set('receipts', ['order.*']);
    world.host.ports.set('shop', port);
    world.audit.entries.length = 0;
  });

  const get = (path: string, scope = 'read'): Promise<Answer> =>
    ask(world.http, `/v1/apps/shop${path}`, { headers: bearer[scope]! });
  const post = (path: string, body: unknown, scope = 'deploy'): Promise<Answer> =>
    ask(world.http, `/v1/apps/shop${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer[scope] },
      body: JSON.stringify(body),
    });
  const written = (): unknown[] => world.audit.entries.map(({ action, details }) => ({ action, ...details }));

  test('a list is told in pages, newest first, each row once, and without payloads', async () => {
    const secret = Buffer.from(JSON.stringify({ card: SECRET_MARKER }));
    const attributes = JSON.stringify({ fields: ['authorization', SECRET_MARKER] });
    port.events.rows = Array.from({ length: 7 }, (_, i) =>
      // Several of one moment, and one event for two components.
      delivery({
        id: `e_${Math.floor(i / 2)}`,
        component: i % 2 === 0 ? 'receipts' : 'stock',
        publishedAtMs: i < 4 ? 100 : 200,
        data: secret,
        attributes,
      }),
    );
    const seen: string[] = [];
    let before = '';
    for (let pages = 0; pages < 10; pages++) {
      const answer = await get(`/events?limit=3${before}`);
      assert.equal(answer.status, 200, answer.text);
      assert.ok(!answer.text.includes(SECRET_MARKER));
      const { events, next } = answer.json as unknown as { events: Listed[]; next: string | null };
      seen.push(...events.map(({ id, component: of }) => `${id} ${of}`));
      if (next === null) break;
      assert.equal(events.length, 3);
      before = `&before=${next}`;
    }
    assert.deepEqual(seen, [
      'e_3 receipts',
      'e_2 stock',
      'e_2 receipts',
      'e_1 stock',
      'e_1 receipts',
      'e_0 stock',
      'e_0 receipts',
    ]);
    assert.deepEqual(written(), []);
  });

  test('a list is filtered, and one row says what somebody on call asks first', async () => {
    port.events.rows = [
      delivery(),
      delivery({
        id: 'e_2',
        component: '',
        state: 'unmatched',
        attempts: [],
        attempt: 0,
        type: 'order.lost',
      }),
      delivery({ id: 'e_3', component: 'stock', key: null, state: 'ready' }),
      delivery({ id: 'r_4', kind: 'request', type: 'POST /report?token=hunter2', state: 'leased' }),
    ];
    const ids = async (query: string): Promise<string[]> =>
      ((await get(`/events?${query}`)).json as unknown as { events: Listed[] }).events.map(({ id }) => id);
    assert.deepEqual(await ids('state=dead'), [EVENT_ID]);
    assert.deepEqual(await ids('state=unmatched'), ['e_2']);
    assert.deepEqual(await ids('component=stock'), ['e_3']);
    assert.deepEqual(await ids('type=order.lost'), ['e_2']);
    assert.deepEqual(await ids('key=o-1&component=receipts&state=leased'), ['r_4']);
    const { events } = (await get('/events')).json as unknown as { events: Listed[] };
    const dead = events.find(({ id }) => id === EVENT_ID);
    assert.deepEqual(dead!['lastError'], {
      code: 'handler-error',
      message: 'TypeError: Cannot read properties of undefined (reading "sku")',
    });
    assert.deepEqual([dead!['attempt'], dead!['state'], dead!['dataBytes']], [5, 'dead', 28]);
    assert.equal(events.find(({ id }) => id === 'e_2')!.component, null);
    assert.equal(events.find(({ id }) => id === 'r_4')!['type'], 'POST /report', 'a query may hold a token');
  });

  const BAD_LISTS: [string, RegExp][] = [
    ['state=lost', /state: .*"delayed"\|"ready"/],
    ['type=order.*', /type: one type as it was published, such as 'order\.paid'/],
    ['limit=1001', /limit: .*1000/],
    ['before=W10', /before: it is `next` of the page before/],
    ['before=%00', /before: it is `next` of the page before/],
    ['stat=dead', /"stat"/],
  ];
  for (const [query, says] of BAD_LISTS) {
    test(`a list of ${query} is refused`, async () => {
      const { status, json } = await get(`/events?${query}`);
      assert.equal(status, 400);
      assert.match(json['detail'] as string, says);
    });
  }

  test('an event is told with every attempt, for each component; one that is done with is not there', async () => {
    const [attempt] = delivery().attempts;
    const first = { ...attempt!, number: 1, error: { code: 'timeout', message: 'x'.repeat(2_000) } };
    port.events.rows = [
      delivery({ attempts: [first, attempt!], data: Buffer.from(SECRET_MARKER) }),
      delivery({ component: 'stock', state: 'ready', attempts: [] }),
    ];
    const answer = await get(`/events/${EVENT_ID}`);
    assert.ok(!answer.text.includes(SECRET_MARKER));
    const rows = answer.json as unknown as { component: string; attempts: unknown[] }[];
    assert.deepEqual(
      rows.map(({ component: of, attempts }) => [of, attempts]),
      [
        ['receipts', [first, attempt]],
        ['stock', []],
      ],
    );
    const gone = await get('/events/e_gone');
    assert.equal(gone.status, 404);
    assert.match(gone.json['detail'] as string, /no event 'e_gone' here: it is done with/);
  });

  test('a payload is told to scope admin and to the owner’s socket, to the byte, and to nobody else', async () => {
    const text = '\u{FEFF}{"n":12345678901234567890, "a": "ü"}';
    port.events.rows = [
      delivery({ data: Buffer.from(text), attributes: '{"region":"eu"}' }),
      delivery({ id: 'e_bytes', data: Buffer.from([0xff, 0x00]), contentType: 'image/png' }),
    ];
    const path = `/events/${EVENT_ID}/payload`;
    for (const scope of ['read', 'deploy']) {
      const refused = await get(path, scope);
      assert.equal(refused.status, 403);
      assert.match(refused.json['detail'] as string, /needs a token of scope 'admin', and this one's is/);
    }
    const told = { contentType: 'application/json', sizeBytes: Buffer.byteLength(text), text, base64: null };
    const expected = { id: EVENT_ID, data: told, attributes: { region: 'eu' } };
    assert.deepEqual((await get(path, 'admin')).json, expected);
    const ofOwner = await ask({ socketPath: world.socketPath }, `/v1/apps/shop${path}`);
    assert.deepEqual(ofOwner.json, expected);
    const bytes = await get('/events/e_bytes/payload', 'admin');
    assert.deepEqual(bytes.json['data'], {
      ...{ contentType: 'image/png', sizeBytes: 2, text: null, base64: '/wA=' },
    });
  });

  test('an event is published as it was given, and answered with its id once it is kept', async () => {
    const event = {
      type: 'order.paid',
      data: { card: SECRET_MARKER },
      key: 'o-1',
      delay: '1m30s',
      dedupe: 'd',
    };
    const first = await post('/events', event);
    assert.equal(first.status, 202, first.text);
    const [{ id }] = first.json['published'] as [{ id: string }];
    assert.deepEqual(first.json, { published: [{ id, duplicate: false }] });
    const [order] = port.events.orders;
    assert.deepEqual(
      { ...order!, data: Buffer.from(order!.data).toString() },
      {
        ...{
          type: 'order.paid',
          data: JSON.stringify(event.data),
          contentType: 'application/json',
          key: 'o-1',
        },
        ...{
          delayMs: 90_000,
          dedupe: 'd',
          id: null,
          source: '/admin',
          subject: null,
          timeMs: null,
          extensions: {},
        },
      },
    );
    assert.deepEqual((await post('/events', event)).json, { published: [{ id, duplicate: true }] });
    assert.deepEqual(written(), [
      { action: 'events.publish', type: 'order.paid', ids: [id] },
      { action: 'events.publish', type: 'order.paid', ids: [id] },
    ]);
    await post('/events', { type: 'a', dataBase64: '/wA=', contentType: 'image/png', delay: 5 });
    await post('/events', { type: 'b' });
    const [, , bytes, nothing] = port.events.orders;
    assert.deepEqual(
      [bytes!.contentType, bytes!.delayMs, bytes!.data],
      ['image/png', 5, Buffer.from([0xff, 0])],
    );
    assert.equal(Buffer.from(nothing!.data).toString(), 'null');
  });

  const BAD_EVENTS: [string, object, string, RegExp][] = [
    ['no type', { data: 1 }, 'bad-request', /type: /],
    [
      'a delay that is none',
      { type: 'a', delay: 'soon' },
      'bad-request',
      /delay: .*such as '30s', up to 365d/,
    ],
    ['a delay of two years', { type: 'a', delay: '730d' }, 'bad-request', /delay: /],
    [
      'two kinds of data',
      { type: 'a', data: 1, dataBase64: 'AA==' },
      'bad-request',
      /one of data and dataBase64/,
    ],
    [
      'a type of JSON',
      { type: 'a', data: 1, contentType: 'image/png' },
      'bad-request',
      /contentType: is of dataBase64/,
    ],
    ['half a byte', { type: 'a', dataBase64: 'A' }, 'event-invalid', /dataBase64 is not base64/],
    [
      'too much data',
      { type: 'a', data: 'x'.repeat(1024 ** 2) },
      'event-invalid',
      /has 1048578 bytes of data; 1048576 \(1 MB\) at most/,
    ],
    ['a long key', { type: 'a', key: 'k'.repeat(257) }, 'bad-request', /key: .*256/],
    ['a type that the publisher refuses', { type: ' ' }, 'event-invalid', /no event's type/],
  ];
  for (const [what, event, code, says] of BAD_EVENTS) {
    test(`an event with ${what} is refused, and nothing is kept`, async () => {
      const { json } = await post('/events', event);
      assert.equal(json['code'], code, json['detail'] as string);
      assert.match(json['detail'] as string, says);
      assert.deepEqual(port.events.orders, []);
    });
  }

  test('what nobody takes is refused where the app refuses it', async () => {
    port.events.unmatched = 'refuse';
    const { status, json } = await post('/events', { type: 'invoice.sent' });
    assert.deepEqual([status, json['code']], [422, 'event-unmatched']);
  });

  test('CloudEvents in each of their modes are handed on as they came; without a codec they are refused', async () => {
    const body = JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 'order.paid' });
    const send = (headers: Record<string, string>, sent: string | Uint8Array = body): Promise<Answer> =>
      ask(world.http, '/v1/apps/shop/events', {
        method: 'POST',
        headers: { ...headers, ...bearer['deploy'] },
        body: sent,
      });
    const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
    const refused = await send(structured);
    assert.equal(refused.status, 400);
    assert.match(refused.json['detail'] as string, /No CloudEvents are taken here/);

    const taken: CloudEventsRequest[] = [];
    Object.assign(port, {
      publishCloudEvents(request: CloudEventsRequest) {
        taken.push(request);
        return Promise.resolve([{ id: 'e_1', duplicate: false, more: 1 }]);
      },
    });
    const binary = { 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-type': 'order.paid' };
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    for (const headers of [structured, binary, batch]) {
      const answer = await send(headers);
      assert.equal(answer.status, 202, answer.text);
      assert.deepEqual(answer.json, { published: [{ id: 'e_1', duplicate: false }] });
    }
    assert.deepEqual(
      taken.map(({ body: bytes }) => Buffer.from(bytes).toString()),
      [body, body, body],
    );
    const at = taken[1]!.fields.indexOf('ce-type');
    assert.equal(taken[1]!.fields[at + 1], 'order.paid');
    assert.deepEqual(
      written().slice(1),
      Array.from({ length: 3 }, () => ({ action: 'events.publish', cloudEvents: true, ids: ['e_1'] })),
    );
    const huge = await send({ ...structured, 'content-length': String(4 * 1024 ** 2 + 1) });
    assert.deepEqual([huge.status, huge.json['code']], [413, 'body-too-large']);
    const neither = await send({ 'content-type': 'text/plain' });
    assert.match(neither.json['detail'] as string, /Content-Type: application\/json/);
  });

  const CHANGES: [string, string][] = [
    ['retry', 'deploy'],
    ['redrive', 'deploy'],
    ['drop', 'admin'],
  ];
  for (const [action, scope] of CHANGES) {
    const to = action === 'redrive' ? { to: 'receipts' } : {};

    test(`${action} needs to be told which, and has no more than it can do`, async () => {
      port.events.rows = [delivery()];
      const BAD: [object, RegExp][] = [
        [{}, /say which: ids, component, type, state or key; or all: true/],
        [{ dryRun: true }, /say which/],
        [{ all: true, component: 'receipts' }, /say which/],
        [{ all: false }, /all: /],
        [{ ids: [] }, /ids: /],
        [{ ids: Array(1_001).fill('e') }, /ids: .*1000/],
        [{ componnet: 'receipts' }, /componnet/],
        [{ state: 'leased' }, /It was asked of those that are leased; it is for (dead|delayed)/],
      ];
      for (const [filter, says] of BAD) {
        const { status, json } = await post(`/events/${action}`, { ...filter, ...to }, scope);
        assert.equal(status, 400, JSON.stringify(filter));
        assert.match(json['detail'] as string, says);
      }
      assert.deepEqual(port.events.asked, []);
    });

    test(`a dry run of ${action} says how many it would be, changes nothing and is not written down`, async () => {
      const possible = { retry: 2, redrive: 3, drop: 6 }[action]!;
      const states = ['delayed', 'ready', 'blocked', 'leased', 'dead', 'dead', 'unmatched'] as const;
      port.events.rows = states.map((state, i) => delivery({ id: `e_${i}`, state, attempt: 1 }));
      const counts = async (filter: object): Promise<unknown> =>
        (await post(`/events/${action}`, { ...filter, ...to, dryRun: true }, scope)).json;
      const told = (count: number): object => ({ count, dryRun: true });
      assert.deepEqual(await counts({ all: true }), told(possible));
      assert.deepEqual(await counts({ ids: ['e_1', 'e_4', 'e_3'] }), told(action === 'redrive' ? 1 : 2));
      assert.deepEqual(await counts({ type: 'nothing' }), told(0));
      assert.deepEqual([port.events.asked, written()], [[], []]);
      const done = await post(`/events/${action}`, { all: true, ...to }, scope);
      assert.deepEqual(done.json, { count: possible, dryRun: false });
      assert.deepEqual(written(), [
        {
          action: `events.${action}`,
          ...to,
          all: true,
          ...(action === 'retry' ? {} : {}),
          count: possible,
        },
      ]);
    });
  }

  test('what is asked for is asked of no more than the filter says, and written down as it was meant', async () => {
    port.events.rows = [delivery()];
    await post('/events/retry', { component: 'receipts', key: 'o-1' });
    await post('/events/retry', { state: 'ready' });
    await post('/events/redrive', { type: 'order.paid', to: 'receipts' });
    await post('/events/drop', { ids: [EVENT_ID] }, 'admin');
    assert.deepEqual(port.events.asked, [
      { retry: { component: 'receipts', key: 'o-1', state: 'dead' } },
      { retry: { state: 'ready' } },
      { redrive: { type: 'order.paid' }, to: 'receipts' },
      { drop: { ids: [EVENT_ID] } },
    ]);
    assert.deepEqual(written(), [
      { action: 'events.retry', component: 'receipts', key: 'o-1', count: 1 },
      { action: 'events.retry', state: 'ready', count: 0 },
      { action: 'events.redrive', to: 'receipts', type: 'order.paid', count: 0 },
      { action: 'events.drop', ids: [EVENT_ID], count: 1 },
    ]);
  });

  test('work goes to a component that is there and takes events; of one that is no more, all of it', async () => {
    const nowhere = await post('/events/redrive', { all: true, to: 'reciepts', dryRun: true });
    assert.equal(nowhere.status, 404);
    assert.match(nowhere.json['detail'] as string, /Did you mean 'receipts'\?/);
    const deaf = await post('/events/redrive', { all: true, to: 'catalog' });
    assert.equal(deaf.status, 400);
    assert.match(deaf.json['detail'] as string, /'catalog' takes no events/);
    port.events.rows = (['ready', 'blocked', 'dead'] as const).map((state, i) =>
      delivery({ id: `e_${i}`, component: 'bills', state }),
    );
    const left = await post('/events/redrive', { component: 'bills', to: 'receipts', dryRun: true });
    assert.deepEqual(left.json, { count: 3, dryRun: true });
  });

  test('a failure says so, and is written down as one', async () => {
    port.events.rows = [delivery()];
    port.events.fails = new FulcrumError('store-failed', 'The disk is full.');
    const { status, json } = await post('/events/retry', { all: true });
    assert.deepEqual([status, json['code']], [503, 'store-failed']);
    assert.deepEqual(written(), [{ action: 'events.retry', all: true, error: 'store-failed' }]);
  });

  const invoke = (name: string, query: string, body: object): Promise<Answer> =>
    post(`/components/${name}/invoke${query}`, body);

  test('an invocation with ?async is kept, and answered with the id of its result', async () => {
    const call = { kind: 'call', function: 'priceOf', args: [SECRET_MARKER] };
    const answer = await invoke('catalog', '?async', call);
    assert.equal(answer.status, 202, answer.text);
    const { id, requestId } = answer.json as { id: string; requestId: string };
    const [{ later }] = port.events.asked as [{ later: { work: { args: Uint8Array } } }];
    assert.equal(Buffer.from(later.work.args).toString(), JSON.stringify([SECRET_MARKER]));
    const args = later.work.args;
    assert.deepEqual(later, {
      component: 'catalog',
      requestId,
      work: { kind: 'call', function: 'priceOf', args },
    });
    assert.deepEqual(written(), [
      { action: 'invoke', component: 'catalog', kind: 'call', function: 'priceOf', id },
    ]);
    await invoke('catalog', '?async=true', { kind: 'scheduled', atMs: 5 });
    assert.deepEqual((port.events.asked[1] as { later: object }).later, {
      ...(port.events.asked[1] as { later: object }).later,
      work: { kind: 'scheduled', cron: null, atMs: 5 },
    });
    assert.deepEqual(port.asked, [], 'nothing ran at once');
    const atOnce = await invoke('catalog', '?async=false', call);
    assert.deepEqual([atOnce.status, atOnce.json['value']], [200, 42]);
  });

  test('what cannot be kept is refused', async () => {
    const queue = { kind: 'queue', messages: [{ type: 'order.paid', data: 1 }] };
    const event = await invoke('receipts', '?async', queue);
    assert.equal(event.status, 400);
    assert.match(event.json['detail'] as string, /publish the event/);
    const files = await invoke('assets', '?async', { kind: 'scheduled' });
    assert.match(files.json['detail'] as string, /'assets' serves static files/);
    assert.equal((await invoke('nope', '?async', { kind: 'scheduled' })).status, 404);
    assert.equal((await invoke('catalog', '?async=1', { kind: 'scheduled' })).status, 400);
    assert.deepEqual(port.events.asked, []);
  });

  test('what became of an invocation is told to who may invoke', async () => {
    const { id } = (await invoke('catalog', '?async', { kind: 'call', function: 'f' })).json as {
      id: string;
    };
    const path = `/invocations/${id}`;
    assert.equal((await get(path)).status, 403);
    const waiting = (await get(path, 'deploy')).json;
    assert.deepEqual([waiting['state'], waiting['result'], waiting['type']], ['waiting', null, 'call:f']);
    const kept = port.events.answers.get(id)!;
    const error = { code: 'handler-error', message: 'no luck' };
    port.events.answers.set(id, {
      ...kept,
      ...{
        state: 'failed',
        endedAtMs: kept.createdAtMs + 5,
        kind: 'request',
        type: 'GET /report?token=hunter2',
      },
      answer: {
        ...{ outcome: 'handler-error', status: 500, fields: '["x-a","b"]', contentType: 'text/plain', error },
        data: Buffer.from('sorry'),
      },
    });
    const { json } = await get(path, 'deploy');
    assert.deepEqual(json['result'], {
      ...{ outcome: 'handler-error', status: 500, fields: ['x-a', 'b'], error },
      value: { contentType: 'text/plain', sizeBytes: 5, text: 'sorry', base64: null },
    });
    assert.equal(json['type'], 'GET /report');
    const gone = await get('/invocations/a_gone', 'deploy');
    assert.equal(gone.status, 404);
    assert.match(gone.json['detail'] as string, /no invocation 'a_gone' here.*forgotten/);
  });
});
