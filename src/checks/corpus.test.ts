import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suite, test } from 'node:test';

import { TestApp } from '../build/testing/test-app.ts';
import type { Mode } from '../model/app.ts';
import { bundleModules } from './bundle-files.ts';
import { checkSwitch } from './check-switch.ts';

const CORPUS = join(import.meta.dirname, 'fixtures', 'corpus');

/**
 * Each module says in its first three lines what it is, and what is to be found in it on the way to a service and to a
 * function: `warning RULE LINE, note RULE FILE:LINE`, or `nothing`.
 */
function expected(text: string, main: string, to: Mode): string[] {
  const said = new RegExp(`^// ${to}: (.*)$`, 'm').exec(text)![1]!;
  if (said === 'nothing') return [];
  return said.split(', ').map((one) => {
    const [severity, rule, place] = one.split(' ');
    return `${severity} ${rule} ${place!.includes(':') ? place : `${main}:${place}`}`;
  });
}

void suite('corpus', () => {
  const names = readdirSync(CORPUS).sort();

  void test('is large, and half of it is harmless', () => {
    const harmless = names.filter((name) => name.startsWith('harmless-'));
    assert.ok(names.length >= 60, `${names.length} modules`);
    assert.ok(harmless.length * 2 >= names.length, `${harmless.length} are harmless`);
    for (const name of harmless) {
      const path = statSync(join(CORPUS, name)).isDirectory()
        ? join(CORPUS, name, 'main.ts')
        : join(CORPUS, name);
      assert.doesNotMatch(readFileSync(path, 'utf8').split('\n\n')[0]!, /: warning/, name);
    }
  });

  for (const name of names) {
    void test(name, async (t) => {
      const app = new TestApp(t);
      for (const dependency of ['hono', 'express', 'ws']) app.install(dependency);
      const isFolder = statSync(join(CORPUS, name)).isDirectory();
      const main = isFolder
        ? readdirSync(join(CORPUS, name)).find((file) => file.startsWith('main.'))!
        : name;
      cpSync(join(CORPUS, name), isFolder ? app.directory : app.path(name), { recursive: true });
      // What the module imports, where it is no package of ours.
      if (existsSync(app.path('packages'))) renameSync(app.path('packages'), app.path('node_modules/own'));
      for (const own of existsSync(app.path('node_modules/own'))
        ? readdirSync(app.path('node_modules/own'))
        : []) {
        renameSync(app.path(`node_modules/own/${own}`), app.path(`node_modules/${own}`));
      }
      const bundle = await app.bundle(main);
      const question = {
        modules: bundleModules(bundle.path),
        entry: basename(bundle.path),
        places: {
          directory: dirname(bundle.path),
          appDirectory: app.directory,
          libraries: [dirname(TestApp.sdkPath), join(dirname(dirname(TestApp.sdkPath)), 'outbox')],
        },
        concurrency: 100,
        hasStorage: false,
      };
      const text = readFileSync(app.path(main), 'utf8');
      const lines = (path: string, line: number): string => readFileSync(path, 'utf8').split('\n')[line - 1]!;
      for (const to of ['service', 'function'] as const) {
        const findings = checkSwitch({ ...question, to }, lines);
        const found = findings.map((one) => `${one.severity} ${one.rule} ${one.file}:${one.line}`);
        assert.deepEqual(found.sort(), expected(text, main, to).sort(), `to ${to}`);
        for (const one of findings) assert.equal(one.lineText, lines(app.path(one.file!), one.line).trim());
      }
    });
  }
});
