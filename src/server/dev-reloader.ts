import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { Builder } from '../build/builder.ts';
import { watchApp, type AppWatch } from '../build/watch-app.ts';
import { bundlesOf } from '../model/revision.ts';
import type { DevEvent } from './dev-events.ts';
import type { Platform } from './platform.ts';
import { prepare, rebuild, type Prepared } from './prepare.ts';
import { affectedBy } from './affected.ts';
import { changedComponents } from './changed-components.ts';
import { programFolders } from './program-folders.ts';

export interface DevReloaderOptions {
  readonly platform: Platform;
  readonly builder: Builder;
  readonly environment: string;
  readonly inspect: { readonly component: string; readonly port: number } | null;
  readonly onEvent: (event: DevEvent) => void;
  readonly clock: Clock;
  readonly prepared: Prepared;
  /** Clock.nowMs() before `prepared` was read from the files. */
  readonly preparedFromMs: number;
}

/**
 * Follows an app's files: a save becomes a deploy, and a save that does not build or start leaves what serves as it was.
 *
 *   watching ──files change──▶ reloading ──done, nothing changed meanwhile──▶ watching
 *                                 └── files changed meanwhile: once more with these
 *      └──────────── close() ────────────▶ closed
 */
type State = 'watching' | 'reloading' | 'closed';

export class DevReloader {
  readonly #options: DevReloaderOptions;
  readonly #watch: AppWatch;
  #state: State = 'watching';
  #prepared: Prepared;
  #changed = new Set<string>();
  #changedAtMs = 0;
  /** After a failed reload the same files must be built again whatever is saved next: the mend may lie anywhere. */
  #failed: ReadonlySet<string> = new Set();
  #reloads = 0;
  /** Paths by revision, of those that may still run. */
  readonly #bundles = new Map<string, readonly string[]>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: DevReloaderOptions) {
    this.#options = options;
    this.#prepared = options.prepared;
    this.#remember();
    this.#watch = watchApp({
      files: () => this.#files(),
      directories: () => this.#directories(),
      clock: options.clock,
      sinceMs: options.preparedFromMs,
      onChange: (paths) => this.#onChange(paths),
    });
  }

  /** Resolves when nothing is under way any more; what is goes on until the platform refuses it. */
  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#watch.close();
    await this.#running;
  }

  #onChange(paths: readonly string[]): void {
    if (this.#state === 'closed') return;
    if (this.#changed.size === 0) this.#changedAtMs = this.#options.clock.monotonicMs();
    for (const path of paths) this.#changed.add(path);
    if (this.#state === 'reloading') return;
    this.#state = 'reloading';
    this.#running = this.#reloadUntilCurrent();
  }

  async #reloadUntilCurrent(): Promise<void> {
    while (this.#changed.size > 0 && this.#state === 'reloading') {
      const changed = new Set([...this.#changed, ...this.#failed]);
      const sinceMs = this.#changedAtMs;
      const beganAtMs = this.#options.clock.nowMs();
      this.#changed = new Set();
      try {
        const components = await this.#reload(changed);
        this.#failed = new Set();
        await this.#prune();
        const tookMs = this.#options.clock.monotonicMs() - sinceMs;
        if (components !== null) this.#options.onEvent({ kind: 'reloaded', components, tookMs });
      } catch (error) {
        if (this.#isClosed()) return;
        this.#failed = new Set([...changed, ...sourcesOf(error)]);
        this.#options.platform.control.deployFailed(error);
        this.#options.onEvent({ kind: 'reload-failed', error: asFulcrumError(error) });
      }
      this.#watch.update(beganAtMs);
    }
    if (this.#state === 'reloading') this.#state = 'watching';
  }

  /** @returns the components that are served by another revision now; null where the files concern none. */
  async #reload(changed: ReadonlySet<string>): Promise<string[] | null> {
    const { platform, builder, environment, inspect } = this.#options;
    const before = this.#prepared;
    const affected = affectedBy(changed, before);
    if (affected !== 'config' && affected.size === 0) return null;
    this.#reloads += 1;
    const next =
      affected === 'config'
        ? await prepare({ directory: before.app.directory, environment, builder })
        : await rebuild(before, affected, builder, String(this.#reloads));
    await platform.deploy(next, { inspect });
    this.#prepared = next;
    return changedComponents(before, next);
  }

  #files(): string[] {
    const sources = [...this.#prepared.revisions.values()].flatMap((revision) =>
      bundlesOf(revision).flatMap((bundle) => bundle.sources),
    );
    // The mend of a failed build may lie in a file that the last good version did not have.
    return [...this.#prepared.configSources, ...sources, ...this.#failed];
  }

  #remember(): void {
    for (const revision of this.#prepared.revisions.values()) {
      this.#bundles.set(
        revision.id,
        bundlesOf(revision).map(({ path }) => path),
      );
    }
  }

  /** A method, for while something is awaited the state may change. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Bundles go when no instance runs them any more: one that drains may still import a chunk. Never rejects. */
  async #prune(): Promise<void> {
    const { platform, builder } = this.#options;
    this.#remember();
    const current = [...this.#prepared.revisions.values()].map((revision) => revision.id);
    const needed = new Set([...current, ...platform.scaler.running()]);
    for (const id of this.#bundles.keys()) if (!needed.has(id)) this.#bundles.delete(id);
    await builder
      .prune(new Set([...this.#bundles.values()].flat()))
      .catch((error: unknown) => platform.logger.warn({ err: error }, 'old bundles could not be removed'));
  }

  #directories(): string[] {
    return [...this.#prepared.revisions.values()].flatMap((revision) =>
      revision.kind === 'command' ? programFolders(revision.spec.cwd) : [],
    );
  }
}

/** The files whose change could mend a failed build; they may not exist yet. */
function sourcesOf(error: unknown): readonly string[] {
  const sources = error instanceof FulcrumError ? error.details['sources'] : undefined;
  return Array.isArray(sources) ? (sources as string[]) : [];
}
