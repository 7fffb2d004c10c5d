import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';

const REPORTER = join(import.meta.dirname, '../scripts/failures-reporter.mjs');
const IMPORT = "import { after, describe, test } from 'node:test';\n";

interface Run {
  readonly code: number;
  readonly told: string;
}

/** Runs a file of tests, and another that is well before and behind it. */
async function run(t: TestContext, source: string): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-reporter-'));
  t.after(() => rm(folder, { recursive: true, maxRetries: 5 }));
  const names = ['a.test.mjs', 'b.test.mjs', 'c.test.mjs'];
  for (const name of names) {
    const fine = "describe('well', () => test('fine', () => {}));\n";
    await writeFile(join(folder, name), IMPORT + (name === 'b.test.mjs' ? source : fine));
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--test', '--test-reporter', REPORTER, ...names];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [told, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>]);
  return { code, told };
}

const FAILURES: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a test, with the suites that it is in': [
    "describe('outer', () => describe('inner', () => test('falls', () => { throw new Error('why'); })));",
    /✖ outer › inner › falls\n.*b\.test\.mjs:2 .*\n\s+Error: why/,
  ],
  'a suite that fails before it has a test': [
    "describe('outer', () => { throw new Error('why'); }); test('fine', () => {});",
    /✖ outer\n.*\n\s+Error: why/,
  ],
  'a hook': [
    "describe('outer', () => { after(() => { throw new Error('why'); }); test('fine', () => {}); });",
    /✖ outer\n.*\n\s+Error: why/,
  ],
  'a file that cannot be loaded': ["throw new Error('why');", /✖ b\.test\.mjs\n/],
  'a file that ends badly in the middle': [
    "test('fine', () => {}); test('ends', () => process.exit(1));",
    /✖ b\.test\.mjs\n/,
  ],
  'a file that ends well in the middle': [
    "test('fine', () => {}); test('ends', () => process.exit(0)); test('falls', () => { throw new Error(); });",
    /✖ b\.test\.mjs has no tests, or has ended before it told of any\n/,
  ],
  'what happens behind the end': [
    "test('fine', () => { setTimeout(() => { throw new Error('why'); }, 20); });",
    /Error: why.*\n\n\n✖ b\.test\.mjs\n/,
  ],
};

for (const [what, [source, expected]] of Object.entries(FAILURES)) {
  test(`is told, counted, and the run's end: ${what}`, async (t) => {
    const { code, told } = await run(t, source);
    assert.match(told, expected);
    assert.match(told, /\d passed, 1 failed, 0 skipped\n$/);
    assert.equal(code, 1);
  });
}

test('what goes well, is skipped, or is still to be done is no failure', async (t) => {
  const source = `test('fine', () => {}); test.skip('later'); test('to do', { todo: true }, () => { throw new Error(); });`;
  const { code, told } = await run(t, source);
  assert.match(told, /skipped: later: no reason given\n3 passed, 0 failed, 1 skipped\n$/);
  assert.equal(code, 0);
});
