import assert from 'node:assert/strict';
import { globSync, readFileSync, existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { ERRORS } from '../src/base/errors.ts';

const root = join(import.meta.dirname, '..');

/**
 * Which rooms a room may import, besides itself, `base` and `model`. A room that is not here may import nothing more.
 * Each line is a decision that docs/ARCHITECTURE.md gives the reason for.
 */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'runtime/child': [
    'sdk/binding',
    'sdk/delay',
    'sdk/event',
    'sdk/events',
    'sdk/handler-types',
    'sdk/host',
    'runtime/wire',
    'runtime/native/socket-buffer',
    'runtime/sandbox/traces',
  ],
  // Pure functions: the simulator decides as the scaler does, what it finds is priced, and an app's own usage is read as the meter wrote it.
  advisor: [
    'meter/arrival-block',
    'meter/bill',
    'meter/machine-book',
    'meter/price-book',
    'meter/price/month',
    'meter/sketch',
    'meter/used',
    'scaling/autoscale',
    'scaling/cpu-meter',
    'scaling/decide',
    'scaling/decide-function',
    'scaling/decide-service',
    'scaling/idle-histogram',
    'scaling/ordinals',
    'scaling/snapshot',
  ],
  outbox: ['sdk/event', 'sdk/events', 'sdk/handler-types'],
  'runtime/wire': ['runtime/process'],
  'runtime/spawn': ['runtime/wire', 'runtime/process', 'runtime/sandbox'],
  'runtime/command': ['runtime/process', 'runtime/sandbox'],
  'runtime/fork': [
    'runtime/child',
    'runtime/native',
    'runtime/process',
    'runtime/sandbox',
    'runtime/spawn',
    'runtime/wire',
    'sdk/host',
  ],
  'runtime/sandbox': ['runtime/native'],
  cli: [
    'advisor',
    'server',
    'control',
    'build/type-check',
    'meter/focus',
    'meter/line-ids',
    'meter/machine-book',
    'meter/price-book',
    'release/limits',
    'release/packing/blob-tar',
    'release/packing/hash-files',
    'runtime/fork/support',
    'runtime/sandbox/probe',
    'runtime/sandbox/report',
    'runtime/sandbox/trial',
  ],
  server: ['*'],
  testing: [
    'server',
    'control/port',
    'runtime/child/values',
    'runtime/wire/thrown',
    'sdk/event',
    'sdk/handler-types',
  ],
};
/** Rooms that may not even import `model`. */
const ONLY_BASE = new Set(['base', 'outbox', 'sdk']);

/** Heavy dependencies, and the rooms (or folders) that may load them. */
const HEAVY: Readonly<Record<string, readonly string[]>> = {
  zod: ['config', 'control', 'meter', 'release'],
  rolldown: ['build'],
  acorn: ['checks'],
  hono: ['control'],
  '@hono/node-server': ['control'],
  commander: ['cli'],
  '@clack/prompts': ['cli'],
  croner: ['config', 'events'],
  'node:sqlite': ['store'],
  kysely: ['store'],
  pg: ['store'],
  'node:ffi': ['runtime/native'],
};

interface Import {
  from: string;
  to: string;
}

const files = globSync('src/**/*.ts', { cwd: root, exclude: ['**/fixtures/**'] }).sort();
const isTest = (file: string): boolean =>
  file.endsWith('.test.ts') || /^src\/\w+(\/\w+)?\/testing\//.test(file);

/** `runtime` is a house of rooms; everything else is one room a folder. */
function roomOf(file: string): string {
  const parts = file.replace(/^src\//, '').split('/');
  return parts[0] === 'runtime' && parts.length > 2 ? `runtime/${parts[1]}` : parts[0]!;
}

function importsOf(file: string): string[] {
  // Examples in comments and sources of fixtures in strings are no imports.
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s(?:[^;'"`]*?\sfrom\s)?['"]([^'"\n]+)['"]|import\(\s*['"]([^'"\n]+)['"]\s*\)/g,
  );
  return [...found].map((match) => match[1] ?? match[2]!);
}

const graph: Import[] = files.flatMap((file) =>
  importsOf(file).map((specifier) => ({
    from: file,
    to: specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier,
  })),
);

function allowed(from: string, to: string): boolean {
  const here = roomOf(from);
  const there = roomOf(to);
  if (here === there || there === 'base') return true;
  if (there === 'model') return !ONLY_BASE.has(here);
  return (EXCEPTIONS[here] ?? []).some(
    (exception) => exception === '*' || exception === there || `src/${exception}.ts` === to,
  );
}

test('a room imports base, model, itself and the written exceptions only', () => {
  const wrong = graph
    .filter(({ from, to }) => !isTest(from) && to.startsWith('src/') && !allowed(from, to))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('every import of ours names a file that exists', () => {
  const wrong = graph.filter(
    ({ from, to }) => !isTest(from) && to.startsWith('src/') && !existsSync(join(root, to)),
  );
  assert.deepEqual(wrong, []);
});

test('shipped code imports no test helper', () => {
  const wrong = graph
    .filter(({ from, to }) => !isTest(from) && to.startsWith('src/') && isTest(to))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('heavy dependencies are loaded where they are named and nowhere else', () => {
  const wrong = graph
    .filter(({ from, to }) => !isTest(from) && Object.hasOwn(HEAVY, to))
    .filter(({ from, to }) => !HEAVY[to]!.includes(roomOf(from)))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test('no import leads back to where it began', () => {
  const edges = new Map<string, string[]>();
  for (const { from, to } of graph) {
    if (!isTest(from) && to.startsWith('src/')) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) assert.fail(`a cycle: ${[...path.slice(at), file].join(' → ')}`);
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
});

test('a file is one noun: none is longer than 500 lines', () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
    .filter(({ file, lines }) => lines > (isTest(file) ? 900 : 500));
  assert.deepEqual(long, []);
});

test('every error code has its page, and every page its code', () => {
  const pages = globSync('docs/errors/*.md', { cwd: root })
    .map((file) => file.slice('docs/errors/'.length, -'.md'.length))
    .filter((name) => name !== 'README')
    .sort();
  assert.deepEqual(pages, Object.keys(ERRORS).sort());
});

test('nothing committed names a machine, a registry or a place outside the project', () => {
  const checked = globSync(
    ['src/**/*', 'docs/**/*', 'test/**/*', 'examples/**/*', '*.md', '*.json', 'scripts/*'],
    { cwd: root },
  )
    .filter(
      (file) =>
        /\.(ts|tsx|mjs|js|md|json)$/.test(file) &&
        !file.includes('node_modules') &&
        !file.includes('.fulcrum/'),
    )
    .filter((file) => file !== 'test/architecture.test.ts');
  const wrong = checked.filter((file) =>
    /registry\.npmjs\.org|\/work\/main/.test(readFileSync(join(root, file), 'utf8')),
  );
  assert.deepEqual(wrong, []);
});
