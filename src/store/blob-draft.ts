import { FulcrumError } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import { decodePiece, encodePiece } from './blob-codec.ts';
import type { BlobPiece, OpenedBlob } from './operations/blobs.ts';
import type { Caller } from './operations/index.ts';

/**
 * A blob on its way into the store. Where one of its digest is kept already, what comes is compared with that, piece by piece, and nothing
 * is written; from the first piece that differs on it is written as if it were new, the pieces before copied from what is kept, and it
 * takes the damaged one's place. (It is the one that is kept that is damaged: what comes is held to the digest before it counts.)
 */
export class BlobDraft {
  readonly #database: Caller;
  readonly #kept: OpenedBlob | null;
  readonly #nowMs: () => number;
  readonly #upload = randomText(16);
  /** `comparing`: like what is kept so far. */
  #state: 'comparing' | 'writing';
  /** Held back, for a blob of one piece is written with its row. */
  #first: BlobPiece | null = null;
  #pieces = 0;
  #begun = false;

  /** @param kept as its row says; null for none. */
  constructor(database: Caller, kept: OpenedBlob | null, nowMs: () => number) {
    this.#database = database;
    this.#kept = kept;
    this.#nowMs = nowMs;
    this.#state = kept === null ? 'writing' : 'comparing';
  }

  /** @param bytes the next 1 MB, or what is left. */
  async add(bytes: Uint8Array): Promise<void> {
    if (this.#state === 'comparing') {
      if (await this.#isKept(this.#pieces, bytes)) {
        this.#pieces += 1;
        return;
      }
      await this.#diverge();
    }
    await this.#write(await encodePiece(this.#pieces, bytes));
  }

  /** All has come, and is what `digest` says. */
  async finish(digest: string, sizeBytes: number): Promise<void> {
    const kept = this.#kept;
    if (this.#state === 'comparing') {
      if (kept!.pieces === this.#pieces && kept!.sizeBytes === sizeBytes) {
        await this.#database.call('blobs.judge', { digest, upload: kept!.upload, sound: true });
        return;
      }
      await this.#diverge();
    }
    const blob = {
      digest,
      sizeBytes,
      upload: this.#upload,
      pieces: this.#pieces,
      replaces: kept?.upload ?? null,
      nowMs: this.#nowMs(),
    };
    if (this.#begun) await this.#database.call('blobs.finish', blob);
    else await this.#database.call('blobs.whole', { blob, piece: this.#first });
  }

  /** Never rejects: where this fails too, a sweep finds what is left. */
  async abandon(): Promise<void> {
    if (this.#begun) await this.#database.call('blobs.abandon', this.#upload).catch(() => undefined);
  }

  async #isKept(number: number, bytes: Uint8Array): Promise<boolean> {
    const piece = await this.#database.call('blobs.read', { upload: this.#kept!.upload, number });
    if (piece === null) return false;
    const found = await decodePiece(piece).catch(() => null);
    return found !== null && Buffer.compare(found, bytes) === 0;
  }

  /** Goes on as a new upload, with what was the same until now. */
  async #diverge(): Promise<void> {
    const same = this.#pieces;
    this.#state = 'writing';
    this.#pieces = 0;
    for (let number = 0; number < same; number++) {
      const piece = await this.#database.call('blobs.read', { upload: this.#kept!.upload, number });
      if (piece === null) {
        throw new FulcrumError(
          'store-failed',
          'Another upload of the same file was faster, and has replaced what was there. Repeat it.',
        );
      }
      await this.#write(piece);
    }
  }

  async #write(piece: BlobPiece): Promise<void> {
    this.#pieces += 1;
    if (piece.number === 0) {
      this.#first = piece;
      return;
    }
    if (!this.#begun) {
      this.#begun = true;
      await this.#send(this.#first!);
    }
    await this.#send(piece);
  }

  async #send(piece: BlobPiece): Promise<void> {
    await this.#database.call('blobs.piece', { upload: this.#upload, piece, nowMs: this.#nowMs() });
  }
}
