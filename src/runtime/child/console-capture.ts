import { Console } from 'node:console';
import { EventEmitter } from 'node:events';
import type { Level } from '../wire/messages.ts';

export type TakeLine = (stream: 'stdout' | 'stderr', level: Level, text: string) => void;

const LEVELS: Readonly<Record<string, Level>> = {
  debug: 'debug',
  warn: 'warn',
  error: 'error',
  trace: 'error',
  assert: 'error',
};

/**
 * Gives all that the author's code prints to `take` instead: `console` call by call, `process.stdout` and `process.stderr`
 * line by line. What writes to the file descriptors themselves comes out of the process' pipes.
 */
export function captureConsole(take: TakeLine): void {
  let level: Level | null = null;
  const out = new Lines((text) => take('stdout', level ?? 'info', text));
  const err = new Lines((text) => take('stderr', level ?? 'error', text));
  const captured = new Console({ stdout: out.asStream(), stderr: err.asStream(), colorMode: false });
  const inspector = inspectorConsole();
  for (const [name, method] of Object.entries(captured) as [string, unknown][]) {
    if (typeof method !== 'function') continue;
    const print = (...args: unknown[]): unknown => {
      level = LEVELS[name] ?? null;
      try {
        inspector?.[name]?.(...args);
        return method.apply(captured, args) as unknown;
      } finally {
        level = null;
      }
    };
    Object.defineProperty(console, name, {
      value: print,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  captureStream('stdout', (text) => take('stdout', 'info', text));
  captureStream('stderr', (text) => take('stderr', 'error', text));
}

/** The part of a stream that Console uses. One call of it writes one text, which is told as one. */
class Lines {
  readonly #take: (text: string) => void;

  constructor(take: (text: string) => void) {
    this.#take = take;
  }

  asStream(): NodeJS.WritableStream {
    const take = this.#take;
    return Object.assign(new EventEmitter(), {
      write: (text: string) => {
        take(text.endsWith('\n') ? text.slice(0, -1) : text);
        return true;
      },
    }) as unknown as NodeJS.WritableStream;
  }
}

/** Longest text without a newline that is waited for. */
const MAX_PARTIAL_LENGTH = 16 * 1024;

/** Replaces `write` of a standard stream, when it is first asked for: making the stream takes a millisecond that few need. */
function captureStream(name: 'stdout' | 'stderr', take: (text: string) => void): void {
  const original = Object.getOwnPropertyDescriptor(process, name);
  let stream: NodeJS.WriteStream | null = null;
  let partial = '';
  const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    const text =
      typeof chunk === 'string'
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('utf8');
    const lines = (partial + text).split('\n');
    partial = lines.pop()!;
    for (const line of lines) take(line);
    if (partial.length > MAX_PARTIAL_LENGTH) {
      take(partial);
      partial = '';
    }
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  process.on('exit', () => {
    if (partial !== '') take(partial);
    partial = '';
  });
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => {
      if (stream === null) {
        stream = original!.get!.call(process) as NodeJS.WriteStream;
        stream.write = write;
      }
      return stream;
    },
  });
}

/** Prints to an attached inspector only; null where none can attach. */
function inspectorConsole(): Record<string, ((...args: unknown[]) => void) | undefined> | null {
  if (!process.execArgv.some((argument) => argument.startsWith('--inspect'))) return null;
  return process.getBuiltinModule('node:inspector').console as unknown as Record<string, () => void>;
}
