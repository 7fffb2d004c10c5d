import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { appRecord, release } from '../../control/fixtures/fake-host.ts';
import type { ReleaseSummary } from '../../control/schemas.ts';
import { diffLines } from './diff.ts';
import { releaseLines } from './releases.ts';
import { diffReleases } from '../../control/release-diff.ts';
import type { ReleaseManifest } from '../../model/release.ts';

const NOW = Date.UTC(2026, 0, 2, 13, 0, 0);

function summary(part: Partial<ReleaseSummary>): ReleaseSummary {
  const { manifest: _, ...rest } = release(part);
  return rest;
}

void suite('releases', () => {
  void test('lists them, with what serves, a canary and why one failed', () => {
    const app = appRecord({
      serving: 2,
      canary: { release: 3, steps: [1, 10], step: 1, everyMs: 1, maxErrors: 0, stepBeganAtMs: 0 },
    });
    const failure = { code: 'start-failed', message: 'it threw', component: 'catalog', log: [] };
    const back = {
      code: 'deploy-failed',
      message: 'The canary went back at 30 %: 12 of 40 requests failed (30 %), where 1 % may.',
      component: null,
      log: [],
    };
    const lines = releaseLines(
      app,
      [
        summary({ number: 5, state: 'failed', failure: back }),
        summary({ number: 4, state: 'failed', failure }),
        summary({ number: 3, note: 'Faster' }),
        summary({ number: 2, createdBy: 'anna (t_1)' }),
        summary({ number: 1 }),
      ],
      NOW,
      80,
    );
    assert.deepEqual(lines, [
      'RELEASE  STATE       AGE  BY               NOTE',
      '      5  failed      60m  ci (t_abcdefgh)  went back at 30 %: 12 of 40 requests…',
      '      4  failed       60m  ci (t_abcdefgh)  catalog: it threw'.replace('  60m', ' 60m'),
      '      3  canary 10%  60m  ci (t_abcdefgh)  Faster',
      '      2  serves      60m  anna (t_1)       ',
      '      1  healthy     60m  ci (t_abcdefgh)  ',
    ]);
    assert.deepEqual(releaseLines(app, [], NOW, 80), ['shop has no releases yet.']);
  });
});

void suite('diff', () => {
  void test('shows settings by component, names of variables only, code, and files with counts', () => {
    const lines = diffLines(
      'shop',
      {
        from: 1,
        to: 2,
        config: [
          { path: 'trustedProxies', after: ['10.0.0.0/8'] },
          { path: 'components.catalog.memory', before: '128MB', after: '256MB' },
          { path: 'components.catalog.env.API_KEY', before: 'sk_live_1', after: { $secret: 'API_KEY' } },
          { path: 'components.catalog.env.URL', after: 'postgres://u:p@db' },
          { path: 'components.catalog.routes', before: ['/a'], after: ['/a', '/b'] },
          { path: 'components.fresh', after: { entry: './fresh.ts', env: { TOKEN: 'sk_live_2' } } },
          { path: 'components.gone', before: { entry: './gone.ts' } },
        ],
        files: {
          added: ['fresh.ts', '.fulcrum/bundles/fresh-0123456789ab/index.mjs'],
          removed: ['.fulcrum/bundles/catalog-0123456789ab/index.mjs'],
          changed: ['catalog.ts', 'odd\u001B[2J'],
        },
        truncated: false,
      },
      80,
    );
    assert.deepEqual(lines, [
      'shop: what changes from release 1 to release 2',
      '',
      'the app',
      '  + trustedProxies: ["10.0.0.0/8"]',
      '',
      'catalog',
      '  ~ memory: "128MB" → "256MB"',
      '  ~ env.API_KEY',
      '  + env.URL',
      '  ~ routes: ["/a"] → ["/a","/b"]',
      '',
      'fresh',
      '  + the component: {"entry":"./fresh.ts","env":["TOKEN"]}',
      '',
      'gone',
      '  - the component: {"entry":"./gone.ts"}',
      '',
      'code',
      '  ~ catalog, fresh',
      '',
      'files: 1 added, 2 changed',
      '  ~ catalog.ts',
      '  ~ odd',
      '  + fresh.ts',
    ]);
  });

  void test('shows which components were put together and taken apart', () => {
    const manifest = (groups?: object): ReleaseManifest =>
      ({ config: { name: 'shop', ...(groups && { groups }) }, files: [] }) as unknown as ReleaseManifest;
    const told = (before?: object, after?: object): string[] =>
      diffLines('shop', { from: 1, to: 2, ...diffReleases(manifest(before), manifest(after)) }, 80).slice(2);
    const title = 'groups: components in one process';
    const core = { core: ['checkout', 'inventory'] };
    assert.deepEqual(told(undefined, core), [title, '  + core: checkout, inventory']);
    assert.deepEqual(told(core, undefined), [title, '  - core: checkout, inventory']);
    assert.deepEqual(told({ ...core, gone: ['a', 'b'] }, { core: ['checkout', 'cart', 'pricing'] }), [
      title,
      '  ~ core: checkout, inventory → checkout, cart, pricing',
      '  - gone: a, b',
    ]);
  });

  void test('no line is wider than the terminal, and a long list is cut', () => {
    const files = Array.from({ length: 50 }, (_, i) => `${'x'.repeat(100)}${i}`);
    const lines = diffLines(
      'shop',
      {
        from: 1,
        to: 2,
        config: [{ path: 'a', after: 'y'.repeat(200) }],
        files: { added: files, removed: [], changed: [] },
        truncated: true,
      },
      80,
    );
    assert.ok(lines.every((line) => line.length <= 80));
    assert.ok(lines.includes('  … and 30 more (--json has them)'));
    assert.match(lines.at(-1)!, /more changes than the server tells/);
  });

  void test('says so where nothing is different', () => {
    const same = {
      from: 1,
      to: 2,
      config: [],
      files: { added: [], removed: [], changed: [] },
      truncated: false,
    };
    assert.deepEqual(diffLines('shop', { ...same, serving: 1 }, 80), [
      'shop: what changes from release 1, which serves, to release 2',
      '',
      'Nothing is different.',
    ]);
  });
});
