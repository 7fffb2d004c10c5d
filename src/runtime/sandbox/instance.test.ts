import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { probeMachine } from './probe.ts';
import type { SandboxPlan } from './plan.ts';

const { ffi } = await probeMachine();
const skip = ffi ? false : 'there are no sandboxes on this machine';

async function scene(t: TestContext): Promise<{ folder: string; empty: (maxEntries?: number) => boolean }> {
  const { emptyInstance } = await import('./instance.ts');
  const tmpFolder = mkdtempSync(join(tmpdir(), 'fulcrum-instance-'));
  t.after(() => rmSync(tmpFolder, { recursive: true, force: true }));
  const folder = join(tmpFolder, 'i_1');
  mkdirSync(folder);
  const plan = { tree: { tmpFolder } } as SandboxPlan;
  return { folder, empty: (maxEntries) => emptyInstance(plan, 'i_1', maxEntries) };
}

test('what an instance leaves is removed, whatever it is', { skip }, async (t) => {
  const { folder, empty } = await scene(t);
  const outside = mkdtempSync(join(tmpdir(), 'fulcrum-outside-'));
  t.after(() => rmSync(outside, { recursive: true }));
  writeFileSync(join(outside, 'kept'), '');
  writeFileSync(join(folder, 'file'), 'x');
  mkdirSync(join(folder, 'a', 'b', 'c'), { recursive: true });
  writeFileSync(join(folder, 'a', 'b', 'file'), 'x');
  mkdirSync(join(folder, 'closed', 'inner'), { recursive: true });
  chmodSync(join(folder, 'closed'), 0);
  // Links are removed, not followed.
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync(outside, join(folder, 'a', 'link'));
  symlinkSync('nowhere', join(folder, 'broken'));
  assert.equal(empty(), true);
  assert.equal(existsSync(folder), false);
  assert.deepEqual(readdirSync(outside), ['kept']);
});

test('a tree that is deeper than a path can be', { skip }, async (t) => {
  const { folder, empty } = await scene(t);
  const dig = `
    const { mkdirSync } = require('node:fs');
    const name = 'd'.repeat(200);
    for (let depth = 0; depth < 100; depth++) { mkdirSync(name); process.chdir(name); }`;
  execFileSync(process.execPath, ['-e', dig], { cwd: folder });
  assert.equal(empty(), true);
  assert.equal(existsSync(folder), false);
});

test('a turn is bounded, and the next goes on', { skip }, async (t) => {
  const { folder, empty } = await scene(t);
  for (let index = 0; index < 50; index++) writeFileSync(join(folder, String(index)), '');
  assert.equal(empty(30), false);
  assert.equal(readdirSync(folder).length, 20);
  assert.equal(empty(30), true);
});

test('a folder that is not there is empty', { skip }, async (t) => {
  const { folder, empty } = await scene(t);
  rmSync(folder, { recursive: true });
  assert.equal(empty(), true);
});
