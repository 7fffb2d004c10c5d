import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, InstanceHome, Runtime } from '../model/instance.ts';
import type { Mode, UnitSpec } from '../model/app.ts';
import { createCommandRuntime } from '../runtime/command/command-runtime.ts';
import { createSpawnRuntime, type SpawnRuntimeOptions } from '../runtime/spawn/spawn-runtime.ts';
import type { ForkRuntime } from '../runtime/fork/fork-runtime.ts';
import { forkEngineMissing } from '../runtime/fork/support.ts';
import { modeFor } from '../scaling/mode-settings.ts';
import type { AppSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import type { SandboxStatus } from '../model/status.ts';
import { tryNamespaces } from '../runtime/sandbox/trial.ts';
import { routeOf } from '../runtime/sandbox/plan.ts';
import { probeMachine } from '../runtime/sandbox/probe.ts';
import { InstanceCache } from './instance-cache.ts';
import { Sandboxes } from './sandboxes.ts';

/** Memory of a function where its config names none: what most are forked from is started with the server. */
const USUAL_MEMORY_BYTES = 128 * 1024 * 1024;
const FOR_FUNCTIONS =
  'services run as plain Node processes: those compile and collect garbage on further threads, and start only once';

/** Which engine a unit uses, and why not the fork engine. */
export interface EngineChoice {
  readonly engine: Engine;
  readonly reason: string | null;
}

export interface EnginesOptions extends Omit<SpawnRuntimeOptions, 'sandboxOf'> {
  readonly compileCacheFolder: string;
  /** The server's own, which no component sees. */
  readonly dataDirectory: string;
  /** For the sandboxes: made, and removed when the engines are closed. */
  readonly sandboxFolder: string;
}

interface Parts {
  readonly command: Runtime;
  readonly spawn: Runtime;
  readonly fork: ForkRuntime | null;
  readonly forkMissing: string | null;
  readonly sandboxes: Sandboxes;
  readonly cache: InstanceCache | null;
}

/** The part of the engines that belongs to one release. */
export interface EngineScope {
  /**
   * Makes what instances of these revisions need, before the first is started.
   * @throws FulcrumError `isolation-missing` where a component insists on more than the machine has.
   */
  prepare(app: AppSpec, revisions: Iterable<Revision>): Promise<void>;
  /** Call when what was prepared last serves. */
  deployed(app: AppSpec): void;
  /** What of a sandbox a unit's instances have on `engine`. */
  sandbox(unit: string, engine: Engine): SandboxStatus | null;
  /** Call when no instance of the release is wanted any more: what still lives of it is killed. */
  close(): Promise<void>;
}

/** The ways to make instances, the choice among them, and the sandboxes that all instances run in. */
export class Engines {
  readonly #parts: Parts;

  static async open(options: EnginesOptions): Promise<Engines> {
    const { sandboxFolder, dataDirectory, socketPath, baseEnv, logger } = options;
    // Apart from what the server itself keeps: components' users read it.
    const compileCacheFolder = join(options.compileCacheFolder, 'instances');
    const root = join(sandboxFolder, 'root');
    await mkdir(root, { recursive: true, mode: 0o700 });
    const [forkMissing, machine] = await Promise.all([
      forkEngineMissing(),
      probeMachine().then((probed) => tryNamespaces(probed, root)),
    ]);
    const nodePath = options.nodePath ?? process.execPath;
    /** What is open so far, to be closed where the rest cannot be. */
    const opened: { close(): Promise<unknown> }[] = [];
    const kept = <T extends { close(): Promise<unknown> }>(part: T): T => {
      opened.push(part);
      return part;
    };
    try {
      const cache = machine.ffi ? kept(await InstanceCache.open(compileCacheFolder, nodePath, logger)) : null;
      const sandboxes = kept(
        await Sandboxes.open({
          machine,
          folder: sandboxFolder,
          socketPath,
          nodePath,
          compileCacheFolder,
          dataDirectory,
          path: baseEnv['PATH'] ?? '',
          logger,
        }),
      );
      // Not before it is known to be there: it calls foreign functions.
      const native = machine.ffi ? await import('../runtime/native/socket-buffer.ts') : null;
      const sandboxed = {
        ...options,
        ...(native !== null && { widen: native.widenSendBuffer }),
        compileCacheFolder,
        sandboxOf: (revision: Revision) => sandboxes.planFor(revision, 'program'),
      };
      const spawn = kept(await createSpawnRuntime(machine.ffi ? sandboxed : options));
      const command = kept(createCommandRuntime(sandboxed));
      let fork: ForkRuntime | null = null;
      if (forkMissing === null) {
        const { ForkRuntime } = await import('../runtime/fork/fork-runtime.ts');
        fork = new ForkRuntime({
          ...options,
          fallback: spawn,
          inUserNamespace: routeOf(machine, 'function').route === 'user-namespace',
          waitsForRoots: (revision) => sandboxes.isWeakerAsProgram(revision),
          sites: sandboxes.sites,
          sandboxFor: (revision) => Promise.try(() => sandboxes.planFor(revision, 'function')),
        });
        fork.prepare(USUAL_MEMORY_BYTES);
      }
      return new Engines({ command, spawn, fork, forkMissing, sandboxes, cache });
    } catch (error) {
      for (const part of opened.toReversed()) await part.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What one release's instances need beside the runtimes, apart from every other release's. */
  openScope(app: string, home: InstanceHome): EngineScope {
    const { sandboxes, cache, command, spawn, fork } = this.#parts;
    const scope = sandboxes.openScope(app);
    return {
      prepare: async (spec, revisions) => {
        await scope.prepare(spec, revisions, (unit) =>
          this.runtimeFor(unit, modeFor(unit.modeSetting)).engine === 'fork' ? 'function' : 'program',
        );
        for (const uid of scope.uids()) void cache?.share(uid);
        // Folders of these may have been mounted since.
        fork?.renew();
      },
      deployed: (spec) => scope.deployed(spec),
      sandbox: (unit, engine) => scope.status(unit, engine === 'fork' ? 'function' : 'program'),
      close: async () => {
        for (const runtime of [command, spawn, fork]) runtime?.forget(home);
        await scope.close();
      },
    };
  }

  runtimeFor(spec: UnitSpec, mode: Mode): Runtime {
    const { command, fork, spawn } = this.#parts;
    if (spec.kind === 'command') return command;
    return mode === 'function' && fork !== null ? fork : spawn;
  }

  /** @param revision the id of the one that runs. */
  choice(spec: UnitSpec, mode: Mode, revision: string | null): EngineChoice {
    if (spec.kind === 'command') return { engine: 'command', reason: null };
    if (mode === 'service') return { engine: 'spawn', reason: FOR_FUNCTIONS };
    const { fork, forkMissing } = this.#parts;
    if (fork === null) return { engine: 'spawn', reason: forkMissing };
    const reason = revision === null ? null : fork.unsuitedReason(spec.name, revision);
    return { engine: reason === null ? 'fork' : 'spawn', reason };
  }

  async close(): Promise<void> {
    const { command, fork, spawn, sandboxes, cache } = this.#parts;
    // The fork engine closes the one behind it.
    await Promise.all([command.close(), (fork ?? spawn).close()]);
    await Promise.all([sandboxes.close(), cache?.close()]);
  }
}
