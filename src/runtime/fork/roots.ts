import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { exhaustedCode } from '../../base/exhausted.ts';
import type { Logger } from '../../base/log.ts';
import { heapFlags } from '../spawn/heap-flags.ts';
import type { BlankSites } from '../sandbox/blank-sites.ts';
import { Root } from './root.ts';

/** What a root zygote begins with, since V8 and Node read it then and never again. */
export interface RootKind {
  readonly memoryBytes: number;
  /** Of the component's own variables, those of READ_AT_START. */
  readonly env: Readonly<Record<string, string>>;
}

export interface RootsOptions {
  readonly nodePath: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly compileCacheFolder: string | null;
  /** They become roots of user namespaces first. */
  readonly inUserNamespace: boolean;
  /** Where blank zygotes wait; null: none do. */
  readonly sites: BlankSites | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_KINDS = 8;
/** Forking slows as a process' living children grow: with 250 it takes half as long as with 1,000 (measured). */
const ROOM = 250;
/** Another is started before the last is full. */
const NEARLY_FULL = 200;
/** One that has failed to start is not tried again for so long. */
const AFTER_FAILURE_MS = 10_000;
/** The same where the machine had no room for it. */
const AFTER_SHORTAGE_MS = 2_000;

/** One that hangs is ended, so that another can be started. */
const WARM_WITHIN_MS = 60_000;
/** A kind that nobody has asked for for so long, and from which nothing lives, ends. */
const UNUSED_MS = 15 * 60_000;

interface Kind {
  readonly roots: Root[];
  usedAtMs: number;
  /** Before this none is started. */
  retryAtMs: number;
  why: string;
}

/** The root zygotes, of which each kind has one or more. */
export class Roots {
  readonly #options: RootsOptions;
  readonly #kinds = new Map<string, Kind>();
  readonly #living = new Set<Root>();
  #state: 'open' | 'closed' = 'open';

  constructor(options: RootsOptions) {
    this.#options = options;
  }

  /** One to fork a zygote from, or why there is none at this moment; one is being started then, where it can be. */
  pick(wanted: RootKind): Root | string {
    const kind = this.#kind(wanted);
    if (kind === null)
      return `there are root zygotes for ${MAX_KINDS} combinations of memory and variables that Node reads at its start already`;
    kind.usedAtMs = this.#options.clock.monotonicMs();
    const warm = kind.roots.filter(({ state }) => state === 'warm');
    const roomy = warm.find(({ forker }) => forker.living < ROOM) ?? warm.at(-1);
    const isFilling = roomy === undefined || roomy.forker.living >= NEARLY_FULL;
    if (isFilling && warm.length === kind.roots.length) this.#start(wanted, kind);
    return roomy ?? kind.why;
  }

  /** Resolves with the same once one that is being started is there. */
  async whenWarm(wanted: RootKind): Promise<Root | string> {
    const found = this.pick(wanted);
    const starting = this.#kind(wanted)?.roots.at(-1);
    if (typeof found !== 'string' || starting === undefined) return found;
    await starting.warm.catch(() => undefined);
    return this.pick(wanted);
  }

  /** Ends those that have not been asked for in a long time. */
  tend(): void {
    for (const root of this.#living) root.blanks.tend();
    for (const [key, kind] of this.#kinds) {
      const isIdle = this.#options.clock.monotonicMs() - kind.usedAtMs >= UNUSED_MS;
      if (!isIdle || kind.roots.some(({ forker, blanks }) => forker.living > blanks.waiting)) continue;
      for (const root of kind.roots) root.kill();
      this.#kinds.delete(key);
    }
  }

  /** Something has changed that processes which wait already have not seen: mounts, files of the system. */
  renewBlanks(): void {
    for (const root of this.#living) root.blanks.renew();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    const roots = [...this.#living];
    for (const root of roots) root.kill();
    await Promise.all(roots.map((root) => root.closed));
  }

  #kind({ memoryBytes, env }: RootKind): Kind | null {
    const key = JSON.stringify([memoryBytes, env]);
    let kind = this.#kinds.get(key);
    if (kind !== undefined) return kind;
    if (this.#kinds.size >= MAX_KINDS) return null;
    kind = {
      roots: [],
      usedAtMs: 0,
      retryAtMs: Number.NEGATIVE_INFINITY,
      why: 'its root zygote is being started',
    };
    this.#kinds.set(key, kind);
    return kind;
  }

  #start({ memoryBytes, env }: RootKind, kind: Kind): void {
    const { clock, logger, nodePath, baseEnv, compileCacheFolder, inUserNamespace, sites } = this.#options;
    if (this.#state === 'closed' || clock.monotonicMs() < kind.retryAtMs) return;
    const root = new Root({
      nodePath,
      flags: heapFlags(memoryBytes).filter((flag) => !flag.startsWith('--min-semi-space-size')),
      // Without a cache a checkout's root zygote strips types itself, and every fork carries the compiler for that: 28 MB.
      env: {
        ...baseEnv,
        ...env,
        ...(compileCacheFolder !== null && { NODE_COMPILE_CACHE: compileCacheFolder }),
      },
      inUserNamespace,
      sites,
      clock,
      logger,
    });
    kind.roots.push(root);
    const slow = clock.after(WARM_WITHIN_MS, () => root.kill());
    root.warm.then(
      () => slow.cancel(),
      () => slow.cancel(),
    );
    root.warm.catch((error: unknown) => {
      if (this.#state === 'closed') return;
      const pauseMs = exhaustedCode(error) === null ? AFTER_FAILURE_MS : AFTER_SHORTAGE_MS;
      kind.retryAtMs = clock.monotonicMs() + pauseMs;
      kind.why = messageOf(error);
      logger.error({ error: kind.why }, 'a root zygote could not be started');
    });
    this.#living.add(root);
    void root.closed.then(() => {
      kind.roots.splice(kind.roots.indexOf(root), 1);
      this.#living.delete(root);
    });
  }
}
