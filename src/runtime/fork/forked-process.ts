import { readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { exhaustedCode } from '../../base/exhausted.ts';
import type { InstanceUsage } from '../../model/instance.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import { OutputPipe } from '../process/output-pipe.ts';
import { OutputTail } from '../process/output-tail.ts';
import { measureProcess } from '../process/process-usage.ts';
import type { InstanceProcess } from '../wire/wire-instance.ts';
import type { Readable } from 'node:stream';

const TAIL_BYTES = 8 * 1024;
/** How long after its end a process' pipes are read: longer only if one that left its group still holds them. */
const PIPES_AFTER_EXIT_MS = 250;
const LOOK_AGAIN_MS = 100;

export interface ForkedProcessOptions {
  /** In the server's count. */
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
  readonly clock: Clock;
}

/** A process that a zygote has forked and that it waits for; the zygote's reports say when it ends. */
export class ForkedProcess implements InstanceProcess {
  readonly pid: number;
  /** Resolves when it is gone and its output read. */
  readonly ended: Promise<ProcessEnd>;
  readonly #clock: Clock;
  /** With its number it names one process for all time. Undefined where it could not be read yet; null where there was none. */
  #beganAt: string | null | undefined;
  readonly #tail = new OutputTail(TAIL_BYTES);
  readonly #pipes: readonly OutputPipe[];
  readonly #streams: readonly Readable[];
  readonly #onEnded: (end: ProcessEnd) => void;
  #state: 'running' | 'exited' = 'running';

  constructor(options: ForkedProcessOptions) {
    this.pid = options.pid;
    this.#beganAt = beginningOf(options.pid);
    this.#clock = options.clock;
    const { promise, resolve } = Promise.withResolvers<ProcessEnd>();
    this.ended = promise;
    this.#onEnded = resolve;
    const pipe = (name: 'stdout' | 'stderr'): OutputPipe =>
      new OutputPipe(options[name], options.clock, (line) => {
        this.#tail.push(line);
        options.onLine(name, line);
      });
    this.#pipes = [pipe('stdout'), pipe('stderr')];
    this.#streams = [options.stdout, options.stderr];
  }

  get hasEnded(): boolean {
    return this.#state !== 'running';
  }

  lastOutput(): string {
    return this.#tail.toString();
  }

  /** Signals it and its group. Never throws; nothing happens once its end has been reported. */
  signal(signal: NodeJS.Signals): void {
    if (this.#state !== 'running') return;
    this.#signal(signal);
  }

  /** Its zygote, which has run an author's code, says when it has ended: until then its number may have become another's. */
  #signal(signal: NodeJS.Signals): void {
    const found = beginningOf(this.pid);
    if (found === undefined) {
      // No descriptor to look with, which another will have given back: whoever has been told to end must not be forgotten.
      if (this.#state === 'running') this.#clock.after(LOOK_AGAIN_MS, () => this.signal(signal));
      return;
    }
    if (this.#beganAt === undefined) this.#beganAt = found;
    if (found === null || found !== this.#beganAt) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      this.#signalAlone(signal);
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.signal('SIGTERM');
    const timer = this.#clock.after(graceMs, () => this.kill());
    await this.ended;
    timer.cancel();
  }

  kill(): void {
    this.signal('SIGKILL');
  }

  async measure(): Promise<InstanceUsage | null> {
    if (this.#state !== 'running') return null;
    return await measureProcess(this.pid);
  }

  /** Its zygote has reported its end, or has taken it along. */
  exited(end: ProcessEnd): void {
    if (this.#state !== 'running') return;
    this.#state = 'exited';
    // Should that not be so.
    this.#signal('SIGKILL');
    for (const pipe of this.#pipes) pipe.hurry();
    let open = this.#streams.filter((stream) => !stream.closed).length;
    const finish = (): void => {
      timer.cancel();
      for (const pipe of this.#pipes) pipe.finish();
      this.#onEnded(end);
    };
    const timer = this.#clock.after(PIPES_AFTER_EXIT_MS, finish);
    if (open === 0) return finish();
    for (const stream of this.#streams) {
      if (stream.closed) continue;
      stream.once('close', () => {
        open--;
        if (open === 0) finish();
      });
    }
  }

  /** It does not lead its group yet: it has only just been forked. */
  #signalAlone(signal: NodeJS.Signals): void {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has ended, which is being reported.
    }
  }
}

/** When a process began, in the kernel's ticks; null where there is none, undefined where the system has no descriptor to look with. */
function beginningOf(pid: number): string | null | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Its name, in brackets, may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch (error) {
    return exhaustedCode(error) === null ? null : undefined;
  }
}
