import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { killWriter } from './support/kill-writer.ts';
import type { StoreUnderTest } from './support/store-under-test.ts';
import {
  contentOf,
  digestOf,
  fileOf,
  newApp,
  newRelease,
  NOW_MS,
  putContent,
  readContent,
} from './support/things.ts';

/** What every store must hold after its process was killed. */
export function crashSuite(subject: StoreUnderTest): void {
  void test(
    `${subject.name}: what was acknowledged of deploys outlives a SIGKILL, and no release lacks a file`,
    { skip: subject.skip ?? false },
    async () => {
      const { place, clear } = await subject.newPlace();
      try {
        let done = 0;
        for (let round = 0; round < 3; round++) {
          done = await killWriter('server', place, done + 1, 8);
          const store = await subject.open(place);
          try {
            done = await verify(store, done);
          } finally {
            await store.close();
          }
        }
      } finally {
        await clear();
      }
    },
  );
}

/** Deploys for ever and prints the number of each that was acknowledged. */
export async function writeServerThings(store: Store, from: number): Promise<never> {
  if ((await store.apps.get('shop')) === null) await store.apps.create(newApp());
  for (let n = from; ; n++) {
    const contents = [contentOf(200), contentOf(1_500_000)];
    for (const content of contents) await putContent(store.blobs, content);
    const files = contents.map((content, i) => fileOf(content, `${i}.js`));
    const release = await store.releases.add(newRelease(files));
    assert.equal(release.number, n);
    await store.releases.setState('shop', n, 'healthy', null);
    const app = (await store.apps.get('shop'))!;
    await store.apps.update('shop', app.version, { serving: n });
    await store.audit.append({
      atMs: NOW_MS,
      actor: 'ci',
      action: 'deploy',
      app: 'shop',
      outcome: 'ok',
      details: { release: n },
    });
    process.stdout.write(`${n}\n`);
  }
}

/** @returns the last release that is there. */
async function verify(store: Store, acknowledged: number): Promise<number> {
  const app = (await store.apps.get('shop'))!;
  assert.ok(app.serving! >= acknowledged);
  const releases = await store.releases.list('shop', null, 1_000);
  assert.deepEqual(
    releases.map((release) => release.number),
    Array.from({ length: releases.length }, (_, i) => releases.length - i),
  );
  for (const release of releases) {
    if (release.number <= acknowledged) assert.equal(release.state, 'healthy');
    for (const file of release.manifest.files) {
      if (file.kind !== 'file') continue;
      assert.equal(digestOf((await readContent(store.blobs, file.digest))!), file.digest);
    }
  }
  const audit = await store.audit.list({ app: 'shop', before: null, limit: 1_000 });
  assert.ok(audit.length >= acknowledged);
  assert.deepEqual(
    audit.map((entry) => entry.number),
    Array.from({ length: audit.length }, (_, i) => audit.length - i),
  );
  return releases[0]!.number;
}
