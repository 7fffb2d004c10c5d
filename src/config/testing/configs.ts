import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { AppSpec } from '../../model/app.ts';
import type { ConfigIssue } from '../issues.ts';
import { loadApp } from '../load.ts';

const FILES = [
  'fulcrum.config.ts',
  'a.ts',
  'catalog.ts',
  'src/deep.mts',
  'server.py',
  'public/app.css',
  'legacy/x.js',
];

/** A folder with a few empty files, gone when the test is over. */
export async function appFolder(t: TestContext, files: readonly string[] = FILES): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fulcrum-config-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), '');
  }
  return directory;
}

export async function load(directory: string, config: unknown): Promise<AppSpec> {
  return loadApp({ directory, environment: 'test', evaluate: () => Promise.resolve(config) });
}

/** What `promise` rejects with, which must be an error of ours. */
export async function failure(promise: Promise<unknown>): Promise<FulcrumError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FulcrumError, String(error));
  return error;
}

export async function issuesOf(directory: string, config: unknown): Promise<readonly ConfigIssue[]> {
  const error = await failure(load(directory, config));
  assert.equal(error.code, 'config-invalid');
  return error.details['issues'] as ConfigIssue[];
}

export function app(components: unknown, rest: object = {}): object {
  return { name: 'shop', components, ...rest };
}

/** An app of one module `a`. */
export function one(component: object, rest: object = {}): object {
  return app({ a: { entry: './a.ts', ...component } }, rest);
}

/** An app of one command `a`. */
export function cmd(component: object): object {
  return app({ a: { command: 'node x.js', ...component } });
}

/** An app of one folder `a`. */
export function folder(component: object): object {
  return app({ a: { static: './public', ...component } });
}
