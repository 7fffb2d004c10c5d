import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { BlobStore } from '../model/blob-store.ts';

export interface BlobCacheOptions {
  /** Made where it is missing. Two servers may share it. */
  readonly folder: string;
  readonly blobs: Pick<BlobStore, 'get'>;
  /** 4 GB. May be exceeded by what was asked for within the last minute. */
  readonly maxBytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const DEFAULT_MAX_BYTES = 4 * 1024 ** 3;
/** Whoever was given a path needs a moment to link or copy the file. */
const IN_USE_MS = 60_000;
/** Drafts of a process that was killed; one that still writes is younger. */
const OLD_DRAFT_MS = 3_600_000;
const DIGEST = /^[0-9a-f]{64}$/;

interface Entry {
  readonly sizeBytes: number;
  /** Of the file when its content was checked; null: not since the start. */
  readonly checkedMtimeMs: number | null;
  /** Monotonic; -Infinity: not since the start. */
  readonly usedMs: number;
}

/**
 * Files of the store on a node's own disk, by digest: read-only, written whole or not at all. None is believed before it was checked once since the
 * start, or after its size or time has changed; one that is missing or damaged is fetched again. The least recently used go where they are
 * too many.
 */
export class BlobCache {
  readonly #folder: string;
  readonly #drafts: string;
  readonly #blobs: Pick<BlobStore, 'get'>;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Map<string, Promise<string>>();
  #bytes = 0;

  private constructor(options: BlobCacheOptions) {
    this.#folder = options.folder;
    this.#drafts = join(options.folder, 'drafts');
    this.#blobs = options.blobs;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** Finds what is there already. Rejects with `store-failed` where the folder cannot be made or read. */
  static async open(options: BlobCacheOptions): Promise<BlobCache> {
    const cache = new BlobCache(options);
    try {
      await mkdir(cache.#drafts, { recursive: true, mode: 0o700 });
      await cache.#removeOldDrafts();
      await cache.#takeStock();
    } catch (error) {
      throw cache.#failed(error);
    }
    return cache;
  }

  /** What the cached files take, in bytes. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /**
   * A file with the content of `digest`, to be linked or copied soon, and never to be changed. Whoever asks at the same time shares one fetch.
   * Rejects with `store-failed`: the store does not have it or has it damaged, or the disk is full.
   */
  path(digest: string): Promise<string> {
    let asked = this.#asked.get(digest);
    if (asked === undefined) {
      asked = this.#find(digest).finally(() => this.#asked.delete(digest));
      this.#asked.set(digest, asked);
    }
    return asked;
  }

  async #find(digest: string): Promise<string> {
    if (!DIGEST.test(digest)) {
      throw new FulcrumError('store-failed', `'${digest.slice(0, 80)}' is no SHA-256 in hex.`);
    }
    const path = this.#pathOf(digest);
    try {
      if (!(await this.#isSound(digest, path))) await this.#fetch(digest, path);
    } catch (error) {
      throw this.#failed(error);
    }
    this.#use(digest);
    await this.#makeRoom();
    return path;
  }

  async #isSound(digest: string, path: string): Promise<boolean> {
    const found = await lstat(path).catch(() => null);
    if (found === null) return false;
    const entry = this.#entries.get(digest);
    if (found.isFile()) {
      if (entry?.checkedMtimeMs === found.mtimeMs && entry.sizeBytes === found.size) return true;
      if ((await digestOfFile(path)) === digest) {
        this.#enter(digest, found.size, found.mtimeMs);
        return true;
      }
    }
    this.#logger.warn({ path }, 'A cached file was damaged; it is fetched from the store again.');
    await rm(path, { recursive: true, force: true });
    return false;
  }

  async #fetch(digest: string, path: string): Promise<void> {
    const content = await this.#blobs.get(digest);
    if (content === null) {
      throw new FulcrumError(
        'store-failed',
        `The file ${digest} is not in the store. Deploy again from a folder that has it, or restore a backup.`,
      );
    }
    const draft = join(this.#drafts, `${digest}.${randomText(8)}`);
    try {
      const file = await open(draft, 'wx', 0o600);
      const hash = createHash('sha256');
      try {
        for await (const piece of content) {
          hash.update(piece);
          await file.appendFile(piece);
        }
      } finally {
        await file.close();
      }
      if (hash.digest('hex') !== digest) {
        throw new FulcrumError('store-failed', `What the store gave for ${digest} is something else.`);
      }
      // A power cut may leave less than was written: as after every start, it is checked before it is believed.
      await chmod(draft, 0o444);
      const { size, mtimeMs } = await stat(draft);
      await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
      await rename(draft, path);
      this.#enter(digest, size, mtimeMs);
    } finally {
      await rm(draft, { force: true });
    }
  }

  #enter(digest: string, sizeBytes: number, mtimeMs: number | null): void {
    this.#leave(digest);
    this.#bytes += sizeBytes;
    this.#entries.set(digest, { sizeBytes, checkedMtimeMs: mtimeMs, usedMs: -Infinity });
  }

  #leave(digest: string): void {
    this.#bytes -= this.#entries.get(digest)?.sizeBytes ?? 0;
    this.#entries.delete(digest);
  }

  #use(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    this.#entries.set(digest, { ...entry, usedMs: this.#clock.monotonicMs() });
  }

  async #makeRoom(): Promise<void> {
    const inUseFrom = this.#clock.monotonicMs() - IN_USE_MS;
    for (const [digest, { usedMs }] of this.#entries) {
      if (this.#bytes <= this.#maxBytes || usedMs > inUseFrom) return;
      if (this.#asked.has(digest)) continue;
      this.#leave(digest);
      await rm(this.#pathOf(digest), { force: true });
    }
  }

  async #takeStock(): Promise<void> {
    const found: { digest: string; size: number; mtimeMs: number }[] = [];
    for (const shard of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(shard)) continue;
      for (const digest of await readdir(join(this.#folder, shard))) {
        if (!DIGEST.test(digest)) continue;
        const { size, mtimeMs } = await lstat(this.#pathOf(digest));
        found.push({ digest, size, mtimeMs });
      }
    }
    found.sort((a, b) => a.mtimeMs - b.mtimeMs);
    for (const { digest, size } of found) this.#enter(digest, size, null);
  }

  async #removeOldDrafts(): Promise<void> {
    for (const name of await readdir(this.#drafts)) {
      const path = join(this.#drafts, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && this.#clock.nowMs() - found.mtimeMs > OLD_DRAFT_MS)
        await rm(path, { force: true });
    }
  }

  #pathOf(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest);
  }

  #failed(error: unknown): FulcrumError {
    if (error instanceof FulcrumError) return error;
    const { code } = error as { code?: unknown };
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    return new FulcrumError(
      'store-failed',
      full
        ? `The disk is full, so files cannot be put into ${this.#folder}. Free some space and try again.`
        : `Files cannot be kept in ${this.#folder}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
