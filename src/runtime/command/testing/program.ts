import { NO_PUBLISHER } from '../../../model/event.ts';
import { DEFAULT_ASYNC } from '../../../model/work-settings.ts';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { NO_CALLER, NO_CALL_SINK } from '../../../model/calls.ts';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { execPath } from 'node:process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { NO_LIMITS, type CommandSpec } from '../../../model/app.ts';
import type { BodyReader, BodySource } from '../../../model/body.ts';
import type { RawHeaders, ResponseHead, ResponseSink } from '../../../model/http.ts';
import type { Instance, Runtime, StartOrder } from '../../../model/instance.ts';
import type { InvocationContext, InvocationEnd } from '../../../model/invocation.ts';
import type { LogEntry, LogSink } from '../../../model/log.ts';
import type { CommandRevision } from '../../../model/revision.ts';
import { createCommandRuntime } from '../command-runtime.ts';

export const MB = 1024 ** 2;

/** The command line that runs a fixture by the Node that runs the test. */
export function fixture(name: string): string {
  return `"${execPath}" "${fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))}"`;
}

/** What is written to the log, and a way to wait for a line of it. */
export class LogLines {
  readonly entries: LogEntry[] = [];
  readonly #waiting = new Set<() => void>();

  write(entry: LogEntry): void {
    this.entries.push(entry);
    for (const look of this.#waiting) look();
  }

  /** Resolves with the first entry, past or to come, whose text matches. */
  async line(wanted: RegExp): Promise<LogEntry> {
    for (;;) {
      const found = this.entries.find((entry) => wanted.test(entry.text));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }
}

export interface TestRuntime {
  readonly runtime: Runtime;
  readonly log: LogLines;
  start(command: string, more?: ProgramOptions): Promise<Instance>;
}

interface ProgramOptions {
  readonly cwd?: string;
  readonly healthPath?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly signal?: AbortSignal;
}

/** A runtime that is closed when the test ends. */
export function testRuntime(t: TestContext, more: { startLimitMs?: number } = {}): TestRuntime {
  const log = new LogLines();
  const runtime = createCommandRuntime({
    clock: systemClock,
    logger: silentLogger,
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    ...more,
  });
  t.after(() => runtime.close());
  return { runtime, log, start: (command, options) => runtime.start(orderOf(command, log, options)) };
}

let started = 0;

function orderOf(command: string, log: LogSink, options: ProgramOptions = {}): StartOrder {
  const settings = {
    concurrency: 100,
    memoryBytes: options.memoryBytes ?? 512 * MB,
    timeoutMs: 30_000,
    maxQueued: 1_000,
  };
  const spec: CommandSpec = {
    name: 'legacy',
    routes: [],
    cors: null,
    calls: null,
    modeSetting: 'service',
    function: { ...settings, keepAliveMs: 1_000, keepAlive: 'fixed', fresh: false, maxInstances: 100 },
    service: {
      ...settings,
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
    kind: 'command',
    command,
    cwd: options.cwd ?? tmpdir(),
    healthPath: options.healthPath ?? null,
  };
  const revision: CommandRevision = {
    kind: 'command',
    id: '0123456789ab',
    env: options.env ?? {},
    envDigest: '',
    spec,
  };
  return {
    instanceId: `i_${++started}`,
    revision,
    home: {
      caller: NO_CALLER,
      calls: NO_CALL_SINK,
      components: () => [],
      publisher: NO_PUBLISHER,
      log,
      env: {},
    },
    mode: 'service',
    concurrency: 100,
    memoryBytes: settings.memoryBytes,
    inspectPort: null,
    signal: options.signal ?? new AbortController().signal,
  };
}

export interface Ask {
  readonly method?: string;
  readonly headers?: RawHeaders;
  readonly body?: BodySource | string;
  readonly signal?: AbortSignal;
  readonly sink?: Answer;
}

export function contextOf(signal?: AbortSignal): InvocationContext {
  return {
    component: 'hello',
    call: null,
    requestId: 'r_test',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    trigger: 'route',
    deadlineMs: systemClock.monotonicMs() + 30_000,
    signal: signal ?? new AbortController().signal,
  };
}

/** What comes back from an instance; `end` is set once the exchange is over. */
export class Answer implements ResponseSink {
  readonly chunks: Buffer[] = [];
  readonly ended: Promise<void>;
  head_: ResponseHead | null = null;
  isEnded = false;
  end_: InvocationEnd | null = null;
  #resolveEnded!: () => void;
  #resume: (() => void) | null = null;
  #watchers = new Set<() => void>();
  /** While true, every chunk is answered with "wait". */
  full = false;

  constructor() {
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  head(head: ResponseHead): void {
    if (this.head_ !== null) throw new Error('a second head');
    this.head_ = head;
    this.#changed();
  }

  data(chunk: Uint8Array): boolean {
    if (this.head_ === null || this.isEnded) throw new Error('data out of turn');
    this.chunks.push(Buffer.from(chunk));
    this.#changed();
    return !this.full;
  }

  end(): void {
    if (this.head_ === null || this.isEnded) throw new Error('an end out of turn');
    this.isEnded = true;
    this.#resolveEnded();
    this.#changed();
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  resume(): void {
    this.full = false;
    this.#resume?.();
  }

  get status(): number | null {
    return this.head_?.status ?? null;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  all(name: string): string[] {
    const found: string[] = [];
    const headers = this.head_?.headers ?? [];
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i]!.toLowerCase() === name) found.push(headers[i + 1]!);
    }
    return found;
  }

  /** Resolves when `condition` holds, looked at after each piece. */
  async until(condition: (answer: this) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#watchers.delete(look);
          resolve();
        };
        this.#watchers.add(look);
      });
    }
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

/** Sends a request and waits for the exchange's end. */
export async function ask(instance: Instance, target: string, more: Ask = {}): Promise<Answer> {
  const answer = more.sink ?? new Answer();
  const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
  instance.http({
    ended: resolve,
    context: contextOf(more.signal),
    head: {
      method: more.method ?? 'GET',
      url: `http://shop.test${target}`,
      target,
      headers: more.headers ?? ['Host', 'shop.test'],
    },
    body: typeof more.body === 'string' ? new TestBody([Buffer.from(more.body)]) : (more.body ?? null),
    response: answer,
  });
  answer.end_ = await promise;
  return answer;
}

/** A body of given chunks, which counts what was taken and stands still while paused. */
export class TestBody implements BodySource {
  readonly lengthBytes: number | null;
  taken = 0;
  cancelled = false;
  reader: BodyReader | null = null;
  readonly #chunks: Iterator<Uint8Array>;
  readonly #onPause: (() => void) | undefined;
  #paused = false;
  #over = false;

  constructor(
    chunks: Iterable<Uint8Array>,
    options: { lengthBytes?: number | null; onPause?: () => void } = {},
  ) {
    const given = options.lengthBytes;
    this.lengthBytes =
      given !== undefined ? given : [...chunks].reduce((sum, chunk) => sum + chunk.length, 0);
    this.#chunks = chunks[Symbol.iterator]();
    this.#onPause = options.onPause;
  }

  read(reader: BodyReader): void {
    this.reader = reader;
    setImmediate(() => this.#flow());
  }

  pause(): void {
    this.#paused = true;
    this.#onPause?.();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    setImmediate(() => this.#flow());
  }

  cancel(): void {
    this.cancelled = true;
    this.#over = true;
  }

  #flow(): void {
    while (!this.#paused && !this.#over) {
      const next = this.#chunks.next();
      if (next.done === true) {
        this.#over = true;
        return this.reader!.end();
      }
      this.taken += next.value.length;
      this.reader!.data(next.value);
    }
  }
}

export interface TestProxy {
  readonly port: number;
  /** How the upgrades ended, in order. */
  readonly ends: Promise<InvocationEnd>[];
  /** The clients' sockets, in the same order. */
  readonly sockets: Duplex[];
  readonly abort: AbortController;
}

/** A server that gives every upgrade to `instance`, as the gateway does. Closed when the test ends. */
export async function upgradeProxy(t: TestContext, instance: Instance): Promise<TestProxy> {
  const ends: Promise<InvocationEnd>[] = [];
  const sockets: Duplex[] = [];
  const abort = new AbortController();
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket, early: Buffer) => {
    const headers = request.rawHeaders.flatMap((name, i) =>
      i % 2 === 0 && !/^(?:connection|upgrade)$/i.test(name) ? [name, request.rawHeaders[i + 1]!] : [],
    );
    const target = request.url ?? '/';
    const head = { method: request.method ?? 'GET', url: `http://shop.test${target}`, target, headers };
    sockets.push(socket);
    ends.push(instance.upgrade({ context: contextOf(abort.signal), head, socket, early }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, ends, sockets, abort };
}

/** Whether a process lives. One that is dead, but whose parent has not yet asked how it ended, does not. */
export function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
