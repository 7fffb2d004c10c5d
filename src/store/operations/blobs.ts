import { FulcrumError } from '../../base/errors.ts';
import type { Dialect } from '../dialect.ts';
import { changing, noting, reading } from '../operation.ts';
import { all, change, first, rows, run, type Steps } from '../steps.ts';

/** One piece of a blob as it is kept. */
export interface BlobPiece {
  readonly number: number;
  readonly encoding: 'raw' | 'zstd';
  readonly bytes: Uint8Array;
}

/** A blob as its row says. Its pieces are numbered from 0. */
export interface OpenedBlob {
  readonly upload: string;
  readonly sizeBytes: number;
  readonly pieces: number;
}

export interface FinishedBlob extends OpenedBlob {
  readonly digest: string;
  /** The upload that counts now and is damaged; null where the blob is new. */
  readonly replaces: string | null;
  readonly nowMs: number;
}

/** As many bytes as one has at most. */
const PIECE_BYTES = 1024 ** 2;
const SWEPT_BLOBS = 100;
const SWEPT_PIECES = 16;
/** Of 4 KB each. */
const RECLAIMED_PAGES = 256;

/**
 * A blob's pieces belong to an *upload*, so that half a blob is never seen and two who put the same do not meet: the row in `blobs` names the upload
 * that counts. An upload in `blob_uploads` is not finished yet, or is rubbish (`touched_at_ms` 0).
 *
 * None of it waits for the disk. The release that names a blob does, and takes along all that was written before; and it looks
 * whether the blobs are there.
 */
export const blobOperations = {
  /** @returns those that are kept, and not known to be damaged. Marks them as asked for. */
  'blobs.ask': noting(function* (
    { db, among },
    { digests, nowMs }: { digests: readonly string[]; nowMs: number },
  ) {
    const kept = yield* all(
      db
        .updateTable('blobs')
        .set({ asked_at_ms: nowMs })
        .where('damaged', '=', 0)
        .where(among('digest', digests))
        .returning('digest'),
    );
    return kept.map((row) => row.digest);
  }),

  'blobs.open': noting(function* ({ db }, { digest, nowMs }: { digest: string; nowMs: number }) {
    const row = yield* first(
      db
        .updateTable('blobs')
        .set({ asked_at_ms: nowMs })
        .where('digest', '=', digest)
        .returning(['upload', 'size_bytes', 'pieces']),
    );
    return row === null ? null : { upload: row.upload, sizeBytes: row.size_bytes, pieces: row.pieces };
  }),

  'blobs.read': reading(function* (_, { upload, number }: { upload: string; number: number }) {
    const [piece] = yield* rows<Omit<BlobPiece, 'number'>>(
      'SELECT encoding, bytes FROM blob_pieces WHERE upload = $1 AND number = $2',
      upload,
      number,
    );
    return piece === undefined ? null : { ...piece, number };
  }),

  /** What was found of a blob while it was read. Nothing where another upload counts by now. */
  'blobs.judge': noting(function* (
    { db },
    { digest, upload, sound }: { digest: string; upload: string; sound: boolean },
  ) {
    yield* change(
      db
        .updateTable('blobs')
        .set({ damaged: sound ? 0 : 1 })
        .where('digest', '=', digest)
        .where('upload', '=', upload)
        .where('damaged', '=', sound ? 1 : 0),
    );
  }),

  'blobs.piece': noting(function* (
    { db },
    { upload, piece, nowMs }: { upload: string; piece: BlobPiece; nowMs: number },
  ) {
    // Only the first begins an upload: one that was swept away must not come back without its beginning.
    const going = yield* change(
      piece.number === 0
        ? db.insertInto('blob_uploads').values({ id: upload, touched_at_ms: nowMs })
        : db
            .updateTable('blob_uploads')
            .set({ touched_at_ms: nowMs })
            .where('id', '=', upload)
            .where('touched_at_ms', '>', 0),
    );
    if (going === 0) throw swept();
    yield* insertPiece(upload, piece);
  }),

  'blobs.finish': noting(function* (dialect, blob: FinishedBlob) {
    const open = yield* change(
      dialect.db.deleteFrom('blob_uploads').where('id', '=', blob.upload).where('touched_at_ms', '>', 0),
    );
    if (open === 0) throw swept();
    if (!(yield* insertBlob(dialect, blob))) {
      // Another was faster. What it put is the same.
      yield* change(dialect.db.insertInto('blob_uploads').values({ id: blob.upload, touched_at_ms: 0 }));
    }
  }),

  /** A blob of one piece, or none. */
  'blobs.whole': noting(function* (
    dialect,
    { blob, piece }: { blob: FinishedBlob; piece: BlobPiece | null },
  ) {
    if ((yield* insertBlob(dialect, blob)) && piece !== null) yield* insertPiece(blob.upload, piece);
  }),

  'blobs.abandon': noting(function* ({ db }, upload: string) {
    yield* change(db.updateTable('blob_uploads').set({ touched_at_ms: 0 }).where('id', '=', upload));
  }),

  'blobs.unnamed': reading(function* () {
    const [blobs] = yield* rows<{ bytes: number | string | bigint | null }>(
      'SELECT SUM(size_bytes) AS bytes FROM blobs WHERE NOT EXISTS (SELECT 1 FROM release_blobs WHERE release_blobs.digest = blobs.digest)',
    );
    const [pieces] = yield* rows<{ count: number | string | bigint }>(
      'SELECT COUNT(*) AS count FROM blob_pieces WHERE upload IN (SELECT id FROM blob_uploads)',
    );
    return Number(blobs?.bytes ?? 0) + Number(pieces?.count ?? 0) * PIECE_BYTES;
  }),

  /** One step; what it removes becomes rubbish. @returns how many. */
  'blobs.sweep': changing(function* ({ db, among }, beforeMs: number) {
    const over = yield* all(
      db
        .selectFrom('blobs')
        .select(['digest', 'upload'])
        .where('asked_at_ms', '<', beforeMs)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('release_blobs')
                .select('release_blobs.app')
                .whereRef('release_blobs.digest', '=', 'blobs.digest'),
            ),
          ),
        )
        .limit(SWEPT_BLOBS),
    );
    if (over.length === 0) return 0;
    yield* change(
      db.deleteFrom('blobs').where(
        among(
          'digest',
          over.map((blob) => blob.digest),
        ),
      ),
    );
    yield { into: 'blob_uploads', rows: over.map((blob) => [blob.upload, 0]) };
    return over.length;
  }),

  /** Removes pieces that are rubbish, or of uploads that nobody goes on with. One step. @returns whether there may be more. */
  'blobs.clear': {
    ...noting(function* ({ db }, beforeMs: number) {
      const over = yield* first(
        db.selectFrom('blob_uploads').select('id').where('touched_at_ms', '<', beforeMs).limit(1),
      );
      if (over === null) return false;
      // Whoever is still at it learns of it by this.
      yield* change(db.updateTable('blob_uploads').set({ touched_at_ms: 0 }).where('id', '=', over.id));
      const removed = yield* run(
        'DELETE FROM blob_pieces WHERE upload = $1 AND number IN (SELECT number FROM blob_pieces WHERE upload = $1 ORDER BY number LIMIT $2)',
        over.id,
        SWEPT_PIECES,
      );
      if (removed < SWEPT_PIECES) yield* change(db.deleteFrom('blob_uploads').where('id', '=', over.id));
      return true;
    }),
    frees: true,
  },

  /**
   * Gives space that was freed back to the file system, a little at a time, and shortens the log: on a disk that is full there is no
   * room for more. Nothing on Postgres, which does so by itself. @returns whether there may be more.
   */
  'blobs.reclaim': reading<null, boolean>(function* ({ name }) {
    if (name === 'postgres') return false;
    const [free] = yield* rows<{ freelist_count: number }>('PRAGMA freelist_count');
    const [all] = yield* rows<{ page_count: number }>('PRAGMA page_count');
    // Fewer are soon used again.
    if (free!.freelist_count * 5 <= all!.page_count) return false;
    yield* rows(`PRAGMA incremental_vacuum(${RECLAIMED_PAGES})`);
    yield* rows('PRAGMA wal_checkpoint(TRUNCATE)');
    return true;
  }),
};

function swept(): FulcrumError {
  return new FulcrumError(
    'store-failed',
    'The upload of a file took so long that its beginning was swept away. Repeat it.',
  );
}

function* insertPiece(upload: string, { number, encoding, bytes }: BlobPiece): Steps<void> {
  yield* run(
    'INSERT INTO blob_pieces (upload, number, encoding, bytes) VALUES ($1, $2, $3, $4)',
    upload,
    number,
    encoding,
    bytes,
  );
}

/** @returns whether it is this upload that counts. */
function* insertBlob({ db }: Dialect, blob: FinishedBlob): Steps<boolean> {
  if (blob.replaces !== null) {
    const replaced = yield* change(
      db
        .updateTable('blobs')
        .set({
          size_bytes: blob.sizeBytes,
          upload: blob.upload,
          pieces: blob.pieces,
          asked_at_ms: blob.nowMs,
          damaged: 0,
        })
        .where('digest', '=', blob.digest)
        .where('upload', '=', blob.replaces),
    );
    if (replaced > 0) {
      // A sweep takes the pieces of the damaged one.
      yield { into: 'blob_uploads', rows: [[blob.replaces, 0]] };
      return true;
    }
  }
  const row = yield* first(
    db
      .insertInto('blobs')
      .values({
        digest: blob.digest,
        size_bytes: blob.sizeBytes,
        upload: blob.upload,
        pieces: blob.pieces,
        asked_at_ms: blob.nowMs,
        damaged: 0,
      })
      .onConflict((conflict) => conflict.column('digest').doUpdateSet({ asked_at_ms: blob.nowMs }))
      .returning('upload'),
  );
  return row!.upload === blob.upload;
}
