import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import type { EventChange, NewWork, Settlement } from '../../../src/model/event-store.ts';
import { operations } from '../../../src/store/operations/index.ts';
import { runSteps } from '../../../src/store/postgres-run.ts';
import type { Store } from '../../../src/store/store.ts';
import { again, dead, DONE, newWork } from './support/event-things.ts';
import { postgresUnderTest } from './support/postgres-under-test.ts';
import { sqliteUnderTest } from './support/sqlite-under-test.ts';
import type { StoreUnderTest } from './support/store-under-test.ts';
import { NOW_MS } from './support/things.ts';

const EVENTS = process.env['FULCRUM_FULL'] === undefined ? 300 : 3_000;
const KEYS = ['a', 'b', 'c', null];
const SERVERS = 3;

const postgres = await postgresUnderTest();

for (const subject of [sqliteUnderTest, postgres]) {
  const skip = subject.skip ?? false;

  void test(
    `${subject.name}: events: of servers that publish, lease and settle the same keys at once, none loses one or its order`,
    { skip },
    () => withStores(subject, race),
  );

  void test(
    `${subject.name}: events: of servers that publish one dedupe key at once, one does`,
    { skip },
    () =>
      withStores(subject, async (stores) => {
        for (let round = 0; round < 10; round++) {
          const made = await Promise.all(
            stores.map(({ events }, i) =>
              events.commit({
                ...{ node: `n${i}`, nowMs: NOW_MS, settle: [] },
                // Each has them in another order.
                publish: ['x', 'y', 'z', 'x'].map((key, at, all) =>
                  newWork(`${round}-${i}-${at}`, {
                    dedupe: { key: `${round}${all[(at + i) % all.length]}`, untilMs: NOW_MS + 1e6 },
                  }),
                ),
              }),
            ),
          );
          const kept = made.flatMap(({ published }) => published.filter(({ duplicate }) => !duplicate));
          assert.equal(kept.length, 3);
          const ids = new Set(made.flatMap(({ published }) => published.map(({ id }) => id)));
          assert.deepEqual(ids, new Set(kept.map(({ id }) => id)), 'all are told the first');
        }
      }),
  );

  void test(
    `${subject.name}: events: what is matched and retried by several servers at once is so once`,
    { skip },
    () =>
      withStores(subject, async (stores) => {
        const { events } = stores[0]!;
        await events.commit({
          ...{ node: 'n', nowMs: NOW_MS, settle: [] },
          publish: Array.from({ length: 100 }, (_, i) =>
            newWork(`u${i}`, { components: [], key: KEYS[i % 4]! }),
          ),
        });
        const matched = await Promise.all(
          stores.map((store) => store.events.match('shop', 'order.paid', ['receipts'], NOW_MS, 1_000)),
        );
        assert.equal(
          matched.reduce((sum, count) => sum + count, 0),
          100,
        );
        const leases = await Promise.all(stores.map((store, i) => leaseOf(store, `n${i}`, 2)));
        // Of the first three keys one each, and of those without all.
        const ids = leases.flat().map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
      }),
  );
}

void test(
  'Postgres: events: who publishes a key that is being freed waits, and what it publishes is not left behind',
  { skip: postgres.skip ?? false },
  async () => {
    const { place, clear } = await postgres.newPlace();
    const store = await postgres.open(place);
    const client = new Client({ connectionString: place });
    await client.connect();
    try {
      const commit = (change: Partial<EventChange>): EventChange => ({
        ...{ node: 'n', nowMs: NOW_MS, publish: [], settle: [] },
        ...change,
      });
      await store.events.commit(commit({ publish: [newWork('a', { key: 'k', leaseFor: ['receipts'] })] }));
      await client.query('SET search_path TO fulcrum; BEGIN');
      const settle = [{ app: 'shop', component: 'receipts', id: 'a', attempt: 1, outcome: DONE }];
      const operation = operations['events.commit'];
      await runSteps(client, operation, commit({ settle }));
      let isThrough = false;
      const publishing = store.events.commit(commit({ publish: [newWork('b', { key: 'k' })] }));
      const through = publishing.then(() => (isThrough = true));
      const waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
      while (!isThrough && (await client.query(waiting)).rows.length === 0);
      await client.query('COMMIT');
      await through;
      const [record] = await store.events.list({ app: 'shop' }, null, 10);
      assert.deepEqual([record!.id, record!.state], ['b', 'ready']);
    } finally {
      await client.end();
      await store.close();
      await clear();
    }
  },
);

/** Events of few keys and none, in and out through several servers, of which each lets some leases lapse. */
async function race(stores: readonly Store[]): Promise<void> {
  let published = 0;
  const done: { id: string; key: string | null; seq: number }[] = [];
  const seqs = new Map<string | null, number>();
  const works = new Map<string, { key: string | null; seq: number }>();
  /** Of which somebody has at least asked that they be done with: before that none behind them of their key may be seen. */
  const asked = new Set<string>();
  const delivered = (id: string): void => {
    const { key, seq } = works.get(id)!;
    if (key === null) return;
    for (let before = seq - 1; before >= 0 && before >= seq - 20; before--)
      assert.ok(
        asked.has(`${key} ${before}`),
        `${id} is the ${seq} of ${key}, and the ${before} is not done`,
      );
  };
  const next = (): NewWork => {
    const key = KEYS[published % KEYS.length]!;
    const id = `e${published++}`;
    const seq = seqs.get(key) ?? 0;
    seqs.set(key, seq + 1);
    works.set(id, { key, seq });
    return newWork(id, { key, leaseFor: published % 2 ? ['receipts'] : [] });
  };
  // One publishes at a time, so that there is an order to be kept; all of them settle, each what it has, meanwhile.
  let turn: Promise<unknown> = Promise.resolve();
  const publishing = async <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const serve = async (store: Store, server: number): Promise<void> => {
    const { events } = store;
    const node = `n${server}`;
    let held: Omit<Settlement, 'outcome'>[] = [];
    for (let round = 0; done.length < EVENTS; round++) {
      const settle = held.map((one, i): Settlement => {
        const at = (round + i + server) % 9;
        const { key, seq } = works.get(one.id)!;
        if (at === 0) return { ...one, outcome: again(NOW_MS) };
        // One that is given up lets those behind it go on.
        if (at === 1 && key === null) return { ...one, outcome: dead() };
        asked.add(`${key} ${seq}`);
        return { ...one, outcome: DONE };
      });
      const settling = async (): Promise<void> => {
        const { settled } = await events.commit({ node, nowMs: NOW_MS, publish: [], settle });
        for (const [i, held] of settled.entries()) {
          const { id, outcome } = settle[i]!;
          if (held && outcome.as === 'done') done.push({ id, ...works.get(id)! });
        }
      };
      const adding = async (): Promise<void> => {
        const publish = published < EVENTS ? Array.from({ length: 4 }, next) : [];
        const kept = (await events.commit({ node, nowMs: NOW_MS, publish, settle: [] })).published;
        held = kept.flatMap(({ id, leased }) =>
          leased.map((component) => ({ app: 'shop', component, id, attempt: 1 })),
        );
        for (const { id } of held) delivered(id);
      };
      // What is settled frees keys while others publish with them.
      await Promise.all([settling(), publishing(adding)]);
      const leased = await leaseOf(store, node, 5);
      for (const { id } of leased) delivered(id);
      held.push(...leased);
      // As if it had ended, and its leases with it.
      if (round % 6 === 5) {
        const others = stores[(server + 1) % stores.length]!;
        await events.beat(node, 0);
        await others.events.reclaim([{ node, aliveUntilMs: 0 }]);
        held = [];
      }
      if (round % 3 === 0) await events.retry({ app: 'shop', state: 'dead' }, NOW_MS, 100);
      assert.ok(round < EVENTS * 20, `${done.length} of ${published} are done, and nothing moves`);
    }
  };
  await Promise.all(stores.map(serve));
  assert.equal(await stores[0]!.events.count({ app: 'shop' }), 0);
  assert.deepEqual(new Set(done.map(({ id }) => id)), new Set(works.keys()));
  assert.equal(done.length, works.size, 'none is done twice');
}

async function leaseOf(store: Store, node: string, limit: number): Promise<Omit<Settlement, 'outcome'>[]> {
  const order = { app: 'shop', component: 'receipts', node, nowMs: NOW_MS, limit };
  const leased = await store.events.lease({ ...order, maxBytes: 1e9, mostLeased: null });
  const keys = leased.flatMap(({ key }) => (key === null ? [] : [key]));
  assert.equal(new Set(keys).size, keys.length, 'of a key one at a time');
  return leased.map(({ app, component, id, attempt }) => ({ app, component, id, attempt }));
}

async function withStores(
  subject: StoreUnderTest,
  work: (stores: readonly Store[]) => Promise<void>,
): Promise<void> {
  const { place, clear } = await subject.newPlace();
  const stores = await Promise.all(Array.from({ length: SERVERS }, () => subject.open(place)));
  try {
    await work(stores);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    await clear();
  }
}
