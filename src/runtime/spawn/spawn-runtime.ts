import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import { formatBytes } from '../../base/bytes.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Logger } from '../../base/log.ts';
import type { Caller } from '../../model/calls.ts';
import type { Instance, Runtime, StartOrder } from '../../model/instance.ts';
import type { LogSink } from '../../model/log.ts';
import type { ModuleRevision } from '../../model/revision.ts';
import { ManagedProcess } from '../process/managed-process.ts';
import { MemoryWatch } from '../process/memory-watch.ts';
import { InstanceLog } from '../wire/instance-log.ts';
import { WireListener } from '../wire/listener.ts';
import { introduce, startFailed } from '../wire/introduce.ts';
import type { WireInstance } from '../wire/wire-instance.ts';
import { heapFlags } from './heap-flags.ts';

export interface SpawnRuntimeOptions {
  /** Where the runtime listens for its instances: at most 107 bytes, in a folder of mode 0700 (made where there is none). */
  socketPath: string;
  clock: Clock;
  logger: Logger;
  log: LogSink;
  caller: Caller;
  /** What surrounds the components' own variables: PATH, HOME, TMPDIR, NODE_ENV, … Nothing else of the server's is passed on. */
  baseEnv: Readonly<Record<string, string>>;
  /** The Node that runs the components; the server's own by default. */
  nodePath?: string;
  /**
   * Where Node keeps what it has compiled, so that the next instance need not: a start from TypeScript sources took 176 ms
   * of CPU time without it and 42 ms with it (Node's own 21 ms included). A folder beside the socket by default.
   */
  compileCacheFolder?: string;
  /** How long an instance may take to load its module. 10 s by default. */
  startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 10_000;

/** Node reads these once, when it begins, so that they cannot come over the wire with the rest. None is a secret. */
const READ_AT_START = [
  'TZ',
  'LANG',
  'LC_ALL',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'UV_THREADPOOL_SIZE',
];

/** Opens a runtime that starts a plain Node process for each instance of a module. Throws what {@link WireListener.open} throws. */
export async function createSpawnRuntime(options: SpawnRuntimeOptions): Promise<Runtime> {
  const listener = await WireListener.open(options.socketPath, options.clock, options.logger);
  return new SpawnRuntime(options, listener);
}

class SpawnRuntime implements Runtime {
  readonly engine = 'spawn';
  readonly #options: SpawnRuntimeOptions;
  readonly #listener: WireListener;
  readonly #memory: MemoryWatch;
  readonly #processes = new Set<ManagedProcess>();
  #state: 'open' | 'closed' = 'open';

  constructor(options: SpawnRuntimeOptions, listener: WireListener) {
    this.#options = options;
    this.#listener = listener;
    this.#memory = new MemoryWatch(options.clock);
  }

  async start(order: StartOrder): Promise<Instance> {
    const { revision, instanceId, signal } = order;
    if (revision.kind !== 'module') {
      throw new FulcrumError(
        'internal',
        `The spawn engine runs modules only, and ${revision.spec.name} is a command.`,
      );
    }
    if (signal.aborted) throw givenUp(revision, signal.reason);
    if (this.#state === 'closed') throw new FulcrumError('shutting-down', 'The runtime has been closed.');
    const { clock, log } = this.#options;
    const lines = new InstanceLog(log, clock, {
      component: revision.spec.name,
      instance: instanceId,
      revision: revision.id,
    });
    const expected = this.#listener.expect(instanceId);
    const stop = Promise.withResolvers<never>();
    // It may reject before it is raced.
    stop.promise.catch(() => undefined);
    const onAbort = (): void => stop.reject(givenUp(revision, signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    const timeoutMs = this.#options.startTimeoutMs ?? START_TIMEOUT_MS;
    const timer = clock.after(timeoutMs, () => stop.reject(tooSlow(revision, timeoutMs)));
    let child: ManagedProcess | null = null;
    try {
      child = await this.#spawn(order, revision, expected.token, lines);
      const introduced = introduce({
        engine: this.engine,
        order,
        revision,
        process: child,
        admitted: expected.admitted,
        lines,
        baseEnv: this.#options.baseEnv,
        clock,
        caller: this.#options.caller,
      });
      return this.#watched(await Promise.race([introduced, stop.promise]), order.memoryBytes);
    } catch (error) {
      child?.kill();
      await child?.ended;
      throw withOutput(asFulcrumError(error, 'start-failed'), lines.lastOutput());
    } finally {
      lines.started();
      expected.cancel();
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#memory.close();
    const processes = [...this.#processes];
    for (const child of processes) child.kill();
    await Promise.all(processes.map((child) => child.ended));
    await this.#listener.close();
  }

  async #spawn(
    order: StartOrder,
    revision: ModuleRevision,
    token: string,
    lines: InstanceLog,
  ): Promise<ManagedProcess> {
    const { baseEnv, clock, socketPath } = this.#options;
    const cache = this.#options.compileCacheFolder ?? join(dirname(socketPath), 'compiled');
    const early = READ_AT_START.flatMap((name) => {
      const value = revision.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const inspect = order.inspectPort === null ? [] : [`--inspect=127.0.0.1:${order.inspectPort}`];
    const child = await ManagedProcess.start({
      file: this.#options.nodePath ?? process.execPath,
      args: [...heapFlags(order.memoryBytes), ...inspect, childMain()],
      shell: false,
      cwd: revision.bundle.filesRoot,
      env: { ...baseEnv, ...Object.fromEntries(early), NODE_COMPILE_CACHE: cache },
      stdin: `${JSON.stringify({ socketPath: this.#listener.socketPath, instance: order.instanceId, token })}\n`,
      onLine: (stream, text) => lines.raw(stream, text),
      clock,
    });
    this.#processes.add(child);
    void child.ended.then(() => this.#processes.delete(child));
    if (this.#state === 'closed') child.kill();
    return child;
  }

  #watched(instance: WireInstance, memoryBytes: number): WireInstance {
    const forget = this.#memory.watch({
      pid: instance.pid,
      memoryBytes,
      exceeded: (heldBytes) => {
        const message = `The instance held ${formatBytes(heldBytes)} of memory, where it may hold ${formatBytes(memoryBytes)}. Raise \`memory\`, or hold less at a time.`;
        instance.fail(new FulcrumError('memory-exceeded', message, { details: { heldBytes, memoryBytes } }));
      },
    });
    void instance.ended.then(forget);
    return instance;
  }
}

/** The child's program: a source file beside this one, or what the build has made of it. */
function childMain(): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../child/main.${ending}`, import.meta.url));
}

function tooSlow(revision: ModuleRevision, timeoutMs: number): FulcrumError {
  const why = `its module was not loaded within ${formatDuration(timeoutMs)}; move slow work from its top level into its handlers`;
  return startFailed(revision.spec.name, why);
}

function givenUp(revision: ModuleRevision, reason: unknown): FulcrumError {
  const message = `The start of the component ${revision.spec.name} was given up.`;
  return new FulcrumError('start-failed', message, { cause: reason });
}

function withOutput(error: FulcrumError, output: string): FulcrumError {
  const stack = error.details['stack'];
  const whole = typeof stack === 'string' ? `${stack}\n${output}`.trim() : output;
  return new FulcrumError(error.code, error.message, {
    cause: error.cause ?? error,
    details: { output: whole },
  });
}
