import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { Client } from 'pg';
import { FakeClock } from '../../../src/base/fake-clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Logger } from '../../../src/base/log.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { UsageMeter } from '../../../src/meter/usage-meter.ts';
import { changing } from '../../../src/store/operation.ts';
import { mayRepeat } from '../../../src/store/postgres-errors.ts';
import { runOnPostgres } from '../../../src/store/postgres-run.ts';
import { openPostgresStore } from '../../../src/store/postgres-store.ts';
import { rows, run } from '../../../src/store/steps.ts';
import type { Store } from '../../../src/store/store.ts';
import { usageRecord } from '../usage-record.ts';
import { EventUser, newWork, settlementOf } from './support/event-things.ts';
import { hasCode } from './support/has-code.ts';
import { PASSWORD } from './support/postgres-home.ts';
import { PostgresServer } from './support/postgres-server.ts';
import { newApp, newRelease } from './support/things.ts';

const started = await PostgresServer.start();
const skip = typeof started === 'string' ? started : false;
const server = started as PostgresServer;

test(
  'the database ends and comes back: calls fail meanwhile, go on afterwards, and nothing acknowledged is gone',
  { skip },
  async (t) => {
    const store = await open(t, await place(t));
    await store.apps.create(newApp());
    let acknowledged = 0;
    for (let round = 0; round < 2; round++) {
      const { promise: some, resolve: enough } = Promise.withResolvers<void>();
      const writing = (async () => {
        for (let i = 0; ; i++) {
          const { number } = await store.releases.add(newRelease());
          acknowledged = number;
          if (i === 10) enough();
        }
      })();
      // In the middle of a call, mostly.
      await some;
      await Promise.all([server.crash(), assert.rejects(writing, hasCode('store-failed'))]);
      await assert.rejects(
        store.apps.list(),
        hasCode('store-failed', /cannot be reached.*Fulcrum goes on by itself/),
      );
      await assert.rejects(store.releases.add(newRelease()), hasCode('store-failed', /cannot be reached/));
      await server.startAgain();
      const kept = await store.releases.list('shop', null, 10_000);
      assert.ok(kept.length >= acknowledged, `${kept.length} of ${acknowledged} are there`);
      assert.deepEqual(
        kept.map((release) => release.number),
        Array.from({ length: kept.length }, (_, i) => kept.length - i),
      );
    }
  },
);

test('connections that the database has ended while they were idle are no failure', { skip }, async (t) => {
  const url = await place(t);
  const store = await open(t, url);
  await Promise.all(Array.from({ length: 5 }, () => store.apps.list()));
  await server.query(
    'postgres',
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${new URL(url).pathname.slice(1)}'`,
  );
  await Promise.all(Array.from({ length: 5 }, (_, i) => store.apps.create(newApp({ id: `a${i}` }))));
  assert.equal((await store.apps.list()).length, 5);
});

test('a connection whose end this process has not heard of yet is no failure either', { skip }, async (t) => {
  const url = await place(t);
  const store = await open(t, url);
  await store.apps.create(newApp());
  const script = `
    import { Client } from 'pg';
    const client = new Client({ connectionString: process.argv[1] });
    await client.connect();
    await client.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()');
    await client.end();
  `;
  // Nothing else happens in this process meanwhile, so the next call is given the dead connection.
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script, url], { encoding: 'utf8' });
  assert.equal(ended.status, 0, ended.stderr);
  await store.apps.update('shop', 1, { serving: 1 });
});

test(
  'operations that are to be alone are: what one has read stays true until it is done, or it is begun anew',
  { skip },
  async (t) => {
    const url = await place(t);
    await (await open(t, url)).close();
    const clients = Array.from({ length: 3 }, () => new Client({ connectionString: url }));
    for (const client of clients) {
      await client.connect();
      await client.query('SET search_path TO fulcrum');
    }
    const [slow, fast, holder] = clients as [Client, Client, Client];
    try {
      // Each adds a counter where it sees no other: two that run at once must not both.
      const addIfNone = changing(function* (_, { name, waits }: { name: string; waits: boolean }) {
        const found = yield* rows('SELECT name FROM counters');
        if (waits) yield* rows('SELECT pg_advisory_xact_lock(7)::text');
        if (found.length === 0) yield* run('INSERT INTO counters VALUES ($1, 1)', name);
      });
      await holder.query('SELECT pg_advisory_lock(7)');
      const late = runOnPostgres(slow, addIfNone, { name: 'slow', waits: true }, () => undefined);
      late.catch(() => undefined);
      const waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
      while ((await holder.query(waiting)).rows.length === 0);
      await runOnPostgres(fast, addIfNone, { name: 'fast', waits: false }, () => undefined);
      await holder.query('SELECT pg_advisory_unlock(7)');
      await assert.rejects(late, (error) => mayRepeat(error));
      await runOnPostgres(slow, addIfNone, { name: 'slow', waits: false }, () => undefined);
      assert.deepEqual((await holder.query('SELECT name FROM counters')).rows, [{ name: 'fast' }]);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  },
);

test(
  'usage stays in memory while the database is away, and is written once it is back',
  { skip },
  async (t) => {
    const store = await open(t, await place(t));
    const clock = new FakeClock();
    const meter = new UsageMeter({ app: 'shop', store: store.usage, clock, logger: silentLogger });
    meter.record(usageRecord());
    await meter.flush();
    await server.crash();
    for (let i = 0; i < 500; i++) meter.record(usageRecord());
    await assert.rejects(meter.flush(), hasCode('store-failed'));
    for (let i = 0; i < 500; i++) meter.record(usageRecord());
    await server.startAgain();
    await meter.flush();
    await meter.close();
    const { items } = await store.usage.minutes({
      ...{ app: 'shop', component: null, fromMs: 0, toMs: 8e15, limit: 1_000, after: null },
    });
    // The first, written a moment before the end, may have been the database's own memory's; its cell was sent again with all.
    assert.equal(
      items.reduce((sum, item) => sum + item.count, 0),
      1_001,
    );
  },
);

test(
  'of servers that start at once on an empty database, one makes the schema and all work',
  { skip },
  async (t) => {
    const url = await place(t);
    const told: string[] = [];
    const logger: Logger = { ...silentLogger, info: (fields) => told.push(JSON.stringify(fields)) };
    const stores = await Promise.all(
      Array.from({ length: 6 }, () => openPostgresStore({ url, clock: systemClock, logger })),
    );
    t.after(() => Promise.all(stores.map((store) => store.close())));
    assert.equal(told.filter((line) => line.includes('migrated')).length, 1);
    await Promise.all(stores.map((store, i) => store.apps.create(newApp({ id: `a${i}` }))));
    for (const store of stores) assert.equal((await store.apps.list()).length, 6);
  },
);

test(
  'a schema newer than this Fulcrum knows is refused in one sentence and not touched',
  { skip },
  async (t) => {
    const url = await place(t);
    await (await open(t, url)).close();
    await server.query(url, "INSERT INTO fulcrum.schema_migrations VALUES (9999, 'from-the-future', 0)");
    await assert.rejects(
      open(t, url),
      hasCode(
        'store-failed',
        /has schema version 9999, and this Fulcrum knows only \d+: use the newer Fulcrum/,
      ),
    );
  },
);

test(
  'a database that has become read-only refuses events and settlements, and keeps all that it had',
  { skip },
  async (t) => {
    const store = await open(t, await place(t));
    const user = new EventUser(store.events);
    await user.publish(newWork('first', { leaseFor: ['receipts'] }));
    const readOnly = async (value: string): Promise<void> => {
      await server.query('postgres', `ALTER SYSTEM SET default_transaction_read_only = ${value}`);
      await server.query('postgres', 'SELECT pg_reload_conf()');
    };
    const settle = [settlementOf({ app: 'shop', component: 'receipts', id: 'first', attempt: 1 })];
    const change = { settle, publish: [newWork('second')] };
    // Sessions hear of it in their own time.
    const until = async (isOver: () => Promise<boolean>): Promise<void> => {
      while (!(await isOver())) await new Promise((resolve) => setImmediate(resolve));
    };
    await readOnly('on');
    // Of the server itself this is no change, so it may be asked for even then.
    t.after(() => readOnly('off'));
    await until(() =>
      store.events.beat('n1', 1).then(
        () => false,
        () => true,
      ),
    );
    await assert.rejects(user.commitAt(1, change), hasCode('store-failed', /is read only/));
    assert.deepEqual(await user.states(), { first: 'leased' });
    await readOnly('off');
    await until(() =>
      store.events.beat('n1', 1).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual((await user.commitAt(1, change)).settled, [true]);
    assert.deepEqual(await user.states(), { second: 'ready' });
  },
);

test("another program's schema of our name is refused", { skip }, async (t) => {
  const url = await place(t);
  await server.query(url, 'CREATE SCHEMA fulcrum; CREATE TABLE fulcrum.schema_migrations (version text)');
  await assert.rejects(open(t, url), hasCode('store-failed', /"fulcrum".*is another program's/));
});

test("other programs' tables in the same database are no matter", { skip }, async (t) => {
  const url = await place(t);
  await server.query(url, 'CREATE TABLE apps (theirs int); CREATE TABLE schema_migrations (theirs int)');
  const store = await open(t, url);
  await store.apps.create(newApp());
  assert.equal((await server.query(url, 'SELECT count(*) AS n FROM public.apps'))[0]!['n'], '0');
});

test('a database of another encoding is refused', { skip }, async (t) => {
  const { place: url, clear } = await server.newDatabase(
    "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'",
  );
  t.after(clear);
  await assert.rejects(open(t, url), hasCode('store-failed', /has the encoding SQL_ASCII/));
});

test('what is wrong with the way to the database is told, without the password', { skip }, async (t) => {
  const url = await place(t);
  const logged: string[] = [];
  const log = (fields: object, message: string): void =>
    void logged.push(`${JSON.stringify(fields)} ${message}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const wrong = 'a-wr0ng-password';
  const cases: [string, RegExp][] = [
    [url.replace(PASSWORD, wrong), /does not accept the user or the password/],
    [url.replace('/test_', '/missing_'), /There is no database .*missing_/],
    [`postgres://u:${wrong}@127.0.0.1:1/x`, /cannot be reached/],
    [`postgres://u:${wrong}@no-such-host.invalid/x`, /cannot be reached/],
    [`postgres://u:${wrong}@[/x`, /cannot be read as a URL/],
    [`postgres://u:${wrong}@localhost`, /names no database/],
    [`mysql://u:${wrong}@localhost/x`, /begins with mysql:/],
  ];
  for (const [bad, sentence] of cases) {
    await assert.rejects(openPostgresStore({ url: bad, clock: systemClock, logger }), (error) => {
      hasCode('store-failed', sentence)(error);
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        const all = [String(at), at.stack, JSON.stringify(at, Object.getOwnPropertyNames(at))].join();
        assert.ok(!all.includes(wrong) && !all.includes(PASSWORD), all);
      }
      return true;
    });
  }
  const store = await openPostgresStore({ url, clock: systemClock, logger });
  assert.ok(!store.name.includes(PASSWORD), store.name);
  await store.close();
  assert.ok(logged.length > 0);
  assert.ok(!logged.join().includes(PASSWORD) && !logged.join().includes(wrong));
});

test('a user without rights is told what it lacks', { skip }, async (t) => {
  const url = await place(t);
  await server.query(url, "CREATE ROLE guest LOGIN PASSWORD 'guest'");
  t.after(() => server.query('postgres', 'DROP ROLE guest'));
  const guest = url.replace(`postgres:${PASSWORD}`, 'guest:guest');
  await assert.rejects(open(t, guest), hasCode('store-failed', /permission denied.*Make the user the owner/));
});

test('a statement that takes too long is given up, and the next is as ever', { skip }, async (t) => {
  const url = await place(t);
  const store = await openPostgresStore({
    ...{ url, clock: systemClock, logger: silentLogger },
    statementTimeoutMs: 200,
  });
  t.after(() => store.close());
  await store.apps.create(newApp());
  const holder = new Client({ connectionString: url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE fulcrum.apps');
  await assert.rejects(
    store.apps.update('shop', 1, { serving: 1 }),
    hasCode('store-failed', /took too long/),
  );
  await holder.end();
  await store.apps.update('shop', 1, { serving: 1 });
});

test(
  'no more than the pool holds are open at once, and more calls than may wait are refused',
  { skip },
  async (t) => {
    const url = await place(t);
    const store = await openPostgresStore({
      ...{ url, clock: systemClock, logger: silentLogger },
      maxConnections: 3,
    });
    t.after(() => store.close());
    const calls = Array.from({ length: 1_001 }, () => store.apps.list());
    const open = server.query(
      'postgres',
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'fulcrum' AND datname = '${new URL(url).pathname.slice(1)}'`,
    );
    const results = await Promise.allSettled(calls);
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 1);
    assert.match(String(refused[0]!.reason), /too slow: 1000 calls wait/);
    assert.ok(Number((await open)[0]!['n']) <= 3);
  },
);

async function place(t: TestContext): Promise<string> {
  const { place, clear } = await server.newDatabase();
  t.after(clear);
  return place;
}

async function open(t: TestContext, url: string): Promise<Store> {
  const store = await openPostgresStore({ url, clock: systemClock, logger: silentLogger });
  t.after(() => store.close());
  return store;
}
