import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { DONE, newWork } from './support/event-things.ts';
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

/** What every store must hold of events after its process was killed. */
export function eventsCrashSuite(subject: StoreUnderTest): void {
  void test(
    `${subject.name}: of events nothing that was acknowledged is lost or comes back after a SIGKILL`,
    { skip: subject.skip ?? false },
    async () => {
      const { place, clear } = await subject.newPlace();
      try {
        let done = 0;
        for (let round = 0; round < 3; round++) {
          const acknowledged = await killWriter('events', place, done + 1, 15);
          const store = await subject.open(place);
          try {
            done = await verifyEvents(store, acknowledged);
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

/** So many of the latest rounds are kept; those before are done with. */
const ROUNDS_KEPT = 3;
const PER_ROUND = 20;

/** For ever publishes a round of events and is done with an earlier one, in one commit; prints the number of each that was acknowledged. */
export async function writeEvents(store: Store, from: number): Promise<never> {
  const node = 'writer';
  for (let n = from; ; n++) {
    const ids = (round: number): string[] => Array.from({ length: PER_ROUND }, (_, i) => `r${round}-${i}`);
    const { settled } = await store.events.commit({
      ...{ node, nowMs: NOW_MS },
      publish: ids(n).map((id) => newWork(id, { leaseFor: ['receipts'], data: contentOf(2_000).bytes })),
      settle:
        n > ROUNDS_KEPT
          ? ids(n - ROUNDS_KEPT).map((id) => ({
              ...{ app: 'shop', component: 'receipts', id, attempt: 1 },
              outcome: DONE,
            }))
          : [],
    });
    assert.ok(settled.every(Boolean), 'a lease of this node holds');
    process.stdout.write(`${n}\n`);
  }
}

/** @returns the last round that is there. */
async function verifyEvents(store: Store, acknowledged: number): Promise<number> {
  const records = await store.events.list({ app: 'shop' }, null, 1_000);
  const rounds = new Map<number, number>();
  for (const { id } of records) {
    const round = Number(/^r(\d+)-/.exec(id)![1]);
    rounds.set(round, (rounds.get(round) ?? 0) + 1);
  }
  const last = Math.max(...rounds.keys());
  assert.ok(last >= acknowledged, `${last} is there, ${acknowledged} was acknowledged`);
  assert.deepEqual(
    [...rounds].sort(([a], [b]) => a - b),
    Array.from({ length: Math.min(ROUNDS_KEPT, last) }, (_, i) => [
      Math.max(1, last - ROUNDS_KEPT + 1) + i,
      PER_ROUND,
    ]),
    'each of the latest rounds is there whole, and none before',
  );
  return last;
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
