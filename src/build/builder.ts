import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { FulcrumError } from '../base/errors.ts';
import type { ModuleSpec } from '../model/app.ts';
import type { Bundle } from '../model/revision.ts';
import { BundleFolder } from './bundle-folder.ts';
import type { PackageBeside } from './imports.ts';
import { runPipeline } from './pipeline.ts';

export interface BuilderOptions {
  readonly appDirectory: string;
  /** Where bundles are written. Inside the app, so that packages left outside a bundle resolve by node_modules lookup. */
  readonly outDirectory: string;
  /** Absolute path of our sdk's entry; imports of `fulcrum` always lead there. */
  readonly sdkPath: string;
  /** Whether bundles are to be deployed: nothing that they name may then lie above the app's folder. */
  readonly forRelease?: boolean;
}

/** A bundle, and what it needs beside itself when it runs somewhere else. */
export interface BuiltBundle extends Bundle {
  /** Packages outside the bundle, and those inside that have files beside their code. */
  readonly packages: readonly PackageBeside[];
  /** Modules outside the app's folder that ask for their own path: what lies beside them stays behind. */
  readonly strays: readonly string[];
}

/** Builds module components. Each bundle is whole in itself: components share no chunks. */
export class Builder {
  readonly #options: BuilderOptions;
  readonly #folder: BundleFolder;
  readonly #running = new Set<Promise<unknown>>();
  #state: 'open' | 'closed' = 'open';

  constructor(options: BuilderOptions) {
    // The bundler names modules by their real paths; seen from a link, every one of them would lie outside the app.
    this.#options = {
      ...options,
      appDirectory: realPath(options.appDirectory),
      outDirectory: realPath(options.outDirectory),
    };
    this.#folder = new BundleFolder(this.#options.outDirectory);
  }

  /**
   * Bundles a component, and writes the bundle to `<outDirectory>/<component>-<12 hex digits>/index.mjs` unless it is there.
   * @throws FulcrumError `build-failed`, every error with file, line, column and code frame in its message, and
   * `BuildErrorDetails` as details; `shutting-down` after {@link close}.
   */
  async bundle(spec: ModuleSpec): Promise<BuiltBundle> {
    if (this.#state === 'closed') {
      throw new FulcrumError('shutting-down', `'${spec.name}' is not built: the builder is closed.`);
    }
    const work = this.#bundle(spec);
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** Removes the bundles whose path is not in `keep`, save the newest one of each component. */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    await this.#folder.prune(keep);
  }

  /** Takes no more work; resolves when what was begun is over. */
  async close(): Promise<void> {
    this.#state = 'closed';
    await Promise.allSettled(this.#running);
    await this.#folder.idle();
  }

  async #bundle(spec: ModuleSpec): Promise<BuiltBundle> {
    const { files, ...rest } = await runPipeline({ ...this.#options, entry: spec.entry });
    const stored = await this.#folder.store(spec.name, files);
    return { ...stored, filesRoot: this.#options.appDirectory, ...rest };
  }
}

/** `path` without links, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
  }
}
