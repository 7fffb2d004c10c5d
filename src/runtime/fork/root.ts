import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { closeDescriptor, socketPair } from '../native/descriptors.ts';
import { LineSplitter } from '../process/line-splitter.ts';
import { livingGroups, signalGroup } from '../process/living-groups.ts';
import { Forker } from './forker.ts';
import { Blanks } from './blanks.ts';
import { hostPid, onlyChild } from './host-pid.ts';
import type { BlankSites } from '../sandbox/blank-sites.ts';

export interface RootOptions {
  readonly nodePath: string;
  /** Heap limits, which V8 reads when it starts. */
  readonly flags: readonly string[];
  /** What the root zygote is executed with, to be read in /proc by whoever runs in its forks: nothing secret. */
  readonly env: Readonly<Record<string, string>>;
  /** It becomes root of a user namespace first: what an ordinary user needs to make sandboxes. */
  readonly inUserNamespace: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where blank zygotes wait; null: none do. */
  readonly sites: BlankSites | null;
}

/** Flags without which a Node process cannot be forked: V8 starts no threads, nor does Node for SIGUSR1. */
const FORKABLE = ['--single-threaded', '--v8-pool-size=0', '--disable-sigusr1', '--no-flush-bytecode'];
/**
 * Where V8 compiles on no thread of its own, a loop that Maglev has taken over stays with Maglev for as long as the call lasts. A function's
 * first call is often its only one: a loop of 100 ms took 260 (Node 26, also with `--osr-from-maglev`). Loops are given to Turbofan
 * instead; what is called often still goes by way of Maglev.
 */
const COMPILING = ['--no-maglev-osr'];
const MAX_LINE_BYTES = 16 * 1024;

/** A root zygote: the process, and its server's side. */
export class Root {
  readonly forker: Forker;
  readonly blanks: Blanks;
  /** Resolves when it may be given orders; rejects where it ends before. */
  readonly warm: Promise<void>;
  readonly closed: Promise<void>;
  readonly #child: ChildProcess;
  #state: 'warming' | 'warm' | 'closed' = 'warming';
  readonly #inUserNamespace: boolean;

  constructor(options: RootOptions) {
    this.#inUserNamespace = options.inUserNamespace;
    const [server, own] = socketPair();
    this.#child = begin(
      [server, own],
      options.nodePath,
      [
        '--disable-warning=ExperimentalWarning',
        program('launcher'),
        program(options.inUserNamespace ? 'user-root-zygote' : 'root-zygote'),
        String(process.pid),
        '--disable-warning=ExperimentalWarning',
        ...FORKABLE,
        ...COMPILING,
        ...options.flags,
      ],
      { cwd: '/', env: { ...options.env }, detached: true, stdio: ['ignore', 'pipe', 'pipe', own] },
    );
    closeDescriptor(own);
    const { pid } = this.#child;
    let failure: Error | null = null;
    const ended = new Promise<string>((resolve) => {
      this.#child.once('error', (error) => {
        failure = error;
        resolve(error.message);
      });
      this.#child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    if (pid !== undefined) livingGroups.add(pid);
    const tail: string[] = [];
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const lines = new LineSplitter(MAX_LINE_BYTES, (text) => {
        if (tail.length < MAX_TAIL_LINES) tail.push(text);
        options.logger.warn({ text }, 'the root zygote said');
      });
      stream?.on('data', (chunk: Buffer) => lines.push(chunk));
    }
    const warm = Promise.withResolvers<void>();
    this.warm = warm.promise;
    this.warm.catch(() => undefined);
    this.forker = new Forker(server, options.clock, (report) => {
      if (report.said !== 'warm' || this.#state !== 'warming') return;
      this.#state = 'warm';
      warm.resolve();
      void this.blanks.fill();
    });
    this.blanks = new Blanks({ root: this, sites: options.sites, clock: options.clock });
    this.closed = ended.then((why) => {
      if (pid !== undefined) {
        signalGroup(pid, 'SIGKILL');
        livingGroups.delete(pid);
      }
      this.forker.close();
      const output = tail.join('\n');
      warm.reject(
        new FulcrumError('start-failed', `The root zygote could not be started (${why}).`, {
          ...(failure !== null && { cause: failure }),
          details: { output },
        }),
      );
    });
    void this.forker.closed.then(() => {
      this.#state = 'closed';
      this.blanks.close();
      this.kill();
    });
  }

  /** `closed` from the moment on from which nothing can be asked of it; its process may be there a little longer. */
  get state(): 'warming' | 'warm' | 'closed' {
    return this.#state;
  }

  /**
   * The process id, in this process' count, of the child that the root zygote calls `inner`. Null where there is none: it has
   * ended already.
   */
  async pidOf(inner: number): Promise<number | null> {
    if (!this.#inUserNamespace) return inner;
    const waits = this.#child.pid;
    // In between two processes that wait: for the user namespace, and for the process tree.
    const self = waits === undefined ? null : onlyChild(onlyChild(waits));
    const lives = (): boolean => this.#state !== 'closed' && !this.forker.hasEnded(inner);
    return self === null ? null : await hostPid(self, inner, lives);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

const MAX_TAIL_LINES = 100;

/** Throws what the system refused it with; then `descriptors` are closed. */
function begin(
  descriptors: readonly number[],
  file: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  try {
    return spawn(file, args, options);
  } catch (error) {
    descriptors.forEach(closeDescriptor);
    throw error;
  }
}

/** A program of this folder: a source file, or what the build has made of it. */
function program(name: string): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${ending}`, import.meta.url));
}
