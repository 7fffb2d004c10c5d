import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import { createOutbox, type SqlClient, type SqliteDatabase } from '../../../src/outbox/index.ts';
import type { EventPublisher, PublishOptions } from '../../../src/sdk/handler-types.ts';

const MB = 1024 ** 2;

/** A database of a component's own, and a way to have a transaction on it. */
export interface OutboxUnderTest {
  readonly name: 'postgres' | 'sqlite';
  /** With one table, `orders (id text)`. */
  open(): Promise<OutboxPlace>;
}

export interface OutboxPlace {
  run(sql: string): Promise<readonly unknown[]>;
  /** Begins, lets `work` put events in, and commits unless that throws. */
  transaction(work: (connection: SqlClient & SqliteDatabase) => Promise<void>): Promise<void>;
  /** What relays are given. Another one each time. */
  relayed(): SqlClient | SqliteDatabase;
  close(): Promise<void>;
}

interface Seen {
  readonly type: string;
  readonly data: unknown;
  readonly options: PublishOptions;
}

/** Keeps what is published; fails as it is told to. */
function recorder(fails: (event: Seen) => unknown = () => null): {
  seen: Seen[];
  publish: EventPublisher['publish'];
} {
  const seen: Seen[] = [];
  return {
    seen,
    publish: async (type, data, options = {}) => {
      await new Promise((resolve) => setImmediate(resolve));
      const event = { type, data, options };
      const error = fails(event);
      if (error !== null) throw error;
      seen.push(event);
      return { id: 'e_1', duplicate: false };
    },
  };
}

export function outboxConformance(under: OutboxUnderTest): void {
  describe(`outbox on ${under.name}`, () => {
    const outbox = createOutbox({ table: 'my_outbox' });

    async function place(t: { after(work: () => Promise<void>): void }): Promise<OutboxPlace> {
      const opened = await under.open();
      t.after(() => opened.close());
      await opened.run(outbox.schema(under.name));
      await opened.run(outbox.schema(under.name));
      return opened;
    }

    function put(at: OutboxPlace, ...events: Parameters<EventPublisher['publish']>[]): Promise<void> {
      return at.transaction(async (connection) => {
        for (const event of events) await outbox.enqueue(connection, ...event);
      });
    }

    test('what commits is published, what is rolled back is not, and each with all that was said of it', async (t) => {
      const at = await place(t);
      const { seen, publish } = recorder();
      const relay = async (): Promise<number> => (await outbox.relay(at.relayed(), { publish })).published;
      assert.equal(await relay(), 0);
      const rolledBack = at.transaction(async (connection) => {
        await outbox.enqueue(connection, 'order.paid', { order: 'never' });
        throw new Error('no money');
      });
      await assert.rejects(rolledBack, /no money/);
      await put(
        at,
        ['order.paid', { order: 'o-1', ü: [1, null] }],
        [
          'picture',
          new Uint8Array([0, 255, 7]),
          { contentType: 'image/png', key: 'k', subject: 's', dedupe: 'd' },
        ],
        ['later', null, { delay: '1h' }],
        ['odd', Buffer.from('{'), { contentType: 'application/json' }],
      );
      assert.equal(await relay(), 4);
      assert.equal(await relay(), 0);
      const [paid, picture, later, odd] = seen;
      assert.deepEqual([paid!.type, paid!.data], ['order.paid', { order: 'o-1', ü: [1, null] }]);
      assert.deepEqual(Object.keys(paid!.options), ['dedupe']);
      assert.match(paid!.options.dedupe!, /^outbox:.{20}/);
      assert.deepEqual([...(picture!.data as Uint8Array)], [0, 255, 7]);
      assert.deepEqual(picture!.options, { dedupe: 'd', key: 'k', subject: 's', contentType: 'image/png' });
      const { delay } = later!.options;
      assert.ok(typeof delay === 'number' && delay > 3_500_000 && delay <= 3_600_000, String(delay));
      assert.deepEqual(
        [Buffer.from(odd!.data as Uint8Array).toString(), odd!.options.contentType],
        ['{', 'application/json'],
      );
    });

    test('cut off between publishing and removing, the same is published again by the same dedupe key', async (t) => {
      const at = await place(t);
      await put(at, ['a', 1], ['b', 2]);
      const first = recorder();
      const database = at.relayed();
      const isRemoval = (text: string): boolean => text.startsWith('DELETE FROM my_outbox WHERE id');
      const cut = new Proxy(database, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function' || (name !== 'query' && name !== 'prepare')) return member;
          return (text: string, ...rest: unknown[]) => {
            if (isRemoval(text)) throw new Error('killed');
            return (member as (...all: unknown[]) => unknown).call(target, text, ...rest);
          };
        },
      });
      await assert.rejects(outbox.relay(cut, { publish: first.publish }), /killed/);
      const second = recorder();
      assert.equal((await outbox.relay(at.relayed(), { publish: second.publish })).published, 2);
      assert.deepEqual(second.seen, first.seen);
    });

    test('the order of a key holds, whatever the batches, also behind one that is refused', async (t) => {
      const at = await place(t);
      const keys = ['a', 'b', 'c', 'bad'];
      for (let from = 0; from < 120; from += 40)
        await put(
          at,
          ...Array.from(
            { length: 40 },
            (_, i) => ['n', from + i, { key: keys[(from + i) % 4]! }] as [string, number, PublishOptions],
          ),
        );
      const { seen, publish } = recorder(({ options }) =>
        options.key === 'bad' ? new FulcrumError('event-unmatched', 'Nobody takes n.') : null,
      );
      // Later ones would be quicker.
      const unevenly: EventPublisher['publish'] = async (type, data, options) => {
        for (let i = data as number; i < 120; i += 10) await new Promise((resolve) => setImmediate(resolve));
        return await publish(type, data, options);
      };
      const relayed = await outbox.relay(at.relayed(), { publish: unevenly, batch: 7 });
      assert.deepEqual(relayed, { published: 90, refused: 1 });
      for (const key of ['a', 'b', 'c']) {
        const got = seen.filter(({ options }) => options.key === key).map(({ data }) => data as number);
        assert.deepEqual(
          got,
          [...got].toSorted((x, y) => x - y),
        );
        assert.equal(got.length, 30);
      }
      const [row] = (await at.run('SELECT attempts, last_error FROM my_outbox WHERE retry_ms > 0')) as [
        object,
      ];
      assert.deepEqual({ ...row }, { attempts: 1, last_error: 'Nobody takes n.' });
      // Its time comes.
      await at.run('UPDATE my_outbox SET retry_ms = 1 WHERE retry_ms > 0');
      const healed = recorder();
      assert.equal((await outbox.relay(at.relayed(), { publish: healed.publish, batch: 7 })).published, 30);
      const got = healed.seen.map(({ data }) => data as number);
      assert.deepEqual(
        got,
        got.toSorted((x, y) => x - y),
      );
    });

    test('where nothing can be published all stays, and that is told', async (t) => {
      const at = await place(t);
      await put(at, ['a', 1, { key: 'k' }], ['b', 2, { key: 'k' }], ['c', 3]);
      const failing = recorder(({ type }) =>
        type === 'b' ? new FulcrumError('store-failed', 'The disk is full.') : null,
      );
      await assert.rejects(outbox.relay(at.relayed(), { publish: failing.publish }), {
        code: 'store-failed',
      });
      const { seen, publish } = recorder();
      await outbox.relay(at.relayed(), { publish });
      assert.deepEqual([...failing.seen, ...seen].map(({ type }) => type).toSorted(), ['a', 'b', 'c']);
    });

    test('of two relays at once one works, and the other goes on where the first was killed', async (t) => {
      const at = await place(t);
      await put(at, ...Array.from({ length: 50 }, (_, i) => ['n', i] as [string, number]));
      const both = recorder();
      const options = { publish: both.publish, batch: 10 };
      await Promise.all([1, 2, 3].map(() => outbox.relay(at.relayed(), options)));
      await outbox.relay(at.relayed(), options);
      assert.equal(both.seen.length, 50);
      assert.equal(new Set(both.seen.map(({ options: { dedupe } }) => dedupe)).size, 50);

      await put(at, ['m', 1]);
      await at.run("INSERT INTO my_outbox_relay (one, holder, until_ms) VALUES (1, 'killed', 9999999999999)");
      assert.equal((await outbox.relay(at.relayed(), options)).published, 0);
      await at.run('UPDATE my_outbox_relay SET until_ms = 1');
      assert.equal((await outbox.relay(at.relayed(), options)).published, 1);
      assert.deepEqual(await at.run('SELECT * FROM my_outbox_relay'), []);
    });

    test('it looks again until it is told to end, and goes on after what went wrong', async (t) => {
      const at = await place(t);
      await put(at, ['a', 1]);
      const abort = new AbortController();
      const errors: unknown[] = [];
      let fails = 1;
      const { seen, publish } = recorder(() => (fails-- > 0 ? new Error('not now') : null));
      const arrived = Promise.withResolvers<void>();
      const running = outbox.relay(at.relayed(), {
        publish: async (...event) => {
          const published = await publish(...event);
          if (seen.length === 3) arrived.resolve();
          return published;
        },
        every: 1,
        signal: abort.signal,
        onError: (error) => void errors.push(error),
      });
      await put(at, ['b', 2], ['c', 3]);
      await arrived.promise;
      abort.abort();
      assert.deepEqual(await running, { published: 3, refused: 0 });
      assert.equal(errors.length, 1);
    });

    test('a call publishes so many at most, and reads so many bytes at a time', async (t) => {
      const at = await place(t);
      await put(
        at,
        ...Array.from({ length: 20 }, (_, i) => ['large', `${i}`.padEnd(MB - 2)] as [string, string]),
      );
      let [now, most] = [0, 0];
      const { publish } = recorder();
      const counted: EventPublisher['publish'] = async (...event) => {
        most = Math.max(most, ++now);
        const published = await publish(...event);
        now--;
        return published;
      };
      assert.equal((await outbox.relay(at.relayed(), { publish: counted, limit: 12 })).published, 12);
      assert.equal((await outbox.relay(at.relayed(), { publish: counted })).published, 8);
      assert.equal(most, 8);
    });
  });
}
