import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Instance, Runtime, StartOrder } from '../../model/instance.ts';
import { filesRootOf, type CodeRevision } from '../../model/revision.ts';
import { ManagedProcess } from '../process/managed-process.ts';
import { MemoryWatch } from '../process/memory-watch.ts';
import { sandboxEnv } from '../sandbox/environment.ts';
import { launch, type Program } from '../sandbox/launch.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { unitText } from '../wire/group-members.ts';
import { InstanceLog } from '../wire/instance-log.ts';
import { WireListener } from '../wire/listener.ts';
import { introduce } from '../wire/introduce.ts';
import { limitMemory } from '../wire/limit-memory.ts';
import type { WireInstance } from '../wire/wire-instance.ts';
import { heapFlags } from './heap-flags.ts';
import { READ_AT_START } from './read-at-start.ts';
import { givenUp, withOutput } from './start-errors.ts';
import { StartLimit } from './start-limit.ts';

export interface SpawnRuntimeOptions {
  /** Where the runtime listens for its instances: at most 107 bytes, in a folder of mode 0700 (made where there is none). */
  socketPath: string;
  clock: Clock;
  logger: Logger;
  /** What surrounds the components' own variables: PATH, HOME, TMPDIR, NODE_ENV, … Nothing else of the server's is passed on. */
  baseEnv: Readonly<Record<string, string>>;
  /** The Node that runs the components; the server's own by default. */
  nodePath?: string;
  /**
   * Where Node keeps what it has compiled, so that the next instance need not: a start from TypeScript sources took 176 ms
   * of CPU time without it and 42 ms with it (Node's own 21 ms included). A folder beside the socket by default. In a sandbox
   * it is read and not written.
   */
  compileCacheFolder?: string;
  /** Has a socket hold more of what is sent to it; instances do so themselves, too. Where Node has foreign functions; not by default. */
  widen?: (descriptor: number) => void;
  /** The sandbox for a revision's processes; null: none. Throws `isolation-missing` where it must not run without. */
  sandboxOf?: (revision: CodeRevision) => SandboxPlan | null;
  /** How long an instance may take to load its module. 10 s by default. */
  startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 10_000;
/** Between its start and its token: Node's own start, which takes 20 to 60 ms, or 3 s of a hundred at once on two processors. */
const SILENT_MS = 5_000;

/** Opens a runtime that starts a plain Node process for each instance of a module. Throws what {@link WireListener.open} throws. */
export async function createSpawnRuntime(options: SpawnRuntimeOptions): Promise<Runtime> {
  // A component with a user of its own, which of the socket's folder sees the socket alone, must be able to open it.
  const mode = options.sandboxOf === undefined ? 0o600 : 0o666;
  const listener = await WireListener.open(
    options.socketPath,
    options.clock,
    options.logger,
    mode,
    options.widen,
  );
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
    if (revision.kind === 'command') {
      throw new FulcrumError(
        'internal',
        `The spawn engine runs modules only, and ${revision.spec.name} is a command.`,
      );
    }
    if (signal.aborted) throw givenUp(revision, signal.reason);
    if (this.#state === 'closed') throw new FulcrumError('shutting-down', 'The runtime has been closed.');
    const { clock } = this.#options;
    const lines = InstanceLog.of(revision, instanceId, order.home.log, clock);
    const expected = this.#listener.expect(instanceId);
    const timeoutMs = this.#options.startTimeoutMs ?? START_TIMEOUT_MS;
    const limit = new StartLimit(revision, signal, clock, timeoutMs);
    let child: ManagedProcess | null = null;
    try {
      const sandbox = this.#options.sandboxOf?.(revision) ?? null;
      child = await this.#spawn(order, revision, expected.token, lines, sandbox);
      const introduced = introduce({
        engine: this.engine,
        order,
        revision,
        process: child,
        admitted: expected.admitted,
        lines,
        baseEnv: sandboxEnv(this.#options.baseEnv, sandbox),
        clock,
      });
      const silent = whenSilent(expected.admitted, revision, clock);
      let instance: WireInstance;
      try {
        instance = await Promise.race([introduced, limit.passed, silent.passed]);
      } finally {
        silent.cancel();
      }
      limitMemory(this.#memory, instance, order.memoryBytes);
      return instance;
    } catch (error) {
      child?.kill();
      await child?.ended;
      throw withOutput(asFulcrumError(error, 'start-failed'), lines.lastOutput());
    } finally {
      lines.started();
      expected.cancel();
      limit.cancel();
    }
  }

  keepZygote(): void {
    // There is none.
  }

  forget(): void {
    // Nothing is kept from one instance for the next.
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
    revision: CodeRevision,
    token: string,
    lines: InstanceLog,
    sandbox: SandboxPlan | null,
  ): Promise<ManagedProcess> {
    const { baseEnv, clock, socketPath } = this.#options;
    const cache = this.#options.compileCacheFolder ?? join(dirname(socketPath), 'compiled');
    const early = READ_AT_START.flatMap((name) => {
      const value = revision.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const inspect = order.inspectPort === null ? [] : [`--inspect=127.0.0.1:${order.inspectPort}`];
    const program: Program = {
      file: this.#options.nodePath ?? process.execPath,
      args: [...heapFlags(order.memoryBytes), ...inspect, childMain()],
      env: { ...sandboxEnv(baseEnv, sandbox), ...Object.fromEntries(early), NODE_COMPILE_CACHE: cache },
    };
    // A server that is not root could not measure it any more.
    const untraced = sandbox !== null && sandbox.uid !== null;
    const widens = this.#options.widen !== undefined;
    const child = await ManagedProcess.start({
      ...(sandbox === null ? program : launch(sandbox, program, { compileCacheFolder: cache })),
      shell: false,
      cwd: filesRootOf(revision),
      stdin: `${JSON.stringify({ socketPath: this.#listener.socketPath, instance: order.instanceId, token, untraced, widens })}\n`,
      onLine: (stream, text) => lines.raw(stream, text),
      clock,
    });
    this.#processes.add(child);
    void child.ended.then(() => this.#processes.delete(child));
    if (this.#state === 'closed') child.kill();
    return child;
  }
}

/**
 * Rejects where a process has not shown its token in time. It does so before it loads the module: Node was kept from coming up, as where it
 * is refused a thread and waits for that thread for ever (seen with Node 26 in a control group with `pids.max`).
 */
function whenSilent(
  admitted: Promise<unknown>,
  revision: CodeRevision,
  clock: Clock,
): { readonly passed: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const text = `${unitText(revision)} could not be started: Node did not come up within ${formatDuration(SILENT_MS)}. The machine has too much to do, or refuses it threads (a limit of processes).`;
  const timer = clock.after(SILENT_MS, () =>
    reject(new FulcrumError('resources-exhausted', text, { details: { code: 'EAGAIN' }, retryAfterS: 1 })),
  );
  void admitted.then(() => timer.cancel());
  return { passed: promise, cancel: () => timer.cancel() };
}

/** The child's program: a source file beside this one, or what the build has made of it. */
function childMain(): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../child/main.${ending}`, import.meta.url));
}
