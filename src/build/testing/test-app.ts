import { DEFAULT_ASYNC } from '../../model/work-settings.ts';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { NO_LIMITS, type ModuleSpec } from '../../model/app.ts';
import type { Bundle } from '../../model/revision.ts';
import { Builder } from '../builder.ts';

const ROOM = fileURLToPath(new URL('..', import.meta.url));
/** The project's own packages, of which fixtures use some. */
const PACKAGES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const SDK = fileURLToPath(new URL('../../sdk/index.ts', import.meta.url));

const RUN = `
const [bundle, filesRoot] = process.argv.slice(1);
if (filesRoot) globalThis[Symbol.for('fulcrum.files-root')] = filesRoot;
const module = await import(bundle);
process.stdout.write(JSON.stringify({ exports: Object.keys(module), value: await module.default() }));
`;

/** An app in a folder of its own, removed after the test. */
export class TestApp {
  readonly directory: string;
  readonly builder: Builder;

  constructor(t: TestContext, fixture?: string) {
    this.directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-build-')));
    this.builder = new Builder({
      appDirectory: this.directory,
      outDirectory: join(this.directory, '.fulcrum', 'build'),
      sdkPath: SDK,
    });
    t.after(async () => {
      await this.builder.close();
      rmSync(this.directory, { recursive: true, force: true });
    });
    if (fixture !== undefined) cpSync(join(ROOM, 'fixtures', fixture), this.directory, { recursive: true });
  }

  static readonly sdkPath = SDK;

  path(name: string): string {
    return join(this.directory, name);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), text);
    }
  }

  /** Makes one of the project's own packages one of the app's. */
  install(name: string): void {
    this.link(join(PACKAGES, name), `node_modules/${name}`);
  }

  link(target: string, name: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    symlinkSync(target, this.path(name));
  }

  spec(entry: string, name = 'part'): ModuleSpec {
    return moduleSpec(name, this.path(entry));
  }

  bundle(entry: string): Promise<Bundle> {
    return this.builder.bundle(this.spec(entry));
  }

  /** What the default export of a bundle returns, called in a process of its own; and the names of its exports. */
  async run(entry: string): Promise<{ exports: string[]; value: unknown }> {
    const bundle = await this.bundle(entry);
    return runBundle(bundle.path, bundle.filesRoot);
  }
}

/** @param filesRoot empty: the bundle finds it itself. */
export async function runBundle(
  path: string,
  filesRoot = '',
): Promise<{ exports: string[]; value: unknown }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--enable-source-maps', '--input-type=module', '--eval', RUN, pathToFileURL(path).href, filesRoot],
    { env: { PATH: process.env['PATH'] } },
  );
  return JSON.parse(stdout) as { exports: string[]; value: unknown };
}

export function moduleSpec(name: string, entry: string): ModuleSpec {
  const run = { concurrency: 1, memoryBytes: 128 * 1024 ** 2, timeoutMs: 30_000, maxQueued: 1_000 };
  return {
    kind: 'module',
    name,
    entry,
    routes: [],
    cors: null,
    calls: null,
    modeSetting: 'function',
    function: { ...run, keepAliveMs: 1_000, keepAlive: 'fixed', fresh: false, maxInstances: 100 },
    service: {
      ...run,
      minReplicas: 1,
      maxReplicas: 1,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
    },
    env: {},
    storage: [],
    isolation: 'best-effort',
    network: 'full',
    limits: NO_LIMITS,
    weight: 1,
    objective: null,
    subscription: null,
    async: DEFAULT_ASYNC,
    schedules: [],
    zygoteKeepAliveMs: 600_000,
  };
}
