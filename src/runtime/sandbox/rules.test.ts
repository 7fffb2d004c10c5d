import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SandboxPlan } from './plan.ts';
import { rulesOf } from './rules.ts';

for (const mountPoint of [null, '/run/root']) {
  test(`${mountPoint === null ? 'without' : 'with'} a tree of its own, what is hidden is left out of the rules, and its name stays`, (t) => {
    const app = mkdtempSync(join(tmpdir(), 'fulcrum-rules-'));
    t.after(() => rmSync(app, { recursive: true }));
    for (const name of [
      '.env',
      'a.ts',
      'lib/b.ts',
      'lib/secret',
      '.fulcrum/db',
      '.fulcrum/build/a/index.mjs',
    ]) {
      mkdirSync(join(app, name, '..'), { recursive: true });
      writeFileSync(join(app, name), '');
    }
    symlinkSync('.env', join(app, 'alias'));
    const bundle = join(app, '.fulcrum', 'build', 'a');
    const plan = {
      mountPoint,
      tree: {
        readable: [app],
        writable: [],
        hidden: ['.env', '.fulcrum', 'lib/secret'].map((name) => join(app, name)),
        uncovered: [bundle],
        tmpFolder: '/run/tmp',
      },
    } as unknown as SandboxPlan;
    const rules = rulesOf(plan);
    assert.ok(!rules.some(({ path, access }) => path === '/' && access === 'read'));
    const own = rules.filter(({ path }) => path.startsWith(app));
    assert.deepEqual(own.map(({ path, access }) => `${access} ${path.slice(app.length)}`).sort(), [
      'list ',
      'list /lib',
      'read /.fulcrum/build/a',
      'read /a.ts',
      'read /lib/b.ts',
    ]);
  });
}
