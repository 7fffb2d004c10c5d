import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { machineMemory } from '../../base/machine-memory.ts';
import { RecentMap } from '../../base/recent-map.ts';
import type { Instance, InstanceHome, Runtime, StartOrder } from '../../model/instance.ts';
import { bundlesOf, type CodeRevision, type Revision } from '../../model/revision.ts';
import { MemoryWatch } from '../process/memory-watch.ts';
import type { BlankSites } from '../sandbox/blank-sites.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { READ_AT_START } from '../spawn/read-at-start.ts';
import { givenUp, withOutput } from '../spawn/start-errors.ts';
import { StartLimit } from '../spawn/start-limit.ts';
import { InstanceLog } from '../wire/instance-log.ts';
import type { WireInstance } from '../wire/wire-instance.ts';
import { limitMemory } from '../wire/limit-memory.ts';
import { startAlone } from './alone.ts';
import { zygotesToEnd, type IdleZygote } from './keep-alive.ts';
import type { Root } from './root.ts';
import { Roots } from './roots.ts';
import { Zygote } from './zygote.ts';
import { ZygoteLost } from './zygote-lost.ts';

export interface ForkRuntimeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What surrounds the components' own variables. Nothing else of the server's is passed on. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Makes the instances of revisions that cannot be forked, and those with an inspector. Closed with this one. */
  readonly fallback: Runtime;
  /** The sandbox for a revision; null: none. Rejects with `start-failed` where it cannot be had. */
  readonly sandboxFor?: (revision: CodeRevision) => Promise<SandboxPlan | null>;
  /** Zygotes are made in a user namespace, for plans of that route. False by default. */
  readonly inUserNamespace?: boolean;
  /** Where zygotes wait, in the sandbox' part that all have in common, until it is known whose they are. None do by default. */
  readonly sites?: BlankSites | null;
  /** The Node that runs the components; the server's own by default. */
  readonly nodePath?: string;
  /** Where root zygotes keep our own modules compiled; those of functions too where they have no sandbox. Nowhere by default. */
  readonly compileCacheFolder?: string;
  /** How long an instance may take to load its module. 10 s by default. */
  readonly startTimeoutMs?: number;
  /**
   * Whether starts of a revision wait for a root zygote that is being started, and do not go to `fallback` instead, where the sandbox
   * may be weaker. They do not by default.
   */
  readonly waitsForRoots?: (revision: CodeRevision) => boolean;
}

const START_TIMEOUT_MS = 10_000;
/** How often zygotes are looked for that have been without an instance for their keep-alive. */
const SWEEP_MS = 5_000;
/** Revisions that something is known of, those of releases that are gone included. What is forgotten is found out again by the next start. */
const MOST_REASONS = 1_000;
/** A start that its zygote's end has undone is begun again so many times: the end of one may be known only at the second try. */
const RETRIES = 5;

/** Makes instances by forking a process that has their module loaded already. Linux only; see `support.ts`. */
export class ForkRuntime implements Runtime {
  readonly engine = 'fork';
  readonly #options: ForkRuntimeOptions;
  readonly #memory: MemoryWatch;
  readonly #roots: Roots;
  readonly #zygotes = new Map<string, Starting>();
  readonly #leaving = new Set<Zygote>();
  /** By a revision's key: instances without a zygote, those that are being started included. */
  readonly #alone = new Map<string, number>();
  readonly #keys = new WeakMap<CodeRevision, string>();
  readonly #homes = new WeakMap<InstanceHome, number>();
  #lastHome = 0;
  /** By a revision's key: why it cannot be forked. */
  readonly #unsuited = new RecentMap<string, string>(MOST_REASONS);
  /** The same by the component's name and the revision's id. */
  readonly #reasons = new RecentMap<string, string>(MOST_REASONS);
  /** By the same: why its latest start found no root zygote. */
  readonly #withoutRoot = new RecentMap<string, string>(MOST_REASONS);
  /** With the home of each. */
  readonly #instances = new Map<Instance, InstanceHome>();
  readonly #sweep: Timer;
  #mounts = mountsOfThis();
  #state: 'open' | 'closed' = 'open';

  constructor(options: ForkRuntimeOptions) {
    this.#options = options;
    this.#memory = new MemoryWatch(options.clock);
    const { nodePath = process.execPath, compileCacheFolder = null, inUserNamespace = false } = options;
    const { sites = null } = options;
    const { baseEnv, clock, logger } = options;
    this.#roots = new Roots({ nodePath, compileCacheFolder, inUserNamespace, sites, baseEnv, clock, logger });
    this.#sweep = options.clock.every(SWEEP_MS, () => this.#endIdle());
  }

  /** Why instances of this revision are not forked; null where they are, or where nobody knows yet. */
  unsuited(revision: CodeRevision): string | null {
    return this.#unsuited.get(this.#keyOf(revision));
  }

  /** The same by the component's name and the revision's id, for those who know no more. */
  unsuitedReason(component: string, revision: string): string | null {
    const name = `${component}/${revision}`;
    return this.#reasons.get(name) ?? this.#withoutRoot.get(name);
  }

  /** Starts what instances of `memoryBytes` are forked from, so that the first start finds it warm. */
  prepare(memoryBytes: number): void {
    this.#roots.pick({ memoryBytes, env: {} });
  }

  /** Call before something new is started: where the machine's mounts have changed, what waits in the old ones is replaced. */
  renew(): void {
    const mounts = mountsOfThis();
    if (mounts === this.#mounts) return;
    this.#mounts = mounts;
    this.#roots.renewBlanks();
  }

  async start(order: StartOrder): Promise<Instance> {
    const { revision, signal } = order;
    const { clock, fallback } = this.#options;
    if (revision.kind === 'command') {
      throw new FulcrumError(
        'internal',
        `The fork engine runs modules only, and ${revision.spec.name} is a command.`,
      );
    }
    if (signal.aborted) throw givenUp(revision, signal.reason);
    if (this.#closed) throw closed();
    if (order.inspectPort !== null || this.unsuited(revision) !== null) return fallback.start(order);
    const timeoutMs = this.#options.startTimeoutMs ?? START_TIMEOUT_MS;
    const limit = new StartLimit(revision, signal, clock, timeoutMs);
    try {
      for (let retries = RETRIES; ; retries--) {
        try {
          return await this.#startOnce(order, revision, limit.passed);
        } catch (error) {
          if (!(error instanceof ZygoteLost) || retries === 0 || this.#closed) throw error;
        }
      }
    } catch (error) {
      if (error instanceof ZygoteLost) throw lost(revision, this.#closed);
      throw error;
    } finally {
      limit.cancel();
    }
  }

  keepZygote(revision: Revision, home: InstanceHome, keepAliveMs: number | null): void {
    if (revision.kind === 'command') return;
    const key = this.#zygoteKey(revision, home);
    const starting = this.#zygotes.get(key);
    if (starting === undefined) return;
    starting.keepAliveMs = keepAliveMs ?? revision.spec.zygoteKeepAliveMs;
    if (starting.zygote.idleMs() !== null) this.#idle(key, starting);
  }

  forget(home: InstanceHome): void {
    for (const [key, starting] of this.#zygotes) if (starting.home === home) this.#end(key);
    for (const [instance, of] of this.#instances) {
      if (of === home) instance.kill(new FulcrumError('shutting-down', 'Its release is over.'));
    }
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#sweep.cancel();
    this.#memory.close();
    const zygotes = [...this.#leaving, ...[...this.#zygotes.values()].map(({ zygote }) => zygote)];
    for (const zygote of zygotes) zygote.kill();
    // Most end with their zygote; some have none.
    for (const instance of this.#instances.keys()) instance.kill(closed());
    await Promise.all(zygotes.map((zygote) => zygote.ended));
    await Promise.all([...this.#instances.keys()].map((instance) => instance.ended));
    const { fallback } = this.#options;
    await Promise.all([this.#roots.close(), fallback.close()]);
  }

  get #closed(): boolean {
    return this.#state === 'closed';
  }

  async #startOnce(order: StartOrder, revision: CodeRevision, stop: Promise<never>): Promise<Instance> {
    const key = this.#zygoteKey(revision, order.home);
    const { fallback, sandboxFor, waitsForRoots } = this.#options;
    const sandbox = (await sandboxFor?.(revision)) ?? null;
    let starting = this.#zygotes.get(key);
    if (starting === undefined || starting.zygote.state === 'ended') {
      const kind = { memoryBytes: order.memoryBytes, env: earlyEnv(revision) };
      const waits = waitsForRoots?.(revision) ?? false;
      const root = waits ? await Promise.race([this.#roots.whenWarm(kind), stop]) : this.#roots.pick(kind);
      // A plain process is there sooner.
      this.#without(revision, typeof root === 'string' ? root : null);
      if (typeof root === 'string') return await fallback.start(order);
      if (this.#goesAlone(key, revision, sandbox))
        return await this.#startAlone(key, root, order, revision, sandbox, stop);
      starting = this.#zygoteFor(key, root, order, revision, sandbox);
    }
    const { zygote } = starting;
    starting.waiting++;
    let unsuited: string | null;
    try {
      unsuited = zygote.state === 'ready' ? null : await Promise.race([zygote.loaded, stop]);
    } catch (error) {
      if (error instanceof ZygoteLost) {
        if (this.#zygotes.get(key) === starting) this.#zygotes.delete(key);
        throw error;
      }
      // Nobody waits for it any more, unless others do.
      if (starting.waiting === 1) {
        zygote.kill();
        await zygote.ended;
      }
      throw withOutput(asFulcrumError(error, 'start-failed'), zygote.lines.lastOutput());
    } finally {
      starting.waiting--;
    }
    if (unsuited !== null) {
      this.#unsuit(order, revision, unsuited);
      // It ends by itself, unless it lies.
      zygote.kill();
      return await fallback.start(order);
    }
    try {
      return await this.#fork(zygote, order, revision, stop);
    } catch (error) {
      // Another takes its place at once, before the end of its process is known.
      const isLost = error instanceof ZygoteLost && zygote.state === 'ended';
      if (isLost && this.#zygotes.get(key) === starting) this.#zygotes.delete(key);
      throw error;
    }
  }

  /**
   * Whether an instance needs no zygote: nothing is to stay, and no other is there or on its way with which it could share one. Not
   * where temporary files lie in a folder on disk: only instances of a zygote have one each, which is emptied.
   */
  #goesAlone(key: string, revision: CodeRevision, sandbox: SandboxPlan | null): boolean {
    const isApart = sandbox === null || sandbox.mountPoint !== null;
    return (
      revision.spec.zygoteKeepAliveMs === 0 && isApart && !this.#alone.has(key) && !this.#zygotes.has(key)
    );
  }

  async #startAlone(
    key: string,
    root: Root,
    order: StartOrder,
    revision: CodeRevision,
    sandbox: SandboxPlan | null,
    stop: Promise<never>,
  ): Promise<Instance> {
    const { baseEnv, clock } = this.#options;
    const compileCacheFolder = this.#options.compileCacheFolder ?? null;
    const lines = this.#linesOf(order, revision);
    const over = (): void => {
      const left = this.#alone.get(key)! - 1;
      if (left > 0) this.#alone.set(key, left);
      else this.#alone.delete(key);
    };
    this.#alone.set(key, (this.#alone.get(key) ?? 0) + 1);
    const starting = startAlone({
      root,
      revision,
      order,
      baseEnv,
      clock,
      lines,
      sandbox,
      compileCacheFolder,
      stop,
    });
    starting.then((instance) => void instance.ended.then(over), over);
    return await this.#whenMade(starting, order, lines, stop);
  }

  #fork(zygote: Zygote, order: StartOrder, revision: CodeRevision, stop: Promise<never>): Promise<Instance> {
    const lines = this.#linesOf(order, revision);
    return this.#whenMade(zygote.fork(order, lines, stop), order, lines, stop);
  }

  #linesOf(order: StartOrder, revision: CodeRevision): InstanceLog {
    return InstanceLog.of(revision, order.instanceId, order.home.log, this.#options.clock);
  }

  async #whenMade(
    forking: Promise<WireInstance>,
    order: StartOrder,
    lines: InstanceLog,
    stop: Promise<never>,
  ): Promise<Instance> {
    try {
      const instance = await Promise.race([forking, stop]);
      this.#instances.set(instance, order.home);
      void instance.ended.then(() => this.#instances.delete(instance));
      limitMemory(this.#memory, instance, order.memoryBytes);
      if (this.#closed) instance.kill(closed());
      return instance;
    } catch (error) {
      // It may never come, and nobody waits for it.
      forking.then(
        (late) => late.kill(asFulcrumError(error)),
        () => undefined,
      );
      if (error instanceof FulcrumError) throw withOutput(error, lines.lastOutput());
      throw error;
    } finally {
      lines.started();
    }
  }

  #zygoteFor(
    key: string,
    root: Root,
    order: StartOrder,
    revision: CodeRevision,
    sandbox: SandboxPlan | null,
  ): Starting {
    // Another start may have made it while this one waited for its root.
    const known = this.#zygotes.get(key);
    if (known !== undefined && known.zygote.state !== 'ended') return known;
    if (this.#closed) throw givenUp(revision, closed());
    const { baseEnv, clock, compileCacheFolder } = this.#options;
    const zygote = new Zygote({
      root,
      revision,
      order,
      baseEnv,
      clock,
      sandbox,
      compileCacheFolder: compileCacheFolder ?? null,
      keepsSpares: revision.spec.zygoteKeepAliveMs > 0,
      onIdle: () => this.#idle(key, starting),
    });
    const { home } = order;
    const starting: Starting = { zygote, home, waiting: 0, keepAliveMs: revision.spec.zygoteKeepAliveMs };
    this.#zygotes.set(key, starting);
    this.#leaving.add(zygote);
    const forget = (): void => {
      if (this.#zygotes.get(key) === starting) this.#zygotes.delete(key);
    };
    zygote.loaded.catch(forget);
    void zygote.ended.then(() => {
      forget();
      this.#leaving.delete(zygote);
    });
    return starting;
  }

  #without(revision: CodeRevision, why: string | null): void {
    const name = `${revision.spec.name}/${revision.id}`;
    if (why === null) this.#withoutRoot.delete(name);
    else this.#withoutRoot.set(name, why);
  }

  #unsuit({ home }: StartOrder, revision: CodeRevision, reason: string): void {
    const key = this.#keyOf(revision);
    if (this.#unsuited.get(key) !== null) return;
    this.#unsuited.set(key, reason);
    this.#reasons.set(`${revision.spec.name}/${revision.id}`, reason);
    home.log.write({
      atMs: this.#options.clock.nowMs(),
      component: revision.spec.name,
      stream: 'platform',
      level: 'warn',
      text: `Runs on the spawn engine, whose starts take longer: ${reason}. Move that into \`onStart\` or into a handler to have instances forked.`,
      instance: null,
      revision: revision.id,
      requestId: null,
      fields: null,
    });
  }

  #endIdle(): void {
    const idle: IdleZygote[] = [];
    for (const [key, { zygote, waiting, keepAliveMs }] of this.#zygotes) {
      zygote.tend();
      const idleMs = waiting > 0 ? null : zygote.idleMs();
      if (idleMs !== null) idle.push({ key, idleMs, keepAliveMs });
    }
    for (const key of zygotesToEnd(idle, machineMemory())) this.#end(key);
    this.#roots.tend();
  }

  /** Its last instance has ended: with a keep-alive of 0 it does not wait to be looked for. */
  #idle(key: string, starting: Starting): void {
    if (starting.keepAliveMs === 0 && starting.waiting === 0 && this.#zygotes.get(key) === starting)
      this.#end(key);
  }

  #end(key: string): void {
    this.#zygotes.get(key)?.zygote.kill();
    this.#zygotes.delete(key);
  }

  /** A zygote and its spares have their way to other components already: they are of one home. */
  #zygoteKey(revision: CodeRevision, home: InstanceHome): string {
    let number = this.#homes.get(home);
    if (number === undefined) this.#homes.set(home, (number = ++this.#lastHome));
    return `${number} ${this.#keyOf(revision)}`;
  }

  #keyOf(revision: CodeRevision): string {
    let key = this.#keys.get(revision);
    if (key === undefined) {
      const { id, envDigest, env, spec } = revision;
      const bundles = bundlesOf(revision).map(({ path, digest }) => [path, digest]);
      const all = JSON.stringify([spec.name, id, envDigest, bundles, env]);
      // It is kept, and secrets are among the variables.
      key = createHash('sha256').update(all).digest('base64');
      this.#keys.set(revision, key);
    }
    return key;
  }
}

function mountsOfThis(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

interface Starting {
  readonly zygote: Zygote;
  readonly home: InstanceHome;
  /** Starts that wait for it to be loaded. */
  waiting: number;
  keepAliveMs: number;
}

function earlyEnv(revision: CodeRevision): Record<string, string> {
  return Object.fromEntries(
    READ_AT_START.flatMap((name) => {
      const value = revision.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function closed(): FulcrumError {
  return new FulcrumError('shutting-down', 'The runtime has been closed.');
}

function lost(revision: CodeRevision, isClosed: boolean): FulcrumError {
  if (isClosed) return givenUp(revision, closed());
  const message = `The component ${revision.spec.name} could not be started: its zygote ended ${RETRIES + 1} times in a row.`;
  return new FulcrumError('start-failed', message, { details: { output: '' } });
}
