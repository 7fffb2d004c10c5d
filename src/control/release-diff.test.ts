import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseManifest } from './fixtures/fake-host.ts';
import { diffReleases } from './release-diff.ts';

const file = (path: string, digest: string, executable = false) =>
  ({ kind: 'file', path, digest: digest.repeat(64), sizeBytes: 1, executable }) as const;

test('two releases are the same where config and files are', () => {
  const one = releaseManifest();
  assert.deepEqual(diffReleases(one, structuredClone(one)), {
    config: [],
    files: { added: [], removed: [], changed: [] },
    truncated: false,
  });
});

test('values are told by their path, from what to what, and lists as a whole', () => {
  const from = releaseManifest({
    config: {
      components: { a: { memory: '128MB', routes: ['/a'] }, old: { entry: './old.ts' } },
      env: { X: '1' },
    },
  });
  const to = releaseManifest({
    config: { components: { a: { memory: '256MB', routes: ['/a', '/b'] } }, env: { X: { $secret: 'X' } } },
  });
  assert.deepEqual(diffReleases(from, to).config, [
    { path: 'components.a.memory', before: '128MB', after: '256MB' },
    { path: 'components.a.routes', before: ['/a'], after: ['/a', '/b'] },
    { path: 'components.old', before: { entry: './old.ts' } },
    { path: 'env.X', before: '1', after: { $secret: 'X' } },
  ]);
});

test('files are told as added, removed, or changed in content, mode or kind', () => {
  const from = releaseManifest({
    files: [file('same', 'a'), file('content', 'a'), file('mode', 'a'), file('kind', 'a'), file('gone', 'a')],
  });
  const to = releaseManifest({
    files: [
      file('same', 'a'),
      file('content', 'b'),
      file('mode', 'a', true),
      { kind: 'link', path: 'kind', target: 'same' },
      file('new', 'a'),
    ],
  });
  assert.deepEqual(diffReleases(from, to).files, {
    added: ['new'],
    removed: ['gone'],
    changed: ['content', 'kind', 'mode'],
  });
});

test('what is told is bounded, and says so; names of JavaScript’s own are names like others', () => {
  const many = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`k${i}`, i]));
  const diff = diffReleases(releaseManifest({ config: {} }), releaseManifest({ config: many }));
  assert.equal(diff.config.length, 500);
  assert.equal(diff.truncated, true);
  const own = JSON.parse('{ "__proto__": 1, "constructor": 2 }') as object;
  assert.deepEqual(
    diffReleases(releaseManifest({ config: {} }), releaseManifest({ config: own })).config.map(
      ({ path }) => path,
    ),
    ['__proto__', 'constructor'],
  );
  let deep: unknown = 1;
  for (let i = 0; i < 5_000; i++) deep = { deep };
  assert.equal(
    diffReleases(releaseManifest({ config: {} }), releaseManifest({ config: deep })).config.length,
    1,
  );
});
