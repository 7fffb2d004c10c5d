import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { migrations } from '../../../src/store/migrations/index.ts';
import type { StoreUnderTest } from './support/store-under-test.ts';

/** What migrating must be on every store. @param makeOld gives a place the schema before there were apps, and one row in each table. */
export function migrationSuite(subject: StoreUnderTest, makeOld: (place: string) => Promise<void>): void {
  const skip = subject.skip ?? false;

  void test(
    `${subject.name}: usage from before there were apps is kept, and given to the one that asks`,
    { skip },
    async () => {
      const { place, clear } = await subject.newPlace();
      await makeOld(place);
      const store = await subject.open(place);
      const query = { component: null, fromMs: 0, toMs: 1e9, limit: 10, after: null };
      const counts = async (app: string): Promise<number[]> => [
        (await store.usage.minutes({ ...query, app })).items.length,
        (await store.usage.arrivals({ ...query, app })).items.length,
        (await store.usage.rows({ ...query, app })).items.length,
      ];
      assert.deepEqual(await counts(''), [1, 1, 1]);
      await store.adoptUsage('shop');
      assert.deepEqual(await counts(''), [0, 0, 0]);
      assert.deepEqual(await counts('shop'), [1, 1, 1]);
      const [minute] = (await store.usage.minutes({ ...query, app: 'shop' })).items;
      assert.deepEqual(
        [minute!.count, minute!.billedByteMs, Buffer.from(minute!.latency).toString()],
        [3, 5e20, 'ab'],
      );
      // What was not counted then is what it was billed, or is not known.
      const { wholeMs, wholeByteMs, hundredsMs, internal, bytesIn, bytesOut } = minute!;
      assert.deepEqual([wholeMs, wholeByteMs, hundredsMs], [4, 5e20, null]);
      assert.deepEqual([internal, bytesIn, bytesOut], [0, 0, 0]);
      await store.close();
      await clear();
    },
  );

  void test(
    `${subject.name}: of processes that open an empty store at once all can, and it is migrated once`,
    { skip },
    async () => {
      const { place, clear } = await subject.newPlace();
      const script = new URL('./support/opener-main.ts', import.meta.url).pathname;
      const openers = Array.from({ length: 4 }, () =>
        spawn(process.execPath, ['--conditions=fulcrum-source', script, place], {
          stdio: ['pipe', 'pipe', 'inherit'],
        }),
      );
      // All are loaded and wait for the word, so that they meet.
      await Promise.all(openers.map((opener) => once(opener.stdout, 'data')));
      const answers = openers.map(async (opener) => {
        const [answer] = (await once(opener.stdout, 'data')) as [Buffer];
        return JSON.parse(answer.toString()) as { migrated: number; error: string | null };
      });
      const exits = openers.map((opener) => once(opener, 'exit'));
      for (const opener of openers) opener.stdin.end('go\n');
      const all = await Promise.all(answers);
      await Promise.all(exits);
      assert.deepEqual(
        all.map((one) => one.error),
        [null, null, null, null],
      );
      assert.equal(
        all.reduce((sum, one) => sum + one.migrated, 0),
        migrations.length,
      );
      await clear();
    },
  );
}
