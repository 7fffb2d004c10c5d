import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startApp, type TestApp } from '../../../src/testing/index.ts';
import { appFolder, config, type Span } from './app-folder.ts';

/** One component with everything that a handler can do, well or badly. Both modes must treat a caller alike. */
const WORKER = `
  import { use } from 'fulcrum';
  const helper = use<typeof import('./helper.ts')>('helper');
  export async function add(a: number, b: number) { return a + b; }
  export async function refuse() { const error = new TypeError('not that'); throw Object.assign(error, { code: 'E_REFUSED' }); }
  export default {
    async fetch(request: Request, env: Record<string, string>, ctx) {
      const { pathname, searchParams } = new URL(request.url);
      switch (pathname) {
        case '/echo': return new Response(request.body, { headers: { 'x-method': request.method, 'content-type': request.headers.get('content-type') ?? '' } });
        case '/env': return Response.json({ process: process.env, given: env });
        case '/id': console.log('inside ' + ctx.requestId); return new Response(ctx.requestId);
        case '/throw': throw new Error('on purpose');
        case '/exit': process.exit(3);
        case '/hang': for (;;);
        case '/late': await new Promise((resolve) => setTimeout(resolve, 60_000)); return new Response('late');
        case '/wrong': return 'not a response';
        case '/die-midway': return new Response(new ReadableStream({ async pull(controller) {
          controller.enqueue(new TextEncoder().encode('first'));
          await new Promise((resolve) => setTimeout(resolve, 50));
          process.kill(process.pid, 'SIGKILL');
        } }));
        case '/flood': for (let i = 0; i < 200_000; i++) console.log('x'.repeat(200)); return new Response('flooded');
        case '/hog': { const kept = []; for (;;) { kept.push(Buffer.alloc(16 * 1024 * 1024, 1)); await new Promise((resolve) => setTimeout(resolve, 20)); } }
        case '/call': return Response.json(await helper.double(Number(searchParams.get('n'))));
        case '/call-thrown': try { await helper.fail(); return new Response('no error'); }
          catch (error) { return Response.json({ name: error.name, message: error.message, code: error.code, cause: error.cause?.message }); }
        case '/call-unknown': try { await (helper as any).nothing(); return new Response('no error'); }
          catch (error) { return Response.json({ code: error.code, message: error.message }); }
        case '/slow-body': return new Response(new ReadableStream({ async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 30));
          controller.enqueue(new TextEncoder().encode('tick\\n'));
        } }));
        case '/seen-abort': return new Response(String((globalThis as any).aborted ?? 0));
        case '/wait-for-abort': await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
          console.log('the client went away'); return new Response('nobody reads this');
        case '/background': ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 50)); console.log('background done'); })()); return new Response('at once');
        case '/background-empty': ctx.waitUntil((async () => { await new Promise((r) => setTimeout(r, 50)); console.log('empty done'); })()); return new Response(null, { status: 204 });
        default: return new Response('hello');
      }
    },
    async scheduled(event) { console.log('tick ' + event.cron); },
    async queue(batch) { for (const message of batch.messages) console.log(message.type + ' ' + JSON.stringify(message.data)); },
  };`;

const HELPER = `
  export async function double(n: number) { return { twice: n * 2, at: new Date(0), set: [...new Set([n])] }; }
  export async function fail() { throw Object.assign(new RangeError('out of range', { cause: new Error('the root') }), { code: 'E_RANGE' }); }
  export default {};`;

export async function startWorker(t: Span, mode: 'function' | 'service'): Promise<TestApp> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      worker: { entry: './worker.ts', routes: [{ path: '/*', bodyLimit: '1MB' }], mode: '${mode}', timeout: '3s', memory: '160MB',
        schedule: '0 2 * * *', events: ['order.paid'], env: { NAMED: 'yes', KEY: secret('KEY') } },
      helper: { entry: './helper.ts', mode: '${mode === 'function' ? 'service' : 'function'}' },
    }`),
    'worker.ts': WORKER,
    'helper.ts': HELPER,
    '.env': 'KEY=from-dot-env\n',
  });
  process.env.FULCRUM_TEST_NOT_NAMED = 'must not be seen';
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return app;
}

interface Problem {
  type: string;
  status: number;
  requestId: string;
}

export async function problemOf(answer: Response): Promise<[number, string]> {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = (await answer.json()) as Problem;
  assert.equal(problem.status, answer.status);
  assert.equal(problem.requestId, answer.headers.get('x-request-id'));
  return [answer.status, problem.type.split('/').at(-1)!];
}

/** What holds of a component whatever its mode; a file for each, so that they run beside each other. */
export function bothModes(mode: 'function' | 'service'): void {
  suite(`as a ${mode}`, () => {
    // One app for all of them: what one has broken must not be there for the next. In this order: the first two look at what has been so far.
    let app: TestApp;
    const ends: (() => unknown)[] = [];
    before(async () => {
      app = await startWorker({ after: (end) => ends.push(end) }, mode);
    });
    after(async () => {
      for (const end of ends.toReversed()) await end();
    });

    test('work after the answer is finished', async () => {
      assert.equal(await (await app.fetch('/background')).text(), 'at once');
      await logged(app, (text) => text === 'background done');
      assert.equal((await app.fetch('/background-empty')).status, 204);
      await logged(app, (text) => text === 'empty done');
      assert.deepEqual(
        (await app.status()).flatMap(({ lastError }) => lastError ?? []),
        [],
      );
    });

    test('the usage of a minute is counted', async () => {
      for (let i = 0; i < 5; i++) await (await app.fetch('/')).text();
      await (await app.fetch('/throw')).text();
      const status = (await app.status()).find(({ name }) => name === 'worker')!;
      assert.equal(status.mode, mode);
      // Two were asked of it before.
      assert.deepEqual([status.lastMinute?.count, status.lastMinute?.failed], [8, 1]);
      assert.equal((status.lastMinute?.billedMs ?? 0) > 0, mode === 'function');
    });

    test('answers, echoes a body, and says in a header how long it took', async () => {
      const hello = await app.fetch('/');
      assert.equal(await hello.text(), 'hello');
      assert.match(
        hello.headers.get('server-timing') ?? '',
        /queue;dur=[\d.]+, start;dur=[\d.]+, handler;dur=[\d.]+/,
      );
      const body = Buffer.alloc(900_000, 'abc');
      const echo = await app.fetch('/echo', {
        method: 'PUT',
        body,
        headers: { 'content-type': 'text/x-own' },
      });
      assert.deepEqual(
        [echo.status, echo.headers.get('x-method'), echo.headers.get('content-type')],
        [200, 'PUT', 'text/x-own'],
      );
      assert.ok(Buffer.from(await echo.arrayBuffer()).equals(body));
    });

    test('the environment is what the config names, and nothing of the shell', async () => {
      const { process: env, given } = (await (await app.fetch('/env')).json()) as Record<
        string,
        Record<string, string>
      >;
      assert.deepEqual(
        [env!.NAMED, env!.KEY, given!.NAMED, given!.KEY],
        ['yes', 'from-dot-env', 'yes', 'from-dot-env'],
      );
      assert.equal(env!.FULCRUM_TEST_NOT_NAMED, undefined);
      const known = new Set([
        'NAMED',
        'KEY',
        'NODE_ENV',
        'FULCRUM_ENVIRONMENT',
        'PATH',
        'HOME',
        'TMPDIR',
        'LANG',
        'LC_ALL',
        'TZ',
      ]);
      assert.deepEqual(
        Object.keys(env!).filter((name) => !known.has(name)),
        [],
      );
    });

    test('the request id is in the answer, in the handler and in the log', async () => {
      const answer = await app.fetch('/id', { headers: { 'x-request-id': 'chosen-by-a-client' } });
      const id = await answer.text();
      assert.match(id, /^r_/);
      assert.equal(answer.headers.get('x-request-id'), id);
      const line = await logged(app, (text) => text === `inside ${id}`);
      assert.equal(line.requestId, id);
    });

    test('what goes wrong in a handler is a problem document, and the next request is served', async () => {
      const table: [string, RequestInit, number, string][] = [
        ['/throw', {}, 500, 'handler-error'],
        ['/wrong', {}, 502, 'bad-response'],
        ['/exit', {}, 502, 'instance-crashed'],
        ['/late', {}, 504, 'timeout'],
        ['/echo', { method: 'POST', body: Buffer.alloc(1_200_000) }, 413, 'body-too-large'],
      ];
      for (const [path, init, status, code] of table) {
        const answer = await app.fetch(path, init);
        assert.deepEqual(await problemOf(answer), [status, code], path);
        assert.equal(await (await app.fetch('/')).text(), 'hello', `after ${path}`);
      }
    });

    test('an endless loop is ended at its deadline, and the next request is served', async (t) => {
      // Of its own: as a service it goes on looping until its health is looked at.
      const app = await startWorker(t, mode);
      // With an instance there: time that is over before one was is another answer.
      await (await app.fetch('/')).text();
      assert.deepEqual(await problemOf(await app.fetch('/hang')), [504, 'timeout']);
      if (mode === 'function') assert.equal(await (await app.fetch('/')).text(), 'hello');
    });

    test('an instance that dies in mid-answer breaks the connection off: never a clean end', async () => {
      const answer = await app.fetch('/die-midway');
      assert.equal(answer.status, 200);
      await assert.rejects(answer.text());
      assert.equal(await (await app.fetch('/')).text(), 'hello');
    });

    test('a flood of output harms nobody and is told', async () => {
      const answer = await app.fetch('/flood');
      assert.ok([200, 504].includes(answer.status));
      await answer.text();
      assert.equal(await (await app.fetch('/')).text(), 'hello');
    });

    test('an instance that takes more memory than it may is ended', async () => {
      const [status, code] = await problemOf(await app.fetch('/hog'));
      assert.ok(
        (status === 502 && (code === 'memory-exceeded' || code === 'instance-crashed')) || code === 'timeout',
        code,
      );
      assert.equal(await (await app.fetch('/')).text(), 'hello');
    });

    test('components call each other, and errors come over whole', async () => {
      assert.deepEqual(await (await app.fetch('/call?n=21')).json(), {
        twice: 42,
        at: '1970-01-01T00:00:00.000Z',
        set: [21],
      });
      assert.deepEqual(await (await app.fetch('/call-thrown')).json(), {
        name: 'RangeError',
        message: 'out of range',
        code: 'E_RANGE',
        cause: 'the root',
      });
      const unknown = (await (await app.fetch('/call-unknown')).json()) as { code: string; message: string };
      assert.equal(unknown.code, 'call-unknown-function');
      assert.match(unknown.message, /helper.*nothing|nothing.*helper/s);
    });

    test('functions, ticks and events by hand', async () => {
      assert.equal(await app.call('worker', 'add', 2, 3), 5);
      await assert.rejects(app.call('worker', 'refuse'), {
        name: 'TypeError',
        message: 'not that',
        code: 'E_REFUSED',
      });
      assert.equal((await app.invoke('worker', { kind: 'scheduled' })).outcome, 'ok');
      await logged(app, (text) => text === 'tick 0 2 * * *');
      const queued = await app.invoke('worker', {
        kind: 'queue',
        messages: [{ type: 'order.paid', data: { id: 7 } }],
      });
      assert.equal(queued.outcome, 'ok');
      await logged(app, (text) => text === 'order.paid {"id":7}');
    });

    test('a client that goes away aborts request.signal', async () => {
      await (await app.fetch('/')).text();
      const controller = new AbortController();
      const pending = app.fetch('/wait-for-abort', { signal: controller.signal });
      setTimeout(() => controller.abort(), 100);
      await assert.rejects(pending);
      await logged(app, (text) => text === 'the client went away');
    });
  });
}

/** Waits for a line of the log: output takes its own way and may come behind the answer. */
async function logged(
  app: TestApp,
  matches: (text: string) => boolean,
): Promise<ReturnType<TestApp['logs']>[number]> {
  for (let tries = 0; tries < 200; tries++) {
    const line = app.logs().find(({ text }) => matches(text));
    if (line) return line;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(
    `no such line in the log:\n${app
      .logs()
      .map(({ text }) => text.slice(0, 200))
      .join('\n')}`,
  );
}
