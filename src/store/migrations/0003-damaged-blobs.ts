import type { Migration } from './migration.ts';

/** A file that was found damaged is told to be missing, so that whoever has it sends it again. */
export const damagedBlobs: Migration = {
  version: 3,
  name: 'damaged-blobs',
  // With a default: the server before this one may go on writing while it makes room for us.
  sqlite: 'ALTER TABLE blobs ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;',
  postgres: 'ALTER TABLE blobs ADD COLUMN damaged BIGINT NOT NULL DEFAULT 0;',
};
