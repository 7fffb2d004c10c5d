// Every check of the project, in the order in which a mistake is cheapest to learn of.
//   npm test            all of them, in minutes
//   npm run test:full   with the long counts and soaks
//   npm test -- lint    only the checks named
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './bundled-node.mjs';

/** @type {string[]} */
const words = process.argv.slice(2);
const full = words.includes('--full');
const wanted = words.filter((word) => !word.startsWith('--'));

const bin = (name) => join(root, 'node_modules', '.bin', name);
const tests = (...globs) => [
  process.execPath,
  '--conditions=fulcrum-source',
  '--disable-warning=ExperimentalWarning',
  '--test',
  '--test-concurrency=2',
  `--test-timeout=${full ? 1_800_000 : 180_000}`,
  '--test-reporter=./scripts/failures-reporter.mjs',
  '--test-reporter-destination=stdout',
  ...globs,
];

/** @type {[string, string[]][]} */
const CHECKS = [
  ['types', [bin('tsc'), '-p', '.']],
  ['lint', [bin('oxlint'), '--type-aware', '--deny-warnings']],
  ['format', [bin('oxfmt'), '--check', '.']],
  ['unused', [bin('knip'), '--no-progress']],
  // One file at a time: bounds of processes count by user, and each has the same user exhaust them.
  ['escape', tests('--test-concurrency=1', 'test/escape/**/*.test.ts')],
  ['unit', tests('src/**/*.test.ts', 'examples/**/*.test.ts')],
  ['conformance', tests('test/conformance/**/*.test.ts', 'test/*.test.ts')],
  ['e2e', tests('test/e2e/**/*.test.ts')],
  ['faults', tests('test/faults/**/*.test.ts')],
  [
    'bench',
    [
      process.execPath,
      '--conditions=fulcrum-source',
      '--disable-warning=ExperimentalWarning',
      'bench/main.ts',
      'all',
      '--quick',
    ],
  ],
];

const unknown = wanted.filter((name) => !CHECKS.some(([known]) => known === name));
if (unknown.length > 0) {
  console.error(
    `No check is called ${unknown.join(', ')}. There are: ${CHECKS.map(([name]) => name).join(', ')}.`,
  );
  process.exit(2);
}

// Hundreds of test files are a process each that loads the same modules: a quarter of what a small one costs.
const compileCache = join(root, 'node_modules', '.cache', 'fulcrum-tests');

/** @type {string[]} */
const failed = [];
const chosen = CHECKS.filter(([name]) => wanted.length === 0 || wanted.includes(name));
for (const [name, [file, ...args]] of chosen) {
  console.log(`\n── ${name}`);
  const begun = Date.now();
  const done = spawnSync(file, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...(full ? { FULCRUM_FULL: '1' } : {}) },
  });
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  if (done.status !== 0) failed.push(name);
  console.log(`── ${name}: ${done.status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
}

if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
console.log(`\nchecks: ${chosen.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
