import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { adminSocket } from './admin-api.ts';
import { fulcrum, type Finished } from './fulcrum-process.ts';

const BIN = join(import.meta.dirname, '../../../bin/fulcrum.mjs');
const LIMIT_MS = 60_000;

/** A folder for a server's data, gone when the test ends. */
export function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export interface ServerProcessOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly data: string;
  readonly args?: readonly string[];
  /** A socket that is passed on as systemd passes its own. */
  readonly socket?: number;
}

/** A `fulcrum serve`, with the successors that take its place, until the test ends. */
export class ServerProcess {
  readonly env: NodeJS.ProcessEnv;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #waiters = new Set<() => void>();
  #output = '';

  static async start(t: TestContext, options: ServerProcessOptions): Promise<ServerProcess> {
    const server = ServerProcess.begin(t, options);
    await server.prints(/Fulcrum serves http.*\n.*pid \d+/);
    return server;
  }

  /** Without waiting for it to serve. */
  static begin(t: TestContext, { env, data, args = [], socket }: ServerProcessOptions): ServerProcess {
    const flags = ['--conditions=fulcrum-source', '--disable-warning=ExperimentalWarning'];
    const where = ['--data', data, '--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
    const program = [process.execPath, ...flags, BIN, 'serve', ...where, ...args];
    const child =
      socket === undefined
        ? spawn(program[0]!, program.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
        : // Only the process itself knows the id that it will have.
          spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...program], {
            env: { ...env, LISTEN_FDS: '1' },
            stdio: ['ignore', 'pipe', 'pipe', socket],
          });
    const server = new ServerProcess(child, env);
    t.after(() => server.#end());
    return server;
  }

  private constructor(child: ChildProcess, env: NodeJS.ProcessEnv) {
    this.env = env;
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        for (const look of this.#waiters) look();
      });
    }
    this.#exited = new Promise((resolve) => {
      child.on('exit', (code) => {
        for (const look of this.#waiters) look();
        resolve(code);
      });
    });
  }

  get output(): string {
    return this.#output;
  }

  /** Of the apps. */
  get url(): string {
    return /Fulcrum serves (http\S+)/.exec(this.#output)![1]!.replace('localhost', '127.0.0.1');
  }

  /** Of the process that was started; its successors are others. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** Of all that have said that they serve, the first first. */
  get pids(): number[] {
    return [...this.#output.matchAll(/ pid (\d+)$/gm)].map(([, pid]) => Number(pid));
  }

  /** Resolves with the exit status of the process that was started. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pids.at(-1) ?? this.pid, name);
  }

  /** A command of this server's user, which means this server whatever else runs on the machine. */
  run(...args: readonly string[]): Promise<Finished> {
    return fulcrum({ ...this.env, FULCRUM_URL: `unix:${adminSocket(this.env)}` }, args);
  }

  /** Resolves with the match when its output, from `from` on, matches; rejects when the first process ends or it takes too long. */
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
        else if ((this.#child.exitCode !== null || this.#child.signalCode !== null) && this.pids.length < 2)
          give(() => reject(new Error(`the server ended without printing ${pattern}:\n${this.#output}`)));
      };
      const limit = setTimeout(() => {
        give(() => reject(new Error(`the server did not print ${pattern}:\n${this.#output}`)));
      }, LIMIT_MS);
      this.#waiters.add(look);
      look();
    });
  }

  /** A successor is no child of the test's: it is known by what it has said. */
  async #end(): Promise<void> {
    for (const pid of new Set([this.pid, ...this.pids])) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    await this.#exited;
  }
}
