import assert from 'node:assert/strict';
import { hasCode } from './support/has-code.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { contentOf, fileOf, newApp, newRelease, NOW_MS, putContent } from './support/things.ts';

/** What every store of releases must do. */
export function releasesSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check(
    'releases: they are numbered from 1, and read back as they were',
    async ({ apps, releases, blobs }) => {
      await apps.create(newApp());
      const content = contentOf(1_000);
      await putContent(blobs, content);
      const given = newRelease(
        [fileOf(content), { kind: 'link', path: 'l', target: 'index.js' }, fileOf(content, 'again.js')],
        { note: 'naïve \u{1f6d2}' },
      );
      const added = await releases.add(given);
      assert.deepEqual(added, { ...given, number: 1, state: 'uploaded', failure: null });
      assert.deepEqual(await releases.get('shop', 1), added);
      assert.equal((await releases.add(newRelease())).number, 2);
      assert.equal(await releases.get('shop', 3), null);
      assert.equal(await releases.get('other', 1), null);
    },
  );

  check(
    'releases: numbers have no gap and no double when many are added at once',
    async ({ apps, releases }) => {
      await apps.create(newApp());
      await apps.create(newApp({ id: 'other' }));
      const added = await Promise.all(
        Array.from({ length: 20 }, (_, i) => releases.add(newRelease([], { app: i % 2 ? 'shop' : 'other' }))),
      );
      for (const app of ['shop', 'other']) {
        const numbers = added.filter((one) => one.app === app).map((one) => one.number);
        assert.deepEqual(
          numbers.sort((a, b) => a - b),
          Array.from({ length: 10 }, (_, i) => i + 1),
        );
      }
    },
  );

  check('releases: a number is not given again after its release was removed', async ({ apps, releases }) => {
    await apps.create(newApp());
    await releases.add(newRelease());
    await releases.add(newRelease());
    await releases.remove('shop', 2);
    await releases.remove('shop', 2);
    assert.equal((await releases.add(newRelease())).number, 3);
  });

  check('releases: lists are newest first and go on before a number', async ({ apps, releases }) => {
    await apps.create(newApp());
    for (let i = 0; i < 5; i++) await releases.add(newRelease([], { note: `n${i}` }));
    const numbers = async (before: number | null, limit: number): Promise<number[]> =>
      (await releases.list('shop', before, limit)).map((release) => release.number);
    assert.deepEqual(await numbers(null, 2), [5, 4]);
    assert.deepEqual(await numbers(4, 2), [3, 2]);
    assert.deepEqual(await numbers(1, 2), []);
    assert.deepEqual(await releases.list('other', null, 2), []);
  });

  check('releases: the state is all that changes', async ({ apps, releases }) => {
    await apps.create(newApp());
    const added = await releases.add(newRelease());
    await releases.setState('shop', 1, 'healthy', null);
    assert.deepEqual(await releases.get('shop', 1), { ...added, state: 'healthy' });
    const failure = { code: 'start-failed', message: 'no', component: 'catalog', log: ['a', 'b'] };
    await releases.setState('shop', 1, 'failed', failure);
    assert.deepEqual(await releases.get('shop', 1), { ...added, state: 'failed', failure });
    await assert.rejects(releases.setState('shop', 2, 'healthy', null), hasCode('not-found', /no release 2/));
  });

  check('releases: of no app is not found', async ({ releases }) => {
    await assert.rejects(releases.add(newRelease()), hasCode('not-found', /no app 'shop'/));
  });

  check(
    'releases: one that names a file that is not kept, or of another size, is refused and leaves nothing',
    async (store) => {
      const { apps, releases, blobs } = store;
      await apps.create(newApp());
      const [kept, lost] = [contentOf(10), contentOf(10)];
      await putContent(blobs, kept);
      await assert.rejects(
        releases.add(newRelease([fileOf(kept, 'a.js'), fileOf(lost, 'b.js')])),
        hasCode('blob-invalid', /'b\.js'.*is not in the store/),
      );
      await assert.rejects(
        releases.add(newRelease([{ ...fileOf(kept, 'a.js'), sizeBytes: 11 } as never])),
        hasCode('manifest-invalid', /'a\.js' has 10 bytes in the store, and 11/),
      );
      assert.deepEqual(await releases.list('shop', null, 10), []);
      assert.equal((await releases.add(newRelease([fileOf(kept)]))).number, 1);
    },
  );

  check('releases: twenty thousand files are a release like any other', async ({ apps, releases, blobs }) => {
    await apps.create(newApp());
    const contents = Array.from({ length: 30 }, () => contentOf(50));
    for (const content of contents) await putContent(blobs, content);
    const files = Array.from({ length: 20_000 }, (_, i) => fileOf(contents[i % 30]!, `node_modules/${i}.js`));
    const added = await releases.add(newRelease(files));
    assert.equal((await releases.get('shop', added.number))!.manifest.files.length, 20_000);
    assert.equal(added.createdAtMs, NOW_MS);
  });
}
