import type { Migration } from './migration.ts';

/**
 * Sums are REAL, since milliseconds have fractions and byte-milliseconds outgrow 53 bits. Keys begin with the component,
 * as most questions do. Whatever is large stands last in its row, so that a scan over the rest need not read it.
 */
export const usage: Migration = {
  version: 1,
  name: 'usage',
  sqlite: `
    CREATE TABLE usage_minutes (
      component TEXT NOT NULL,
      minute_ms INTEGER NOT NULL,
      part TEXT NOT NULL,
      span_ms INTEGER NOT NULL,
      revision TEXT NOT NULL,
      mode TEXT NOT NULL,
      outcome TEXT NOT NULL,
      count INTEGER NOT NULL,
      cold INTEGER NOT NULL,
      waited_ms REAL NOT NULL,
      start_ms REAL NOT NULL,
      duration_ms REAL NOT NULL,
      billed_ms REAL NOT NULL,
      billed_byte_ms REAL NOT NULL,
      cpu_ms REAL NOT NULL,
      latency BLOB NOT NULL,
      duration BLOB NOT NULL,
      PRIMARY KEY (component, minute_ms, part)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE usage_arrivals (
      part TEXT NOT NULL PRIMARY KEY,
      component TEXT NOT NULL,
      mode TEXT NOT NULL,
      first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      count INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX usage_arrivals_by_time ON usage_arrivals (component, last_ms, part, first_ms, size_bytes);

    CREATE TABLE usage_rows (
      component TEXT NOT NULL,
      arrived_at_ms REAL NOT NULL,
      part TEXT NOT NULL,
      revision TEXT NOT NULL,
      mode TEXT NOT NULL,
      trigger_kind TEXT NOT NULL,
      outcome TEXT NOT NULL,
      request_id TEXT NOT NULL,
      status INTEGER NOT NULL,
      waited_ms REAL NOT NULL,
      start_ms REAL NOT NULL,
      duration_ms REAL NOT NULL,
      billed_ms REAL NOT NULL,
      cpu_ms REAL NOT NULL,
      cold INTEGER NOT NULL,
      memory_bytes REAL NOT NULL,
      PRIMARY KEY (component, arrived_at_ms, part)
    ) STRICT, WITHOUT ROWID;
  `,
  postgres: `
    CREATE TABLE usage_minutes (
      component TEXT COLLATE "C" NOT NULL,
      minute_ms BIGINT NOT NULL,
      part TEXT COLLATE "C" NOT NULL,
      span_ms BIGINT NOT NULL,
      revision TEXT COLLATE "C" NOT NULL,
      mode TEXT COLLATE "C" NOT NULL,
      outcome TEXT COLLATE "C" NOT NULL,
      count BIGINT NOT NULL,
      cold BIGINT NOT NULL,
      waited_ms DOUBLE PRECISION NOT NULL,
      start_ms DOUBLE PRECISION NOT NULL,
      duration_ms DOUBLE PRECISION NOT NULL,
      billed_ms DOUBLE PRECISION NOT NULL,
      billed_byte_ms DOUBLE PRECISION NOT NULL,
      cpu_ms DOUBLE PRECISION NOT NULL,
      latency BYTEA NOT NULL,
      duration BYTEA NOT NULL,
      PRIMARY KEY (component, minute_ms, part)
    );

    CREATE TABLE usage_arrivals (
      part TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      component TEXT COLLATE "C" NOT NULL,
      mode TEXT COLLATE "C" NOT NULL,
      first_ms BIGINT NOT NULL,
      last_ms BIGINT NOT NULL,
      count BIGINT NOT NULL,
      size_bytes BIGINT NOT NULL,
      bytes BYTEA NOT NULL
    );
    CREATE INDEX usage_arrivals_by_time ON usage_arrivals (component, last_ms, part, first_ms, size_bytes);

    CREATE TABLE usage_rows (
      component TEXT COLLATE "C" NOT NULL,
      arrived_at_ms DOUBLE PRECISION NOT NULL,
      part TEXT COLLATE "C" NOT NULL,
      revision TEXT COLLATE "C" NOT NULL,
      mode TEXT COLLATE "C" NOT NULL,
      trigger_kind TEXT COLLATE "C" NOT NULL,
      outcome TEXT COLLATE "C" NOT NULL,
      request_id TEXT COLLATE "C" NOT NULL,
      status BIGINT NOT NULL,
      waited_ms DOUBLE PRECISION NOT NULL,
      start_ms DOUBLE PRECISION NOT NULL,
      duration_ms DOUBLE PRECISION NOT NULL,
      billed_ms DOUBLE PRECISION NOT NULL,
      cpu_ms DOUBLE PRECISION NOT NULL,
      cold BIGINT NOT NULL,
      memory_bytes DOUBLE PRECISION NOT NULL,
      PRIMARY KEY (component, arrived_at_ms, part)
    );
  `,
};
