import type { Migration } from './migration.ts';

/** What was decided about modes, what `auto` remembers of each unit, and who decides for an app where several servers could. */
export const modes: Migration = {
  version: 8,
  name: 'modes',
  sqlite: `
    CREATE TABLE mode_steps (
      app TEXT NOT NULL,
      id TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      unit TEXT NOT NULL,
      kind TEXT NOT NULL,
      made_by TEXT NOT NULL,
      from_mode TEXT NOT NULL,
      to_mode TEXT NOT NULL,
      reason TEXT NOT NULL,
      figures TEXT NOT NULL,
      PRIMARY KEY (app, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX mode_steps_by_unit ON mode_steps (app, unit, id);
    CREATE TABLE auto_states (
      app TEXT NOT NULL,
      unit TEXT NOT NULL,
      state TEXT NOT NULL,
      saved_at_ms INTEGER NOT NULL,
      PRIMARY KEY (app, unit)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE auto_leases (
      app TEXT NOT NULL,
      node TEXT NOT NULL,
      until_ms INTEGER NOT NULL,
      PRIMARY KEY (app)
    ) STRICT, WITHOUT ROWID;
  `,
  postgres: `
    CREATE TABLE mode_steps (
      app TEXT COLLATE "C" NOT NULL,
      id TEXT COLLATE "C" NOT NULL,
      at_ms BIGINT NOT NULL,
      unit TEXT COLLATE "C" NOT NULL,
      kind TEXT COLLATE "C" NOT NULL,
      made_by TEXT COLLATE "C" NOT NULL,
      from_mode TEXT COLLATE "C" NOT NULL,
      to_mode TEXT COLLATE "C" NOT NULL,
      reason TEXT COLLATE "C" NOT NULL,
      figures TEXT COLLATE "C" NOT NULL,
      PRIMARY KEY (app, id)
    );
    CREATE INDEX mode_steps_by_unit ON mode_steps (app, unit, id);
    CREATE TABLE auto_states (
      app TEXT COLLATE "C" NOT NULL,
      unit TEXT COLLATE "C" NOT NULL,
      state TEXT COLLATE "C" NOT NULL,
      saved_at_ms BIGINT NOT NULL,
      PRIMARY KEY (app, unit)
    );
    CREATE TABLE auto_leases (
      app TEXT COLLATE "C" NOT NULL,
      node TEXT COLLATE "C" NOT NULL,
      until_ms BIGINT NOT NULL,
      PRIMARY KEY (app)
    );
  `,
};
