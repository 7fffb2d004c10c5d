import type { Store } from '../../store/store.ts';
import type { Host } from '../host.ts';
import type { BehindWork } from './behind-work.ts';
import type { EarlierServers } from './held-trees.ts';
import type { ReleaseFiles } from './release-files.ts';
import { allReleases } from './releases.ts';
import { toRemove } from './retention.ts';

export interface SweeperOptions {
  readonly host: Host;
  readonly store: Pick<Store, 'apps' | 'releases' | 'blobs'>;
  readonly files: ReleaseFiles;
  readonly earlier: EarlierServers;
  readonly behind: BehindWork;
}

/** A blob that was asked for or uploaded and is in no release yet may be in the next one. */
const BLOB_GRACE_MS = 3_600_000;
const ALL_BUT_FULL_BYTES = 64 * 1024 ** 2;

/** Removes what is not needed any more: releases, their trees, and the files that were in those alone. */
export class Sweeper {
  readonly #o: SweeperOptions;

  constructor(options: SweeperOptions) {
    this.#o = options;
  }

  /** Must run in the app's turn, for a tree that is just being made must not be taken for one that was left. Never rejects. */
  async sweep(app: string): Promise<void> {
    const { logger } = this.#o.host;
    await this.#releases(app).catch((error: unknown) => {
      logger.warn({ app, error }, 'old releases could not be removed');
    });
    this.sweepFiles();
  }

  /** Behind whatever is answered. */
  sweepFiles(): void {
    const { host, store, behind } = this.#o;
    const swept = store.blobs.sweep(host.clock.nowMs() - BLOB_GRACE_MS).then(
      () => undefined,
      (error: unknown) => host.logger.warn({ error }, 'files of old releases could not be removed'),
    );
    behind.add(swept);
  }

  /**
   * Where the disk is all but full: removes uploads that no release names at once, since whoever they are of can send them again, and nobody
   * can change anything otherwise. For behind what has failed. Never rejects.
   */
  async makeRoom(): Promise<void> {
    const { host, store, files } = this.#o;
    try {
      if ((await files.freeBytes()) >= ALL_BUT_FULL_BYTES) return;
      await store.blobs.sweep(host.clock.nowMs() + 1);
    } catch (error) {
      host.logger.warn({ error }, 'no room could be made on a disk that is all but full');
    }
  }

  async #releases(app: string): Promise<void> {
    const { store, files, host, earlier } = this.#o;
    const record = await store.apps.get(app);
    if (record === null) return;
    const live = (host.apps.get(app)?.live ?? []).map(({ number }) => number);
    const needed = new Set(
      [record.serving, record.canary?.release ?? null, ...live].filter((number) => number !== null),
    );
    const all = await allReleases(store.releases, app);
    const gone = new Set(toRemove(all, needed));
    for (const number of gone) await store.releases.remove(app, number);
    const kept = all.filter(({ number, state }) => state === 'healthy' && !gone.has(number));
    const trees = [...needed, ...earlier.releasesOf(app), ...kept.map(({ number }) => number)];
    await files.keepOnly(app, new Set(trees));
  }
}
