/** Two servers of one database that serve the same app, each on what would be a machine of its own. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { PostgresServer } from '../conformance/store/support/postgres-server.ts';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import { keptInPostgres } from './support/kept-work.ts';

const CONFIG = (sink: string): string => `
  import { defineApp } from 'fulcrum';
  export default defineApp({ name: 'nodes', env: { SINK: '${sink}' }, components: {
    door: { entry: './door.ts', routes: ['/*'], mode: 'service' },
    many: { entry: './many.ts', events: { types: ['many'], batch: { size: 5 } } },
    one: { entry: './one.ts', events: { types: ['one'], batch: { size: 1 }, concurrency: 1 } },
    tick: { entry: './tick.ts', schedule: '* * * * * *' },
  } });`;

const DOOR = `
  export default { async fetch(request, env) {
    const { type, from, to } = await request.json();
    for (let n = from; n < to; n++) await env.events.publish(type, { n }, n % 4 === 0 ? { key: 'k' } : {});
    return new Response('published');
  } };`;

const TELL = `
  export const tell = async (what, told) => {
    const answer = await fetch(process.env.SINK + what, { method: 'POST', body: JSON.stringify(told) });
    await answer.text();
  };`;

const TAKER = (name: string): string => `
  import { tell } from './tell.ts';
  export default { async queue({ messages }) {
    for (const { data: { n }, attempt, key } of messages) {
      await tell('/begin', { name: '${name}', n, attempt, key });
      await new Promise((resolve) => setTimeout(resolve, 25));
      await tell('/end', { name: '${name}', n, attempt, key });
    }
  } };`;

const TICK = `
  import { tell } from './tell.ts';
  export default { scheduled: ({ scheduledTime }) => tell('/end', { name: 'tick', n: scheduledTime, attempt: 1, key: null }) };`;

interface Told {
  readonly name: string;
  readonly n: number;
  readonly attempt: number;
  readonly key: string | null;
}

class Sink {
  readonly ended: Told[] = [];
  readonly #open = new Map<string, number>();
  mostOpen = 0;
  url = '';

  static async start(t: TestContext): Promise<Sink> {
    const sink = new Sink();
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        sink.#hear(request.url!, JSON.parse(body) as Told);
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    sink.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return sink;
  }

  of(name: string): Told[] {
    return this.ended.filter((one) => one.name === name);
  }

  #hear(what: string, told: Told): void {
    if (what === '/end') this.ended.push(told);
    const open = (this.#open.get(told.name) ?? 0) + (what === '/begin' ? 1 : -1);
    this.#open.set(told.name, open);
    if (told.name === 'one') this.mostOpen = Math.max(this.mostOpen, open);
  }
}

const postgres = await PostgresServer.start();

test(
  'two servers of one database do each event once and fire each tick once, and one takes over what the other had',
  { skip: typeof postgres === 'string' ? postgres : false },
  async (t) => {
    const { place, clear } = await (postgres as PostgresServer).newDatabase();
    const sink = await Sink.start(t);
    const key = randomBytes(32).toString('base64');
    const envOf = (): NodeJS.ProcessEnv => ({ ...isolatedEnv(), DATABASE_URL: place, FULCRUM_KEY: key });
    const app = await appFolder(t, {
      'fulcrum.config.ts': CONFIG(sink.url),
      'door.ts': DOOR,
      'tell.ts': TELL,
      'many.ts': TAKER('many'),
      'one.ts': TAKER('one'),
      'tick.ts': TICK,
    });
    const one = await ServerProcess.start(t, { env: envOf(), data: dataFolder(t) });
    const done = await one.run('deploy', app.path, '--no-typecheck');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const other = await ServerProcess.start(t, { env: envOf(), data: dataFolder(t) });
    const kept = await keptInPostgres(place);
    t.after(async () => {
      await kept.close();
      await clear();
    });
    const publish = async ({ url }: ServerProcess, type: string, from: number, to: number): Promise<void> => {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ type, from, to }) });
      assert.equal(answer.status, 200, await answer.text());
    };
    const isDone = async (withinMs: number): Promise<void> => {
      const endMs = performance.now() + withinMs;
      for (;;) {
        const left = await kept.query("SELECT id, component, state, node FROM work WHERE kind = 'event'");
        const { rows } = left as { rows: object[] };
        if (rows.length === 0) return;
        if (performance.now() > endMs) throw new Error(JSON.stringify(rows.slice(0, 5)));
        await wait(50);
      }
    };

    await Promise.all([
      publish(one, 'many', 0, 100),
      publish(other, 'many', 100, 200),
      publish(one, 'one', 0, 20),
      publish(other, 'one', 20, 40),
    ]);
    await isDone(60_000);
    for (const [name, count] of [
      ['many', 200],
      ['one', 40],
    ] as const) {
      const told = sink.of(name);
      assert.equal(told.length, count, `${name}: some were done twice, and nothing was killed`);
      assert.equal(new Set(told.map(({ n }) => n)).size, count);
      // Of one key, and of one publisher.
      const mine = told.filter(({ key: of, n }) => of !== null && n < count / 2).map(({ n }) => n);
      assert.deepEqual(
        mine,
        mine.toSorted((a, b) => a - b),
      );
    }
    assert.equal(sink.mostOpen, 1, 'one at a time, on both together');

    await Promise.all([publish(one, 'many', 200, 300), publish(other, 'many', 300, 400)]);
    one.signal('SIGKILL');
    await one.exited;
    await publish(other, 'one', 40, 45);
    await isDone(40_000);
    const all = sink.of('many');
    assert.equal(new Set(all.map(({ n }) => n)).size, 400);
    const ticks = sink.of('tick').map(({ n }) => n);
    assert.ok(ticks.length > 3);
    assert.equal(new Set(ticks).size, ticks.length, 'a tick was fired twice');
    t.diagnostic(`${all.length - 400} repeats, ${ticks.length} ticks`);
  },
);
