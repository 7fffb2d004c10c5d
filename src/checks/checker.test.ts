import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { moduleSpec, TestApp } from '../build/testing/test-app.ts';
import type { CommandRevision, ModuleRevision } from '../model/revision.ts';
import { Checker } from './checker.ts';

function checker(t: TestContext, timeoutMs?: number): Checker {
  const made = new Checker({ libraries: [], ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  t.after(() => made.close());
  return made;
}

/** A revision whose bundle is this text, with a source map or without. */
function bundled(t: TestContext, code: string, map: string | null, id = 'r1'): ModuleRevision {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-checks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'out', 'index.mjs');
  mkdirSync(join(folder, 'out'));
  writeFileSync(path, code);
  if (map !== null) writeFileSync(`${path}.map`, map);
  const bundle = { path, filesRoot: folder, digest: id, sizeBytes: code.length, sources: [] };
  const spec = moduleSpec('part', join(folder, 'main.ts'));
  return {
    kind: 'module',
    id,
    env: {},
    envDigest: '',
    spec: { ...spec, service: { ...spec.service, concurrency: 100 } },
    bundle,
  };
}

/** A map that leads every line to the same one of `source`. */
function mapTo(source: string, lines: number): string {
  return JSON.stringify({
    version: 3,
    sources: [source],
    names: [],
    mappings: ['AAAA', ...Array.from({ length: lines - 1 }, () => 'AACA')].join(';'),
  });
}

const LEAK = 'let user;\nexport async function login(name) {\nuser = name;\nawait 0;\nreturn user;\n}\n';

void suite('checker', { concurrency: true }, () => {
  void test('finds in a thread what a built component does, with the author’s line', async (t) => {
    const app = new TestApp(t);
    const source =
      'interface A { name: string }\nlet last: A | null = null;\n\nexport async function put(a: A): Promise<A> {\n  last = a; // kept\n  await Promise.resolve();\n  return last;\n}\n';
    app.write({ 'lib/part.ts': source });
    const spec = app.spec('lib/part.ts');
    const bundle = await app.bundle('lib/part.ts');
    const revision: ModuleRevision = {
      kind: 'module',
      id: 'a',
      env: {},
      envDigest: '',
      spec: { ...spec, service: { ...spec.service, concurrency: 2 } },
      bundle,
    };
    const [found, ...others] = await checker(t).check(revision, 'service');
    assert.deepEqual(others, []);
    assert.equal(
      `${found!.severity} ${found!.rule} ${found!.file}:${found!.line}:${found!.column}`,
      'warning shared-variable lib/part.ts:5:3',
    );
    assert.equal(found!.lineText, 'last = a; // kept');
    assert.match(found!.message, /'last'/);
  });

  void test('with one request at a time nothing is shared', async (t) => {
    const revision = bundled(t, LEAK, mapTo('../main.ts', 7));
    const alone = {
      ...revision,
      id: 'alone',
      spec: { ...revision.spec, service: { ...revision.spec.service, concurrency: 1 } },
    };
    const one = checker(t);
    assert.equal((await one.check(revision, 'service')).length, 1);
    assert.deepEqual(await one.check(alone, 'service'), []);
  });

  void test('shows the bundle’s line where the source is not at hand, and none of a file outside the app', async (t) => {
    const gone = bundled(t, LEAK, mapTo('../main.ts', 7));
    assert.equal((await checker(t).check(gone, 'service'))[0]!.lineText, 'user = name;');
    const outside = mkdtempSync(join(tmpdir(), 'fulcrum-secret-'));
    t.after(() => rmSync(outside, { recursive: true, force: true }));
    writeFileSync(join(outside, 'key.js'), 'the secret\nof the machine\nis here\n');
    const curious = bundled(t, LEAK, mapTo(join(outside, 'key.js'), 7));
    const findings = await checker(t).check(curious, 'service');
    assert.equal(findings.length, 1);
    assert.doesNotMatch(JSON.stringify(findings), /secret\\nof|of the machine|is here/);
    const env = bundled(t, LEAK, mapTo('../.env', 7));
    writeFileSync(join(env.bundle.filesRoot, '.env'), 'A=secret1\nB=secret2\nC=secret3\n');
    assert.doesNotMatch(JSON.stringify(await checker(t).check(env, 'service')), /secret/);
  });

  const HOSTILE: Readonly<Record<string, string>> = {
    'nested brackets': `export const a = ${'['.repeat(100_000)}${']'.repeat(100_000)};`,
    'nested parentheses': `export const a = ${'('.repeat(200_000)}1${')'.repeat(200_000)};`,
    'nested functions': `export const a = ${'x=>'.repeat(50_000)}1;`,
    'a long sum': `export const a = 1${'+1'.repeat(300_000)};`,
    'a long chain': `export const a = b${'.c()'.repeat(100_000)};`,
    'no program': 'export const const {{{',
    'only a comment that lies': '// node_modules/a/index.js\nlet a = `\n// main.ts\n',
  };
  for (const [what, code] of Object.entries(HOSTILE)) {
    void test(`code that is ${what} gives a note and harms nothing`, async (t) => {
      for (const to of ['service', 'function'] as const) {
        const findings = await checker(t).check(bundled(t, code, mapTo('../main.ts', 1)), to);
        assert.ok(findings.length <= 1, JSON.stringify(findings));
        for (const finding of findings)
          assert.deepEqual([finding.rule, finding.severity], ['not-checked', 'note']);
      }
    });
  }

  void test('a map that is none, and none at all, give a note', async (t) => {
    for (const map of [
      null,
      '',
      'null',
      '{"version":3}',
      '{"version":3,"sources":[],"mappings":"!!!!"}',
      '[]',
    ]) {
      const [found, ...others] = await checker(t).check(bundled(t, LEAK, map), 'service');
      assert.deepEqual(others, []);
      if (found !== undefined) assert.equal(found.rule, 'not-checked', String(map));
      if (map === null) assert.match(found!.message, /no source map/);
    }
  });

  void test('a bundle that is gone gives a note', async (t) => {
    const revision = bundled(t, LEAK, mapTo('../main.ts', 7));
    rmSync(revision.bundle.filesRoot, { recursive: true });
    const [found] = await checker(t).check(revision, 'service');
    assert.match(found!.message, /could not be read/);
  });

  void test('what takes too long is ended, and the next check goes on', async (t) => {
    const many = Array.from(
      { length: 60_000 },
      (_, i) => `export async function f${i}(x) { s${i} = x; await 0; return s${i}; }\nlet s${i};`,
    ).join('\n');
    const one = checker(t, 1_000);
    const slow = one.check(bundled(t, many, mapTo('../main.ts', 120_000)), 'service');
    assert.match((await slow)[0]!.message, /within 1s/);
    const [found] = await checker(t).check(bundled(t, LEAK, mapTo('../main.ts', 7)), 'service');
    assert.equal(found!.rule, 'shared-variable');
  });

  void test('findings are bounded, and say that there are more', async (t) => {
    const lines = Array.from(
      { length: 200 },
      (_, i) => `let s${i}; export async function f${i}(x) { s${i} = x; await 0; return s${i}; }`,
    );
    const findings = await checker(t).check(
      bundled(t, lines.join('\n'), mapTo('../main.ts', 200)),
      'service',
    );
    assert.equal(findings.length, 50);
    assert.match(findings.at(-1)!.message, /151 more/);
  });

  void test('the same question gives the same answer, and is asked once', async (t) => {
    const revision = bundled(t, LEAK, mapTo('../main.ts', 7));
    const one = checker(t);
    const [first, second] = await Promise.all([
      one.check(revision, 'service'),
      one.check(revision, 'service'),
    ]);
    assert.equal(first, second);
    assert.deepEqual(await checker(t).check(revision, 'service'), first);
  });

  void test('close ends a check that runs', async (t) => {
    const many = Array.from(
      { length: 60_000 },
      (_, i) => `export function f${i}(x) { s${i} = x; }\nlet s${i};`,
    ).join('\n');
    const one = checker(t);
    const running = one.check(bundled(t, many, mapTo('../main.ts', 120_000)), 'service');
    await one.close();
    assert.match((await running)[0]!.message, /shutting down/);
  });

  void test('of a command its packages are told, and that its code is not checked', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fulcrum-checks-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'src'));
    writeFileSync(
      join(folder, 'package.json'),
      '{ "dependencies": { "express": "5", "express-session": "1", "node-cron": "4" } }',
    );
    const { function: asFunction, service, ...rest } = moduleSpec('old', '');
    const revision = {
      kind: 'command',
      id: 'c',
      env: {},
      envDigest: '',
      spec: {
        ...rest,
        kind: 'command',
        cwd: join(folder, 'src'),
        command: 'node a.js',
        healthPath: null,
        function: asFunction,
        service,
      },
    } as unknown as CommandRevision;
    const one = checker(t);
    const [toFunction, ...others] = await one.check(revision, 'function');
    assert.deepEqual(others, []);
    assert.equal(toFunction!.severity, 'note');
    assert.match(toFunction!.message, /express-session .*; node-cron /);
    assert.match((await one.check(revision, 'service'))[0]!.message, /not checked\.$/);
    writeFileSync(join(folder, 'package.json'), '{{{');
    assert.match((await one.check({ ...revision, id: 'd' }, 'function'))[0]!.message, /not checked\.$/);
  });

  void test('twenty megabytes of code end in a note, and the thread that asks goes on meanwhile', async (t) => {
    const line = 'export const a$ = [1, { b: 2, c: (x) => x + 1 }, "d", (y, z) => y.e(z)];\n';
    const count = Math.ceil(20e6 / line.length);
    const code = Array.from({ length: count }, (_, i) => line.replace('$', String(i))).join('');
    const ticks = { count: 0 };
    const timer = setInterval(() => (ticks.count += 1), 5);
    const findings = await checker(t, 4_000).check(bundled(t, code, mapTo('../main.ts', count)), 'service');
    clearInterval(timer);
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['not-checked'],
    );
    assert.ok(ticks.count > 0);
  });
});
