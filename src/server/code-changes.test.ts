import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandSpec } from '../model/app.ts';
import type { Release } from '../model/release.ts';
import { revision } from '../scaling/testing/scene.ts';
import { CodeChanges } from './code-changes.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;

interface Deploy {
  readonly daysAgo: number;
  /** Digests of bundles, by component. */
  readonly bundles?: Readonly<Record<string, string>>;
  /** Digests of files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly state?: Release['state'];
}

/** Releases, the oldest first. */
function changes(deploys: readonly Deploy[]) {
  const all = deploys.map(({ daysAgo, bundles = {}, files = {}, state = 'healthy' }, index): Release => {
    const digests = Object.entries(bundles).map(([name, digest]) => [
      name,
      { path: '', digest, sizeBytes: 1 },
    ]);
    const entries = Object.entries(files).map(([path, digest]) => ({ kind: 'file', path, digest }));
    return {
      number: index + 1,
      state,
      createdAtMs: NOW - daysAgo * DAY,
      manifest: { bundles: Object.fromEntries(digests), files: entries },
    } as unknown as Release;
  });
  const asked: (number | null)[] = [];
  const list = async (_app: string, before: number | null, limit: number): Promise<readonly Release[]> => {
    asked.push(before);
    return all
      .toReversed()
      .filter(({ number }) => before === null || number < before)
      .slice(0, limit);
  };
  return { book: new CodeChanges('shop', { list }), asked };
}

const cart = revision('cart').spec;
const mail = revision('mail').spec;
const program = (cwd: string): CommandSpec => ({ kind: 'command', name: 'legacy', cwd }) as CommandSpec;

describe('changes of code', () => {
  it('are releases with another bundle, within four weeks', async () => {
    const { book } = changes([
      { daysAgo: 40, bundles: { cart: 'a', mail: 'a' } },
      { daysAgo: 30, bundles: { cart: 'b', mail: 'a' } },
      { daysAgo: 20, bundles: { cart: 'c', mail: 'a' } },
      { daysAgo: 10, bundles: { cart: 'c', mail: 'b' } },
      { daysAgo: 9, bundles: { cart: 'x', mail: 'b' }, state: 'failed' },
      { daysAgo: 8, bundles: { cart: 'c', mail: 'c' } },
    ]);
    await book.refresh(NOW);
    assert.deepEqual(book.of([cart], '/app', NOW), { count: 1, days: 28 });
    assert.deepEqual(book.of([mail], '/app', NOW), { count: 2, days: 28 });
    assert.deepEqual(book.of([cart, mail], '/app', NOW), { count: 3, days: 28 });
  });

  it('are of no more days than the releases that are kept', async () => {
    const { book } = changes([
      { daysAgo: 2, bundles: { cart: 'a' } },
      { daysAgo: 1, bundles: { cart: 'b' } },
    ]);
    await book.refresh(NOW);
    assert.deepEqual(book.of([cart], '/app', NOW), { count: 1, days: 2 });
  });

  it('are none where there are no releases', async () => {
    const { book } = changes([]);
    await book.refresh(NOW);
    assert.deepEqual(book.of([cart], '/app', NOW), { count: 0, days: 0 });
  });

  it('of a program are other files in its folder', async () => {
    const { book } = changes([
      { daysAgo: 3, files: { 'legacy/a.js': 'a', 'other.js': 'a', '.fulcrum/bundles/m/1': 'a' } },
      { daysAgo: 2, files: { 'legacy/a.js': 'a', 'other.js': 'b', '.fulcrum/bundles/m/1': 'b' } },
      { daysAgo: 1, files: { 'legacy/a.js': 'b', 'other.js': 'b', '.fulcrum/bundles/m/1': 'b' } },
      { daysAgo: 0, files: { 'legacy/a.js': 'b', 'other.js': 'b', '.fulcrum/bundles/m/1': 'c' } },
    ]);
    await book.refresh(NOW);
    assert.equal(book.of([program('/app/legacy')], '/app', NOW).count, 1);
    assert.equal(book.of([program('/app')], '/app', NOW).count, 2);
  });

  it('are looked for by pages, and no further back than they count', async () => {
    const deploys = Array.from({ length: 25 }, (_, i) => ({
      daysAgo: 50 - 2 * i,
      bundles: { cart: String(i) },
    }));
    const { book, asked } = changes(deploys);
    await book.refresh(NOW);
    assert.deepEqual(asked, [null, 16]);
    assert.deepEqual(book.of([cart], '/app', NOW), { count: 14, days: 28 });
  });
});
