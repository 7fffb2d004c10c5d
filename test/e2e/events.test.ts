import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test, type TestContext } from 'node:test';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

/** Writes down what it is given, in a file of its own for each delivery, and does what the event tells it to. */
const WORKER = `
  import { appendFileSync } from 'node:fs';
  const tell = (line) => appendFileSync(process.env.SEEN, JSON.stringify(line) + '\\n');
  export async function add(a, b) { return a + b; }
  export default {
    async fetch(request) { return new Response((await request.text()).toUpperCase(), { status: 201 }); },
    async scheduled(event) { tell({ cron: event.cron }); },
    async queue(batch, env) {
      tell(batch.messages.map(({ type, data, key, attempt }) => ({ type, data, key, attempt })));
      for (const message of batch.messages) {
        if (message.data === 'ack') message.ack();
        if (message.data === 'again' && message.attempt === 1) message.retry();
        if (message.data === 'wait') await new Promise((resolve) => setTimeout(resolve, 300));
        if (message.data === 'hang') await new Promise(() => undefined);
        if (message.data === 'ack-die') {
          message.ack();
          await new Promise((resolve) => setTimeout(resolve, 200));
          process.exit(3);
        }
        if (message.data === 'tell') await env.events.publish('t.told', { by: message.id }, { key: 'told' });
        if (message.data === 'die') process.exit(3);
        if (message.data === 'throw') throw new Error('poison');
      }
    },
  };`;

interface Told {
  readonly type: string;
  readonly data: unknown;
  readonly key: string | null;
  readonly attempt: number;
}

async function worker(
  t: TestContext,
  o: { mode: string; timeout?: string; settings?: string; more?: string },
): Promise<{ app: TestApp; seen: () => Promise<Told[][]> }> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      worker: {
        entry: './worker.ts', mode: '${o.mode}', timeout: '${o.timeout ?? '20s'}', storage: ['./seen'], env: { SEEN: './seen/all' },
        events: { types: ['t.*'], batch: { size: 10 }, retry: { attempts: 3, first: '1ms', longest: '5ms' }, ${o.settings ?? ''} },
        async: { onSuccess: 't.ended' },
        ${o.more ?? ''}
      },
    }`),
    'worker.ts': WORKER,
    'seen/all': '',
  });
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return {
    app,
    seen: async () =>
      (await readFile(join(folder.path, 'seen/all'), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Told[]),
  };
}

/** Waits for what must come: a test's own time limit says when it has not. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function done({ app }: { app: TestApp }, dead = 0): Promise<void> {
  await until(async () => {
    const backlog = (await app.kept.backlog('worker'))!;
    return backlog.waiting + backlog.underWay + backlog.later === 0 && backlog.dead === dead;
  });
}

for (const mode of ['function', 'service']) {
  describe(`events for a ${mode}`, () => {
    it('are delivered, in order of their key, once each, and what fails comes alone until it is dead', async (t) => {
      const scene = await worker(t, { mode });
      const { app } = scene;
      for (let i = 0; i < 5; i++) await app.events.publish('t.a', i, { key: 'k' });
      await Promise.all(['ok', 'throw', 'fine'].map((data) => app.events.publish('t.b', data)));
      await app.events.publish('other', 'nobody takes it');
      await done(scene, 1);
      const all = (await scene.seen()).flat();
      assert.deepEqual(
        all.filter(({ key }) => key === 'k').map(({ data }) => data),
        [0, 1, 2, 3, 4],
      );
      assert.equal(all.filter(({ data }) => data === 'throw').length, 3);
      const [dead] = await app.kept.list({ state: 'dead' }, null, 10);
      assert.deepEqual(
        [dead!.attempts.length, dead!.attempts[0]!.error],
        [3, { code: 'handler-error', message: 'The `queue` handler threw Error: poison' }],
      );
      assert.equal(await app.kept.count({ state: 'unmatched' }), 1);
    });

    it('that make the handler hang or its process die are tried again, and then kept as dead', async (t) => {
      const scene = await worker(t, { mode, timeout: '1s' });
      await scene.app.events.publish('t.a', 'die');
      await done(scene, 1);
      await scene.app.events.publish('t.a', 'hang');
      await done(scene, 2);
      const dead = await scene.app.kept.list({ state: 'dead' }, null, 10);
      assert.deepEqual(
        new Map(dead.map(({ attempts }) => [attempts.at(-1)!.error.code, attempts.length])),
        new Map([
          ['timeout', 3],
          ['instance-crashed', 3],
        ]),
      );
    });

    it('survive a switch of the mode in the middle of a batch, none of them twice', async (t) => {
      const scene = await worker(t, { mode, settings: 'concurrency: 1' });
      for (let i = 0; i < 4; i++) await scene.app.events.publish('t.a', 'wait');
      await until(async () => (await scene.seen()).length > 0);
      await scene.app.mode('worker', mode === 'function' ? 'service' : 'function');
      for (let i = 0; i < 4; i++) await scene.app.events.publish('t.b', 'ok');
      await done(scene);
      const all = (await scene.seen()).flat();
      assert.equal(all.length, 8);
      assert.equal(
        all.every(({ attempt }) => attempt === 1),
        true,
      );
    });
  });
}

describe('events', () => {
  it('are delivered again only where the handler says so, and duplicates not at all', async (t) => {
    const scene = await worker(t, { mode: 'function' });
    await scene.app.events.publish('t.a', 'again', { dedupe: 'once' });
    assert.equal((await scene.app.events.publish('t.a', 'again', { dedupe: 'once' })).duplicate, true);
    await scene.app.events.publish('t.a', 'ack');
    await done(scene);
    const all = (await scene.seen()).flat();
    assert.deepEqual(all.map(({ data, attempt }) => `${String(data)} ${attempt}`).sort(), [
      'ack 1',
      'again 1',
      'again 2',
    ]);
  });

  it('are published by components, and what is acknowledged stays so when its process dies', async (t) => {
    const scene = await worker(t, { mode: 'function' });
    await scene.app.events.publish('t.a', 'tell');
    await scene.app.events.publish('t.a', 'ack-die');
    await done(scene);
    const all = (await scene.seen()).flat();
    assert.deepEqual(all.map(({ type, key, attempt }) => `${type} ${key} ${attempt}`).sort(), [
      't.a null 1',
      't.a null 1',
      't.told told 1',
    ]);
  });

  it('are held back as long as they are delayed, and shown while they wait', async (t) => {
    const scene = await worker(t, { mode: 'function' });
    const publishedAtMs = Date.now();
    await scene.app.events.publish('t.a', 'late', { delay: 400 });
    const [status] = await scene.app.status();
    assert.deepEqual(
      { ...status!.backlog },
      { waiting: 0, oldestDueAtMs: null, underWay: 0, later: 1, dead: 0 },
    );
    await done(scene);
    assert.equal((await scene.seen()).length, 1);
    assert.equal(Date.now() - publishedAtMs >= 400, true);
  });

  it('wait while the component is switched off, and a start for them tells of the backlog', async (t) => {
    const scene = await worker(t, { mode: 'function', more: 'limits: { concurrency: 0 },' });
    await scene.app.events.publish('t.a', 'ok');
    const backlog = async (): Promise<number> => (await scene.app.kept.backlog('worker'))!.waiting;
    await until(async () => (await backlog()) === 1);
    assert.equal((await scene.seen()).length, 0);
  });

  it('and asynchronous invocations: their outcome is kept, and told by an event', async (t) => {
    const scene = await worker(t, { mode: 'function' });
    const { kept: events } = scene.app;
    const call = await events.later({
      component: 'worker',
      requestId: 'r_call',
      work: { kind: 'call', function: 'add', args: Buffer.from('[2,3]') },
    });
    const request = await events.later({
      component: 'worker',
      requestId: 'r_request',
      work: {
        kind: 'request',
        method: 'POST',
        url: 'http://shop.example/x?y=1',
        target: '/x?y=1',
        fields: ['content-type', 'text/plain'],
        body: Buffer.from('loud'),
      },
    });
    await until(async () => (await events.answer(request.id))?.state === 'done');
    await until(async () => (await events.answer(call.id))?.state === 'done');
    const answer = (await events.answer(request.id))!.answer!;
    assert.deepEqual([answer.status, Buffer.from(answer.data).toString()], [201, 'LOUD']);
    assert.equal(Buffer.from((await events.answer(call.id))!.answer!.data).toString(), '5');
    await done(scene);
    const told = (await scene.seen()).flat().map(({ data }) => data as { id: string; result: unknown });
    assert.equal(told.find(({ id }) => id === call.id)!.result, 5);
  });
});

const PROGRAM = `
  const { createServer } = require('node:http');
  const got = [];
  createServer((request, response) => {
    if (request.url === '/got') return response.end(JSON.stringify(got));
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const seen = got.filter(({ id }) => id === request.headers['ce-id']).length;
      got.push({ id: request.headers['ce-id'], type: request.headers['ce-type'], data: String(Buffer.concat(chunks)) });
      response.writeHead(seen === 0 ? 503 : 204, seen === 0 ? { 'Retry-After': '0' } : {}).end();
    });
  }).listen(process.env.PORT);`;

test('a program is sent events over HTTP, again where it answers with an error, and requests are kept by ?async', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      program: {
        command: 'node server.cjs', mode: 'service', routes: ['/*'], async: true,
        events: { types: ['t.*'], path: '/events', retry: { first: '1ms' } },
      },
    }`),
    'server.cjs': PROGRAM,
  });
  await using app = await startApp({ directory: folder.path });
  const { id } = await app.events.publish('t.a', { cents: 5 });
  const got = async (): Promise<{ id?: string; type: string; data: string }[]> =>
    (await (await app.fetch('/got')).json()) as never;
  await until(async () => (await app.kept.count({})) === 0);
  assert.deepEqual(await got(), [
    { id, type: 't.a', data: '{"cents":5}' },
    { id, type: 't.a', data: '{"cents":5}' },
  ]);
  const accepted = await app.fetch('/late?async', { method: 'POST', body: 'later' });
  assert.equal(accepted.status, 202);
  await until(async () => (await got()).some(({ data }) => data === 'later'));
});

const TRACED = `
  const seen = [];
  export const look = () => seen;
  export default {
    async fetch(request, env) {
      if (new URL(request.url).pathname === '/late') {
        await env.events.publish('t.late', request.headers.get('traceparent'));
        return new Response('done');
      }
      return Response.json(await env.events.publish('t.a', null));
    },
    async queue(batch) {
      for (const { type, traceparent, data } of batch.messages) seen.push([type, traceparent, typeof data === 'string' ? data : null]);
    },
  };`;
const TRACED_PROGRAM = `
  const { createServer } = require('node:http');
  const got = [];
  createServer((request, response) => {
    if (request.url === '/got') return response.end(JSON.stringify(got));
    got.push([request.headers['ce-type'], request.headers['ce-traceparent'], request.headers.traceparent]);
    response.writeHead(204).end();
  }).listen(process.env.PORT);`;

test('work that is kept goes on with the trace of whoever asked for it', async (t) => {
  const token = 'a-token-of-enough-letters';
  const folder = await appFolder(t, {
    'fulcrum.config.ts': `export default { name: 'test', events: { endpoint: { path: '/events', token: '${token}' } }, components: {
      traced: { entry: './traced.ts', mode: 'service', routes: ['/*'], events: ['t.*'], async: { onSuccess: 't.ended' } },
      told: { command: 'node server.cjs', mode: 'service', routes: ['/got'], events: { types: ['t.*'], path: '/' } },
    } };`,
    'traced.ts': TRACED,
    'server.cjs': TRACED_PROGRAM,
  });
  await using app = await startApp({ directory: folder.path });
  const trace = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
  await app.fetch('/', { headers: { traceparent: trace('1') } });
  const cloud = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't.sent' };
  const authorization = `Bearer ${token}`;
  const sent = { ...cloud, authorization, traceparent: trace('2') };
  assert.equal((await app.fetch('/events', { method: 'POST', headers: sent })).status, 202);
  const later = await app.fetch('/late?async', { method: 'POST', headers: { traceparent: trace('3') } });
  assert.equal(later.status, 202);
  await until(async () => ((await app.call('traced', 'look')) as unknown[]).length === 4);
  const sorted = (rows: unknown): unknown[] =>
    (rows as string[][]).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  assert.deepEqual(sorted(await app.call('traced', 'look')), [
    ['t.a', trace('1'), null],
    ['t.ended', trace('3'), null],
    ['t.late', trace('3'), trace('3')],
    ['t.sent', trace('2'), null],
  ]);
  const got = async (): Promise<string[][]> => (await (await app.fetch('/got')).json()) as string[][];
  await until(async () => (await got()).length === 4);
  assert.deepEqual(sorted(await got()), [
    ['t.a', trace('1'), trace('1')],
    ['t.ended', trace('3'), trace('3')],
    ['t.late', trace('3'), trace('3')],
    ['t.sent', trace('2'), trace('2')],
  ]);
});
