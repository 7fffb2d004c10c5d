import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { BlobStore } from '../model/blob-store.ts';
import { BlobDraft } from './blob-draft.ts';
import { decodePiece, inPieces } from './blob-codec.ts';
import type { Caller } from './operations/index.ts';
import type { OpenedBlob } from './operations/blobs.ts';

const ASKED_AT_ONCE = 5_000;

/**
 * Files by content. Each is cut into pieces of 1 MB, compressed one by one where that pays; a file of one piece is written in one step. What
 * comes in and what goes out is checked against its digest; what is damaged is told as missing, and put right by the next who puts it.
 */
export class Blobs implements BlobStore {
  readonly #database: Caller;
  readonly #name: string;
  readonly #clock: Clock;

  /** @param name of the store, for errors. */
  constructor(database: Caller, name: string, clock: Clock) {
    this.#database = database;
    this.#name = name;
    this.#clock = clock;
  }

  async missing(digests: readonly string[]): Promise<readonly string[]> {
    const missing: string[] = [];
    const unique = [...new Set(digests)];
    for (let at = 0; at < unique.length; at += ASKED_AT_ONCE) {
      const asked = unique.slice(at, at + ASKED_AT_ONCE);
      const kept = new Set(await this.#database.call('blobs.ask', { digests: asked, nowMs: this.#nowMs() }));
      missing.push(...asked.filter((digest) => !kept.has(digest)));
    }
    return missing;
  }

  async put(digest: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (!/^[0-9a-f]{64}$/.test(digest)) {
      throw new FulcrumError('blob-invalid', `'${digest.slice(0, 80)}' is no SHA-256 in hex.`);
    }
    const nowMs = this.#nowMs();
    const draft = new BlobDraft(
      this.#database,
      await this.#database.call('blobs.open', { digest, nowMs }),
      () => this.#nowMs(),
    );
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const bytes of inPieces(content)) {
        size += bytes.length;
        if (size > sizeBytes) throw wrongSize(digest, `more than ${sizeBytes}`, sizeBytes);
        hash.update(bytes);
        await draft.add(bytes);
      }
      if (size !== sizeBytes) throw wrongSize(digest, String(size), sizeBytes);
      const found = hash.digest('hex');
      if (found !== digest) {
        throw new FulcrumError(
          'blob-invalid',
          `What was uploaded as ${digest} has the SHA-256 ${found}: it was changed on the way, or while it was read.`,
        );
      }
      await draft.finish(digest, sizeBytes);
    } catch (error) {
      await draft.abandon();
      throw error;
    }
  }

  async get(digest: string): Promise<AsyncIterable<Uint8Array> | null> {
    const opened = await this.#database.call('blobs.open', { digest, nowMs: this.#nowMs() });
    return opened === null ? null : this.#read(digest, opened);
  }

  async unnamedBytes(): Promise<number> {
    return await this.#database.call('blobs.unnamed', null);
  }

  async sweep(beforeMs: number): Promise<number> {
    const before = Math.floor(beforeMs);
    let swept = 0;
    for (;;) {
      const step = await this.#database.call('blobs.sweep', before);
      if (step === 0) break;
      swept += step;
    }
    while (await this.#database.call('blobs.clear', before));
    while (await this.#database.call('blobs.reclaim', null));
    return swept;
  }

  async *#read(digest: string, opened: OpenedBlob): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#readPieces(digest, opened);
    } catch (error) {
      // From now on it is missing, so that whoever has it sends it again.
      if (error instanceof DamagedBlob) {
        const { upload } = opened;
        await this.#database.call('blobs.judge', { digest, upload, sound: false }).catch(() => undefined);
      }
      throw error;
    }
  }

  async *#readPieces(digest: string, { upload, pieces, sizeBytes }: OpenedBlob): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let size = 0;
    for (let number = 0; number < pieces; number++) {
      const piece = await this.#database.call('blobs.read', { upload, number });
      if (piece === null) throw this.#damaged(digest, `its piece ${number} of ${pieces} is missing`);
      const bytes = await decodePiece(piece).catch((error: unknown) => {
        throw this.#damaged(digest, `its piece ${number} cannot be unpacked: ${messageOf(error)}`);
      });
      hash.update(bytes);
      size += bytes.length;
      // The last piece is held back until the whole is known to be right.
      if (number === pieces - 1) this.#check(digest, hash.digest('hex'), size, sizeBytes);
      yield bytes;
    }
    if (pieces === 0) this.#check(digest, hash.digest('hex'), size, sizeBytes);
  }

  #check(digest: string, found: string, size: number, sizeBytes: number): void {
    if (size !== sizeBytes) throw this.#damaged(digest, `it has ${size} bytes instead of ${sizeBytes}`);
    if (found !== digest) throw this.#damaged(digest, `its SHA-256 is ${found}`);
  }

  #damaged(digest: string, how: string): DamagedBlob {
    return new DamagedBlob(
      'store-failed',
      `The file ${digest} is damaged in the store ${this.#name}: ${how}. Deploy again from a folder that has it, or restore a backup.`,
    );
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMs());
  }
}

class DamagedBlob extends FulcrumError {}

function wrongSize(digest: string, found: string, sizeBytes: number): FulcrumError {
  return new FulcrumError(
    'blob-invalid',
    `What was uploaded as ${digest} has ${found} bytes instead of ${sizeBytes}: it was cut off, or changed while it was read.`,
  );
}
