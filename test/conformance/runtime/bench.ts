import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { FulcrumError, type ErrorCode } from '../../../src/base/errors.ts';
import { silentLogger, type Logger } from '../../../src/base/log.ts';
import type { GroupSpec, ModuleSpec } from '../../../src/model/app.ts';
import { NO_CALLER, NO_CALL_SINK, type Caller, type CallSink } from '../../../src/model/calls.ts';
import type { BodyReader, BodySource } from '../../../src/model/body.ts';
import type { HttpExchange, ResponseHead, ResponseSink } from '../../../src/model/http.ts';
import { NO_PUBLISHER, type Publisher } from '../../../src/model/event.ts';
import type { Instance, InstanceHome, Runtime, StartOrder } from '../../../src/model/instance.ts';
import type {
  InvocationContext,
  InvocationEnd,
  InvocationResult,
  Payload,
} from '../../../src/model/invocation.ts';
import type { LogEntry, LogSink } from '../../../src/model/log.ts';
import type { ModuleRevision, Revision } from '../../../src/model/revision.ts';

/** Of all that is asked of instances here. */
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface RuntimeParts {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly baseEnv: Readonly<Record<string, string>>;
}

/** Makes the runtime that is put to the test. */
export type CreateRuntime = (parts: RuntimeParts) => Promise<Runtime>;

const MB = 1024 * 1024;

/** What a test, or a suite, does at its end. */
export interface Ends {
  after(work: () => Promise<void>): void;
}

/** A runtime with its surroundings, freed at the end of the test. */
export class Bench {
  readonly log: LogBook;
  readonly runtime: Runtime;
  readonly socketPath: string;
  readonly #home: InstanceHome;
  #instances = 0;

  static async open(
    ends: Ends,
    create: CreateRuntime,
    options: {
      caller?: Caller;
      calls?: CallSink;
      components?: readonly string[];
      publisher?: Publisher;
      clock?: Clock;
    } = {},
  ): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-runtime-'));
    const socketPath = join(folder, 'wire.sock');
    const log = new LogBook();
    const runtime = await create({
      socketPath,
      clock: options.clock ?? systemClock,
      logger: silentLogger,
      baseEnv: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test' },
    });
    ends.after(async () => {
      await runtime.close();
      await rm(folder, { recursive: true });
    });
    const { caller = NO_CALLER, calls = NO_CALL_SINK, publisher = NO_PUBLISHER } = options;
    const components = (): readonly string[] => options.components ?? [];
    return new Bench(runtime, socketPath, { caller, calls, components, publisher, log, env: {} }, log);
  }

  private constructor(runtime: Runtime, socketPath: string, home: InstanceHome, log: LogBook) {
    this.#home = home;
    this.runtime = runtime;
    this.socketPath = socketPath;
    this.log = log;
  }

  /** See `Runtime.keepZygote`. */
  keepZygote(revision: Revision, keepAliveMs: number | null): void {
    this.runtime.keepZygote(revision, this.#home, keepAliveMs);
  }

  /** Starts an instance of `fixtures/<fixture>.mjs`. */
  start(
    fixture: string,
    order: Partial<StartOrder> = {},
    env: Record<string, string> = {},
  ): Promise<Instance> {
    return this.startRevision(moduleRevision('shop', fixturePath(`${fixture}.mjs`), { env }), order);
  }

  /** Starts an instance of a group of `members`. */
  startGroup(members: readonly ModuleRevision[], order: Partial<StartOrder> = {}): Promise<Instance> {
    const specs = members.map(({ spec }) => spec);
    const spec = {
      kind: 'group',
      name: 'core',
      members: specs,
      ...SETTINGS,
      zygoteKeepAliveMs: 600_000,
    } as unknown as GroupSpec;
    const env = Object.assign({}, ...members.map((member) => member.env)) as Record<string, string>;
    return this.startRevision(
      { kind: 'group', id: 'ba9876543210', env, envDigest: '', spec, members },
      order,
    );
  }

  startRevision(revision: Revision, order: Partial<StartOrder> = {}): Promise<Instance> {
    return this.runtime.start({
      instanceId: `i_${++this.#instances}`,
      revision,
      home: this.#home,
      mode: 'function',
      concurrency: 100,
      memoryBytes: 256 * MB,
      inspectPort: null,
      signal: new AbortController().signal,
      ...order,
    });
  }
}

const SETTINGS = { function: { memoryBytes: 256 * MB }, service: { memoryBytes: 256 * MB } };

/** Of the module at `path`, as a component by itself or a member of a group. */
export function moduleRevision(
  name: string,
  path: string,
  more: { env?: Record<string, string>; calls?: readonly string[] | null; timeoutMs?: number } = {},
): ModuleRevision {
  const { env = {}, calls = null, timeoutMs = 30_000 } = more;
  const settings = { timeoutMs, memoryBytes: 256 * MB };
  const spec = {
    kind: 'module',
    name,
    calls,
    zygoteKeepAliveMs: 600_000,
    function: settings,
    service: settings,
  };
  return {
    kind: 'module',
    id: '0123456789ab',
    env,
    envDigest: '',
    spec: spec as unknown as ModuleSpec,
    bundle: { path, filesRoot: fixturePath(''), digest: '', sizeBytes: 1, sources: [] },
  };
}

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** Keeps what is logged, and waits for what is not logged yet. */
export class LogBook implements LogSink {
  readonly entries: LogEntry[] = [];
  readonly #waiting = new Set<() => void>();

  write(entry: LogEntry): void {
    this.entries.push(entry);
    for (const look of this.#waiting) look();
  }

  /** The first entry whose text matches. */
  until(pattern: RegExp): Promise<LogEntry> {
    return new Promise((resolve) => {
      let looked = 0;
      const look = (): void => {
        for (; looked < this.entries.length; looked++) {
          if (!pattern.test(this.entries[looked]!.text)) continue;
          this.#waiting.delete(look);
          resolve(this.entries[looked]!);
          return;
        }
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A context whose signal the test holds. */
export class TestInvocation {
  readonly #abort = new AbortController();
  readonly context: InvocationContext;

  constructor(requestId = 'r_test', timeoutMs = 60_000, component = 'hello') {
    this.context = {
      component,
      call: null,
      requestId,
      traceparent: TRACEPARENT,
      trigger: 'route',
      deadlineMs: systemClock.monotonicMs() + timeoutMs,
      signal: this.#abort.signal,
    };
  }

  abort(code: ErrorCode): void {
    this.#abort.abort(new FulcrumError(code, `told by the test: ${code}`));
  }
}

export interface AskOptions {
  method?: string;
  headers?: string[];
  body?: BodySource | Uint8Array | null;
  invocation?: TestInvocation;
}

/** Sends a request; what comes back is in what it returns. */
export function ask(instance: Instance, target: string, options: AskOptions = {}): Answer {
  const answer = new Answer(options.invocation ?? new TestInvocation());
  const body = options.body ?? null;
  const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
  const exchange: HttpExchange = {
    ended: resolve,
    context: answer.invocation.context,
    head: {
      method: options.method ?? (body === null ? 'GET' : 'POST'),
      url: `http://shop.example${target}`,
      target,
      headers: options.headers ?? [],
    },
    body: body instanceof Uint8Array ? new BytesBody(body) : body,
    response: answer,
  };
  instance.http(exchange);
  answer.outcome = promise.then((end) => {
    answer.over(end);
    return end;
  });
  return answer;
}

/** What came back for a request. As a sink it takes everything, until it is told to be full. */
export class Answer implements ResponseSink {
  readonly invocation: TestInvocation;
  /** How the invocation ended. */
  outcome!: Promise<InvocationEnd>;
  status = 0;
  headers: readonly string[] = [];
  bytes = 0;
  whole = false;
  /** Keeps no bytes and takes no more than the next chunk, until it is false again. */
  full = false;
  readonly #chunks: Uint8Array[] = [];
  #resume: (() => void) | null = null;
  #over = false;
  readonly #waiting = new Set<() => void>();

  constructor(invocation: TestInvocation) {
    this.invocation = invocation;
  }

  head(head: ResponseHead): void {
    if (this.status !== 0) throw new Error('a second head');
    this.status = head.status;
    this.headers = head.headers;
    this.#changed();
  }

  data(chunk: Uint8Array): boolean {
    if (this.status === 0 || this.whole || this.#over) throw new Error('data out of turn');
    this.bytes += chunk.length;
    if (!this.full) this.#chunks.push(Uint8Array.from(chunk));
    this.#changed();
    return !this.full;
  }

  end(): void {
    if (this.status === 0 || this.whole || this.#over) throw new Error('end out of turn');
    this.whole = true;
    this.#changed();
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  /** Takes what it was too full for. */
  drain(): void {
    this.full = false;
    this.#resume?.();
  }

  over(_end: InvocationEnd): void {
    this.#over = true;
    this.#changed();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  async json(): Promise<unknown> {
    await this.outcome;
    return JSON.parse(this.text);
  }

  header(name: string): string[] {
    return this.headers.filter((_, i) => i % 2 === 1 && this.headers[i - 1]!.toLowerCase() === name);
  }

  /** Resolves when `reached` is true of it; rejects where the invocation ends before. */
  until(reached: (answer: this) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (reached(this)) {
          this.#waiting.delete(look);
          resolve();
        } else if (this.#over) {
          this.#waiting.delete(look);
          void this.outcome.then((end) =>
            reject(new Error(`over before it came to that: ${end.outcome}`, { cause: end.error })),
          );
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}

/** A body that is all there. */
class BytesBody implements BodySource {
  readonly lengthBytes: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.lengthBytes = bytes.length;
  }

  read(reader: BodyReader): void {
    reader.data(this.#bytes);
    reader.end();
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

/** A body that is sent as fast as it is taken, 64 KB at a time. */
export class FastBody implements BodySource {
  readonly lengthBytes = null;
  sent = 0;
  cancelled = false;
  readonly #total: number;
  #reader: BodyReader | null = null;
  #paused = false;
  readonly #onPause: () => void;

  constructor(total: number, onPause: () => void = () => undefined) {
    this.#total = total;
    this.#onPause = onPause;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    this.#flow();
  }

  pause(): void {
    this.#paused = true;
    this.#onPause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  cancel(): void {
    this.cancelled = true;
  }

  fail(error: FulcrumError): void {
    this.#reader?.fail(error);
    this.#reader = null;
  }

  #flow(): void {
    while (!this.#paused && !this.cancelled && this.#reader !== null) {
      if (this.sent >= this.#total) {
        this.#reader.end();
        this.#reader = null;
        return;
      }
      this.sent += 65_536;
      this.#reader.data(new Uint8Array(65_536).fill(121));
    }
  }
}

export function json(value: unknown): Payload {
  return { encoding: 'json', bytes: Buffer.from(JSON.stringify(value)) };
}

export function call(
  instance: Instance,
  name: string,
  args: Payload,
  invocation: TestInvocation = new TestInvocation(),
): Promise<InvocationResult> {
  return instance.invoke({ kind: 'call', function: name, args }, invocation.context);
}

/** What a payload in JSON says. */
export function valueOf(result: InvocationResult): unknown {
  if (result.value === null) throw new Error(`it ended as ${result.outcome}`, { cause: result.error });
  return JSON.parse(Buffer.from(result.value.bytes).toString('utf8'));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
