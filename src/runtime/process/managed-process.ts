import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { exhaustedCode, resourcesExhausted } from '../../base/exhausted.ts';
import type { InstanceUsage } from '../../model/instance.ts';
import { livingGroups, signalGroup } from './living-groups.ts';
import { OutputPipe } from './output-pipe.ts';
import { OutputTail } from './output-tail.ts';
import { measureProcess } from './process-usage.ts';

export interface ProcessOptions {
  file: string;
  args: readonly string[];
  /** Runs `file` by `/bin/sh -c`. */
  shell: boolean;
  cwd: string;
  /** The whole environment: nothing of the server's is added. */
  env: Readonly<Record<string, string>>;
  /** Written to it, then closed; null: it reads an end at once. */
  stdin: string | null;
  /** Called for each line of output, without its newline; a line over 16 KB is cut. Not called after `ended`. */
  onLine: (stream: 'stdout' | 'stderr', line: string) => void;
  clock: Clock;
}

export interface ProcessEnd {
  exitCode: number | null;
  signal: string | null;
  /** User and system time in all, as whoever waited for it says; absent where that cannot tell. */
  cpuMs?: number;
}

const TAIL_BYTES = 8 * 1024;

/** How long after its end a process' pipes are read: longer only if a stranger, who left its group, still holds them. */
const PIPES_AFTER_EXIT_MS = 250;

/**
 * A process of the operating system that leads its own process group, so that whatever it starts dies with it.
 * Neither outlives the server, however that ends (short of SIGKILL).
 * Its output is read within bounds (1 MB/s kept, see output-pipe.ts), whatever it writes.
 */
export class ManagedProcess {
  readonly pid: number;
  /** Resolves when it is gone and its output read. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #tail = new OutputTail(TAIL_BYTES);
  readonly #pipes: readonly OutputPipe[];
  #state: 'running' | 'exited' | 'ended' = 'running';

  /** Rejects with `start-failed` where the system cannot start it (no such file or folder, no right), `resources-exhausted` without room. */
  static async start(options: ProcessOptions): Promise<ManagedProcess> {
    let child: ChildProcess;
    try {
      child = spawn(options.file, options.args, {
        cwd: options.cwd,
        env: { ...options.env },
        shell: options.shell ? '/bin/sh' : false,
        detached: true,
        stdio: [options.stdin === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      });
      const managed = child.pid === undefined ? null : new ManagedProcess(child, child.pid, options);
      await once(child, 'spawn');
      // Emitted at once where there is a process; where there is none, `error` comes instead and rejects above.
      return managed!;
    } catch (error) {
      throw startFailure(options, error);
    }
  }

  private constructor(child: ChildProcess, pid: number, options: ProcessOptions) {
    this.#child = child;
    this.pid = pid;
    this.#clock = options.clock;
    livingGroups.add(pid);
    const pipe = (name: 'stdout' | 'stderr'): OutputPipe =>
      new OutputPipe(child[name]!, options.clock, (line) => {
        this.#tail.push(line);
        options.onLine(name, line);
      });
    this.#pipes = [pipe('stdout'), pipe('stderr')];
    // Errors after the start (a failed kill) are told by their own calls; unheard, they would end the server.
    child.on('error', () => undefined);
    // It may end before it has read its input; its end says so.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.stdin);
    this.ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => {
        this.#exited(() => resolve({ exitCode, signal }));
      });
    });
  }

  get hasEnded(): boolean {
    return this.#state !== 'running';
  }

  /** The last of its output, both streams together, at most 8 KB. */
  lastOutput(): string {
    return this.#tail.toString();
  }

  /** Sends `signal` to it and all that it has started. Never throws; nothing happens once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#state === 'running') signalGroup(this.pid, signal);
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.signal('SIGTERM');
    const timer = this.#clock.after(graceMs, () => this.kill());
    await this.ended;
    timer.cancel();
  }

  /** SIGKILL, now. */
  kill(): void {
    this.signal('SIGKILL');
  }

  /** Its private memory and CPU time, its descendants' included. Null once it is gone. */
  async measure(): Promise<InstanceUsage | null> {
    if (this.#state !== 'running') return null;
    return await measureProcess(this.pid);
  }

  #exited(resolve: () => void): void {
    // Its group's id stays taken as long as a member lives, so this reaches only what it left behind.
    signalGroup(this.pid, 'SIGKILL');
    livingGroups.delete(this.pid);
    this.#state = 'exited';
    for (const pipe of this.#pipes) pipe.hurry();
    const finish = (): void => {
      if (this.#state === 'ended') return;
      this.#state = 'ended';
      timer.cancel();
      for (const pipe of this.#pipes) pipe.finish();
      resolve();
    };
    const timer = this.#clock.after(PIPES_AFTER_EXIT_MS, finish);
    this.#child.once('close', finish);
  }
}

function startFailure(options: ProcessOptions, error: unknown): FulcrumError {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const what = `\`${[options.file, ...options.args].join(' ')}\``;
  const exhausted = exhaustedCode(error);
  if (exhausted !== null) return resourcesExhausted(`Could not start ${what}`, exhausted, error);
  const reason =
    code === 'ENOENT'
      ? `there is no such program, or no folder ${options.cwd} to run it in`
      : code === 'EACCES'
        ? 'the program may not be executed, or its folder not entered'
        : messageOf(error);
  return new FulcrumError('start-failed', `Could not start ${what}: ${reason}.`, {
    cause: error,
    details: { output: '' },
  });
}
