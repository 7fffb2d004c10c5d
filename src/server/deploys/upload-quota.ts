import { FulcrumError } from '../../base/errors.ts';
import type { BlobStore } from '../../model/blob-store.ts';

/** Twenty releases of the largest size, all of it new. */
const MOST_BYTES = 4 * 1024 ** 3;

/**
 * What nobody may upload into. To delete what an SQLite store holds, it must write first: a disk that uploads have filled to the last byte
 * could not be cleared of them.
 */
const RESERVED_BYTES = 8 * 1024 ** 2;

/** Bounds what is kept of uploads that no release names yet: whoever may upload could fill the disk, and never deploy. */
export class UploadQuota implements Pick<BlobStore, 'put'> {
  readonly #blobs: Pick<BlobStore, 'put' | 'unnamedBytes'>;
  readonly #freeBytes: () => Promise<number>;
  readonly #mostBytes: number;
  /** At least as much as there is: what came since the store was asked counts whole, though it may have been there, or have got a release. */
  #atMost = Infinity;
  #arriving = 0;
  #arrived = 0;
  #asking: Promise<void> | null = null;

  /** @param freeBytes of the disk that the store is on. */
  constructor(
    blobs: Pick<BlobStore, 'put' | 'unnamedBytes'>,
    freeBytes: () => Promise<number>,
    mostBytes = MOST_BYTES,
  ) {
    this.#blobs = blobs;
    this.#freeBytes = freeBytes;
    this.#mostBytes = mostBytes;
  }

  /** Rejects with `store-failed` where there is no room, and as the store does. */
  async put(digest: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    // First, since from the look at what is kept to the note of what comes nobody else may come between.
    await this.#refuseOnFullDisk(sizeBytes);
    if (this.#atMost + sizeBytes > this.#mostBytes) await (this.#asking ??= this.#ask());
    if (this.#atMost + sizeBytes > this.#mostBytes) {
      throw new FulcrumError(
        'store-failed',
        `There is no room for more uploads: ${inMb(this.#atMost)} MB are kept that no release uses yet, and at most ${inMb(this.#mostBytes)} MB may be. Deploy what was uploaded, or wait: what nobody deploys goes after an hour.`,
        { retryAfterS: 60 },
      );
    }
    this.#atMost += sizeBytes;
    this.#arrived += sizeBytes;
    this.#arriving += sizeBytes;
    try {
      await this.#blobs.put(digest, sizeBytes, content);
    } finally {
      this.#arriving -= sizeBytes;
    }
  }

  async #refuseOnFullDisk(sizeBytes: number): Promise<void> {
    const free = await this.#freeBytes();
    // Into the store's log first, and from there into its file.
    if (free >= 2 * sizeBytes + RESERVED_BYTES) return;
    throw new FulcrumError(
      'store-failed',
      `The disk of the server is all but full: ${inMb(free)} MB are free, and a file of ${inMb(sizeBytes)} MB needs twice as much for a while, beside ${inMb(RESERVED_BYTES)} MB that are kept free. Make room on it, or deploy less.`,
      { details: { freeBytes: free } },
    );
  }

  async #ask(): Promise<void> {
    // The store does not know yet of what is on its way.
    const uncounted = this.#arriving - this.#arrived;
    try {
      this.#atMost = (await this.#blobs.unnamedBytes()) + uncounted + this.#arrived;
    } finally {
      this.#asking = null;
    }
  }
}

function inMb(bytes: number): string {
  return Math.round(bytes / 1024 ** 2).toLocaleString('en-GB');
}
