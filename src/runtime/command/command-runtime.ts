import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { resourcesExhausted } from '../../base/exhausted.ts';
import { authorLine } from '../../base/author-stack.ts';
import type { Logger } from '../../base/log.ts';
import type { Instance, Runtime, StartOrder } from '../../model/instance.ts';
import type { LogEntry } from '../../model/log.ts';
import type { CommandRevision } from '../../model/revision.ts';
import { ManagedProcess } from '../process/managed-process.ts';
import { MemoryWatch } from '../process/memory-watch.ts';
import { sandboxEnv } from '../sandbox/environment.ts';
import { launch, type Program } from '../sandbox/launch.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { shellLine } from './command-line.ts';
import { CommandInstance } from './command-instance.ts';
import { ranOutOfThreads } from '../process/out-of-threads.ts';
import { isPortHeld, PortPool } from './port-pool.ts';
import type { Address } from './probe.ts';
import { untilReady } from './readiness.ts';
import { startFailed } from './start-failure.ts';

export interface CommandRuntimeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What every program's environment begins with (PATH, HOME, …); nothing else of the server's reaches it. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The sandbox for a revision's programs; null: none. Throws `isolation-missing` where it must not run without. */
  readonly sandboxOf?: (revision: CommandRevision) => SandboxPlan | null;
  /** Where the sandbox's launcher keeps its compiled code; instances cannot write it. */
  readonly compileCacheFolder?: string;
  /** How long a program may take until it listens. Default 30 s. */
  readonly startLimitMs?: number;
}

const START_LIMIT_MS = 30_000;
/** Ports to try where others take them first. */
const MAX_PORTS = 3;

/** The runtime of command components: any program that listens on `$PORT`. */
export function createCommandRuntime(options: CommandRuntimeOptions): Runtime {
  return new CommandRuntime(options);
}

class CommandRuntime implements Runtime {
  readonly engine = 'command';
  readonly #options: CommandRuntimeOptions;
  readonly #ports = new PortPool();
  readonly #memory: MemoryWatch;
  /** All that live, those that still start too. */
  readonly #processes = new Set<ManagedProcess>();
  #closed = false;

  constructor(options: CommandRuntimeOptions) {
    this.#options = options;
    this.#memory = new MemoryWatch(options.clock);
  }

  async start(order: StartOrder): Promise<Instance> {
    const { revision } = order;
    if (revision.kind !== 'command') {
      throw new FulcrumError('internal', `The command runtime was given a ${revision.kind} component.`);
    }
    for (let attempt = 1; ; attempt++) {
      if (this.#closed) throw new FulcrumError('shutting-down', 'The command runtime is closed.');
      const port = await this.#ports.take();
      try {
        return await this.#startOn(port, order, revision);
      } catch (error) {
        this.#ports.give(port);
        // Only a program that ended can have met a taken port; who holds it now is no descendant, for those are dead.
        const ended = error instanceof FulcrumError && typeof error.details['exitCode'] === 'number';
        const clash = ended && (await isPortHeld(port));
        if (!clash || attempt === MAX_PORTS || order.signal.aborted) throw error;
        this.#options.logger.info(
          { component: revision.spec.name, port },
          'port taken by another; trying again',
        );
      }
    }
  }

  keepZygote(): void {
    // There is none.
  }

  forget(): void {
    // Nothing is kept from one instance for the next.
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#memory.close();
    for (const process of this.#processes) process.kill();
    await Promise.all([...this.#processes].map((process) => process.ended));
  }

  /** Gives the port back by itself only once an instance that was made has ended. */
  async #startOn(port: number, order: StartOrder, revision: CommandRevision): Promise<Instance> {
    const { clock } = this.#options;
    const process = await this.#launch(port, order, revision);
    const address = await this.#awaitReady(process, port, order, revision);
    void process.ended.then(() => this.#ports.give(port));
    return new CommandInstance({ order, revision, process, address, clock, memory: this.#memory });
  }

  async #launch(port: number, order: StartOrder, revision: CommandRevision): Promise<ManagedProcess> {
    order.signal.throwIfAborted();
    const { baseEnv, clock, compileCacheFolder } = this.#options;
    const { spec } = revision;
    const sandbox = this.#options.sandboxOf?.(revision) ?? null;
    const program: Program = {
      file: '/bin/sh',
      args: ['-c', shellLine(spec.command)],
      env: {
        ...sandboxEnv(baseEnv, sandbox),
        ...order.home.env,
        ...revision.env,
        PORT: String(port),
        HOST: '127.0.0.1',
      },
    };
    const process = await ManagedProcess.start({
      ...(sandbox === null
        ? program
        : launch(sandbox, program, compileCacheFolder === undefined ? {} : { compileCacheFolder })),
      shell: false,
      cwd: spec.cwd,
      stdin: null,
      onLine: (stream, text) =>
        this.#line(order, stream, stream === 'stdout' ? 'info' : 'warn', authorLine(text, spec.cwd)),
      clock,
    });
    this.#processes.add(process);
    void process.ended.then(() => this.#processes.delete(process));
    // It was closed while the system started it.
    if (this.#closed) process.kill();
    return process;
  }

  async #awaitReady(
    process: ManagedProcess,
    port: number,
    order: StartOrder,
    revision: CommandRevision,
  ): Promise<Address> {
    const { spec } = revision;
    const kill = (): void => process.kill();
    order.signal.addEventListener('abort', kill, { once: true });
    try {
      const readiness = await untilReady({
        process,
        port,
        healthPath: spec.healthPath,
        limitMs: this.#options.startLimitMs ?? START_LIMIT_MS,
        clock: this.#options.clock,
        signal: order.signal,
        listensElsewhere: (ports) =>
          this.#line(
            order,
            'platform',
            'warn',
            `It listens on ${ports.join(', ')}, not on $PORT (${port}); still waiting.`,
          ),
      });
      order.signal.throwIfAborted();
      if ('address' in readiness) return readiness.address;
      process.kill();
      await process.ended;
      const output = process.lastOutput();
      if ('end' in readiness.problem && ranOutOfThreads(readiness.problem.end, output))
        throw resourcesExhausted(`Component "${spec.name}" could not be started`, 'EAGAIN');
      throw startFailed({ component: spec.name, command: spec.command, port, output }, readiness.problem);
    } catch (error) {
      process.kill();
      await process.ended;
      throw error;
    } finally {
      order.signal.removeEventListener('abort', kill);
    }
  }

  #line(order: StartOrder, stream: LogEntry['stream'], level: LogEntry['level'], text: string): void {
    order.home.log.write({
      atMs: this.#options.clock.nowMs(),
      component: order.revision.spec.name,
      stream,
      level,
      text,
      instance: order.instanceId,
      revision: order.revision.id,
      requestId: null,
      fields: null,
    });
  }
}
