import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { TestContext } from 'node:test';

const BIN = join(import.meta.dirname, '../../../bin/fulcrum.mjs');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who runs a command, where that is another than who runs the test; only root can let it be. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

const toRemove: string[] = [];

/** Not behind the test: what it has started ends behind it as well, and may be putting something into the folder still. */
function removeAtEnd(folder: string): void {
  if (toRemove.length === 0) {
    process.once('exit', () => {
      for (const path of toRemove) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    });
  }
  toRemove.push(folder);
}

/** A place of its own for the registry of running servers, so that tests do not see each other's, nor a developer's. */
export function isolatedEnv(user: User | null = null): NodeJS.ProcessEnv {
  const runtime = mkdtempSync(join(tmpdir(), 'fulcrum-run-'));
  removeAtEnd(runtime);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    XDG_RUNTIME_DIR: runtime,
    // Where a server writes itself down that has no runtime folder: commands look there, too.
    TMPDIR: runtime,
    NO_COLOR: '1',
    COLUMNS: '80',
  };
  if (user !== null) {
    chownSync(runtime, user.uid, user.gid);
    env.HOME = runtime;
    delete env.XDG_CACHE_HOME;
  }
  // What the test runner tells its own children must not reach a runner that a test starts: it would run nothing.
  delete env.NODE_TEST_CONTEXT;
  delete env.NODE_OPTIONS;
  // The tests' own, which users have not.
  delete env.NODE_COMPILE_CACHE;
  return env;
}

/** Runs a `fulcrum` command to its end, as a user would type it. */
export function fulcrum(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  cwd?: string,
  user: User | null = null,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      env,
      cwd,
      ...user,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A `fulcrum dev` that runs until the test ends. */
export class DevProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #waiters = new Set<() => void>();
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += stripVTControlCharacters(text);
        for (const look of this.#waiters) look();
      });
    }
    this.#exited = new Promise((resolve) => {
      child.on('close', (code) => {
        for (const look of this.#waiters) look();
        resolve(code);
      });
    });
  }

  static async start(
    t: TestContext,
    env: NodeJS.ProcessEnv,
    directory: string,
    args: readonly string[] = [],
    user: User | null = null,
  ): Promise<DevProcess> {
    const child = spawn(
      process.execPath,
      [BIN, 'dev', directory, '--port', '0', '--admin-port', '0', ...args],
      {
        env,
        ...user,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const dev = new DevProcess(child);
    t.after(() => dev.stop());
    await dev.prints(/http:\/\/(localhost|127\.0\.0\.1):\d+/);
    return dev;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Everything it has printed, without colours. */
  get output(): string {
    return this.#output;
  }

  /** The address of the app, from its banner. */
  get url(): string {
    return /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(this.#output)![0].replace('localhost', '127.0.0.1');
  }

  /** Resolves with the match when its output, from `from` on, matches; rejects with the output when it ends or takes too long. */
  prints(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const give = (end: () => void): void => {
        clearTimeout(limit);
        this.#waiters.delete(look);
        end();
      };
      const look = (): void => {
        const match = pattern.exec(this.#output.slice(from));
        if (match) give(() => resolve(match));
        else if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          give(() => reject(new Error(`fulcrum dev ended without printing ${pattern}:\n${this.#output}`)));
        }
      };
      const limit = setTimeout(() => {
        give(() => reject(new Error(`fulcrum dev did not print ${pattern}:\n${this.#output}`)));
      }, 30_000);
      this.#waiters.add(look);
      look();
    });
  }

  /** Ends it as Ctrl-C does. @returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGINT');
    return this.#exited;
  }
}
