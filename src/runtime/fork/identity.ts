/** What a process knows of itself and a fork would leave as its parent's: its id, its age, and how it ends. */
import { writeSync } from 'node:fs';
import type { PerformanceMarkOptions, PerformanceMeasureOptions } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { exitNow } from '../native/native.ts';
import { currentPid } from '../native/process-control.ts';

/**
 * Ends the process by _exit from now on, after the listeners of `exit` have run: Node's own end waits for threads of V8,
 * which a forked process does not have, and so for ever. Once, in a root zygote.
 */
export function takeExits(): void {
  const emit = process.emit.bind(process) as (name: string | symbol, ...args: unknown[]) => boolean;
  process.emit = ((name: string | symbol, ...args: unknown[]): boolean => {
    let heard: boolean;
    try {
      heard = emit(name, ...args);
    } catch (error) {
      if (name !== 'exit' && name !== 'uncaughtException') throw error;
      // Thrown by a listener of an end: Node would end here, in its own way.
      lastWord(error, name === 'uncaughtException' ? EXIT_LISTENER_THREW : 1, emit);
    }
    // The loop is empty, process.exit() was called, or an error was caught by nobody: whichever, this is its last step.
    if (name === 'exit') {
      lastStep();
      exitNow(Number(process.exitCode ?? args[0] ?? 0));
    }
    return heard;
  }) as typeof process.emit;
  (process as { reallyExit?: (code?: number) => never }).reallyExit = (code) => exitNow(code ?? 0);
}

let lastStep = (): void => undefined;

/** What is done behind all listeners of `exit`: what they have said must still go out. */
export function atLast(step: () => void): void {
  lastStep = step;
}

/** Node's own exit code where a listener of uncaughtException throws. */
const EXIT_LISTENER_THREW = 7;

function lastWord(error: unknown, code: number, emit: (name: string, ...args: unknown[]) => boolean): never {
  try {
    writeSync(2, `${inspect(error)}\n`);
    if (code === EXIT_LISTENER_THREW) emit('exit', code);
  } catch {
    // It has been said, or cannot be.
  }
  exitNow(code);
}

let bornMs = 0;

/** Makes the clocks count from {@link becomeSelf}'s last call. Once, in a root zygote. */
export function takeClocks(): void {
  const prototype = Object.getPrototypeOf(performance) as Performance;
  const now = performance.now.bind(performance);
  const mark = performance.mark.bind(performance);
  const measure = performance.measure.bind(performance);
  const origin = Object.getOwnPropertyDescriptor(prototype, 'timeOrigin')!;
  const uptime = process.uptime.bind(process);
  rawNow = now;
  const method = (name: string, value: (...args: never[]) => unknown): void => {
    Object.defineProperty(value, 'name', { value: name });
    Object.defineProperty(prototype, name, { ...Object.getOwnPropertyDescriptor(prototype, name)!, value });
  };
  method('now', () => now() - bornMs);
  method('mark', (name: string, options?: PerformanceMarkOptions) =>
    mark(name, { ...options, startTime: options?.startTime ?? now() - bornMs }),
  );
  method('measure', (name: string, start?: string | PerformanceMeasureOptions, end?: string) => {
    const options: PerformanceMeasureOptions =
      typeof start === 'object' && start !== null ? { ...start } : start === undefined ? {} : { start };
    if (end !== undefined) options.end = end;
    // Where nothing is said it ends now and begins with the process.
    const hasEnd =
      options.end !== undefined || (options.duration !== undefined && options.start !== undefined);
    if (!hasEnd) options.end = now() - bornMs;
    if (options.start === undefined && options.duration === undefined) options.start = 0;
    return measure(name, options);
  });
  Object.defineProperty(prototype, 'timeOrigin', {
    ...origin,
    get: () => (origin.get!.call(performance) as number) + bornMs,
  });
  process.uptime = () => Math.max(0, uptime() - bornMs / 1_000);
}

let rawNow: () => number = () => 0;

/** In a child, first of all: a process id, and an age, of its own. */
export function becomeSelf(): void {
  bornMs = rawNow();
  Object.defineProperty(process, 'pid', {
    value: currentPid(),
    writable: false,
    enumerable: true,
    configurable: true,
  });
}
