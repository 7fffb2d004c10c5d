import type { Migration } from './migration.ts';

/** When each schedule of a component has ticked last, and how that ended. */
export const schedules: Migration = {
  version: 6,
  name: 'schedules',
  sqlite: `
    CREATE TABLE schedules (
      app TEXT NOT NULL,
      component TEXT NOT NULL,
      name TEXT NOT NULL,
      spec TEXT NOT NULL,
      since_ms INTEGER NOT NULL,
      last_tick_ms INTEGER,
      last_state TEXT,
      last_ended_at_ms INTEGER,
      last_message TEXT,
      PRIMARY KEY (app, component, name)
    ) STRICT, WITHOUT ROWID;
  `,
  postgres: `
    CREATE TABLE schedules (
      app TEXT COLLATE "C" NOT NULL,
      component TEXT COLLATE "C" NOT NULL,
      name TEXT COLLATE "C" NOT NULL,
      spec TEXT COLLATE "C" NOT NULL,
      since_ms BIGINT NOT NULL,
      last_tick_ms BIGINT,
      last_state TEXT COLLATE "C",
      last_ended_at_ms BIGINT,
      last_message TEXT COLLATE "C",
      PRIMARY KEY (app, component, name)
    );
  `,
};
