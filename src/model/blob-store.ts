/** The bytes of releases' files, by content. Kept compressed, in pieces: no call holds a whole large one in memory. */
export interface BlobStore {
  /** Those of `digests` (SHA-256, hex) that are not kept. The others are safe from a sweep for an hour. */
  missing(digests: readonly string[]): Promise<readonly string[]>;
  /**
   * Keeps it whole, or not at all; what is there already is not written again. Rejects with `blob-invalid` where `content` is not
   * what `digest` and `sizeBytes` say.
   */
  put(digest: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Null where it is not kept. The pieces are of bounded size. Rejects or throws `store-failed` where what is kept is damaged. */
  get(digest: string): Promise<AsyncIterable<Uint8Array> | null>;
  /** What those that no release names take, and what came of uploads that are not finished, in bytes before compression. */
  unnamedBytes(): Promise<number>;
  /** Removes those that no release names and that nobody has asked for since `beforeMs`. @returns how many. */
  sweep(beforeMs: number): Promise<number>;
}
