import type { Migration } from './migration.ts';

/** What was chosen by hand of what may be asked of components, as JSON. */
export const limits: Migration = {
  version: 4,
  name: 'limits',
  // With a default: the server before this one may go on creating apps while it makes room for us.
  sqlite: "ALTER TABLE apps ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';",
  postgres: `ALTER TABLE apps ADD COLUMN limits TEXT COLLATE "C" NOT NULL DEFAULT '{}';`,
};
