import type { Migration } from './migration.ts';

/**
 * What a server keeps beside usage: apps, releases and their files, tokens, secrets, the audit log. Usage gets an app; what was
 * there before has '' until somebody adopts it. JSON is kept as text: it is nobody's business here, and comes back as it was given.
 */
export const server: Migration = {
  version: 2,
  name: 'server',
  sqlite: `
    CREATE TABLE counters (
      name TEXT NOT NULL PRIMARY KEY,
      value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE apps (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      environment TEXT NOT NULL,
      hosts TEXT NOT NULL,
      prefix TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      serving INTEGER,
      canary TEXT,
      modes TEXT NOT NULL,
      version INTEGER NOT NULL,
      last_release INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE blob_uploads (
      id TEXT NOT NULL PRIMARY KEY,
      touched_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX blob_uploads_by_time ON blob_uploads (touched_at_ms);

    CREATE TABLE blob_pieces (
      upload TEXT NOT NULL,
      number INTEGER NOT NULL,
      encoding TEXT NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (upload, number)
    ) STRICT;

    CREATE TABLE blobs (
      digest TEXT NOT NULL PRIMARY KEY,
      size_bytes INTEGER NOT NULL,
      upload TEXT NOT NULL,
      pieces INTEGER NOT NULL,
      asked_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX blobs_by_time ON blobs (asked_at_ms);

    CREATE TABLE releases (
      app TEXT NOT NULL REFERENCES apps (id),
      number INTEGER NOT NULL,
      manifest TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      note TEXT NOT NULL,
      failure TEXT,
      PRIMARY KEY (app, number)
    ) STRICT;

    CREATE TABLE release_blobs (
      app TEXT NOT NULL,
      number INTEGER NOT NULL,
      digest TEXT NOT NULL REFERENCES blobs (digest),
      PRIMARY KEY (app, number, digest),
      FOREIGN KEY (app, number) REFERENCES releases (app, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX release_blobs_by_digest ON release_blobs (digest);

    CREATE TABLE tokens (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      scope TEXT NOT NULL,
      apps TEXT,
      created_at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER,
      last_used_at_ms INTEGER
    ) STRICT;

    CREATE TABLE secrets (
      app TEXT NOT NULL,
      name TEXT NOT NULL,
      key_id TEXT NOT NULL,
      sealed BLOB NOT NULL,
      updated_at_ms INTEGER NOT NULL,
      PRIMARY KEY (app, name)
    ) STRICT;

    CREATE TABLE audit (
      number INTEGER NOT NULL PRIMARY KEY,
      at_ms INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      app TEXT,
      outcome TEXT NOT NULL,
      details TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_by_app ON audit (app, number);

    CREATE TABLE usage_minutes_of_apps (
      app TEXT NOT NULL,
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
      PRIMARY KEY (app, component, minute_ms, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO usage_minutes_of_apps SELECT '', component, minute_ms, part, span_ms, revision, mode, outcome, count, cold,
      waited_ms, start_ms, duration_ms, billed_ms, billed_byte_ms, cpu_ms, latency, duration FROM usage_minutes;
    DROP TABLE usage_minutes;
    ALTER TABLE usage_minutes_of_apps RENAME TO usage_minutes;

    CREATE TABLE usage_arrivals_of_apps (
      part TEXT NOT NULL PRIMARY KEY,
      app TEXT NOT NULL,
      component TEXT NOT NULL,
      mode TEXT NOT NULL,
      first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL,
      count INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    INSERT INTO usage_arrivals_of_apps SELECT part, '', component, mode, first_ms, last_ms, count, size_bytes, bytes FROM usage_arrivals;
    DROP TABLE usage_arrivals;
    ALTER TABLE usage_arrivals_of_apps RENAME TO usage_arrivals;
    CREATE INDEX usage_arrivals_by_time ON usage_arrivals (app, component, last_ms, part, first_ms, size_bytes);

    CREATE TABLE usage_rows_of_apps (
      app TEXT NOT NULL,
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
      PRIMARY KEY (app, component, arrived_at_ms, part)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO usage_rows_of_apps SELECT '', component, arrived_at_ms, part, revision, mode, trigger_kind, outcome, request_id,
      status, waited_ms, start_ms, duration_ms, billed_ms, cpu_ms, cold, memory_bytes FROM usage_rows;
    DROP TABLE usage_rows;
    ALTER TABLE usage_rows_of_apps RENAME TO usage_rows;
  `,
  postgres: `
    CREATE TABLE counters (
      name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      value BIGINT NOT NULL
    );

    CREATE TABLE apps (
      id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      name TEXT COLLATE "C" NOT NULL,
      environment TEXT COLLATE "C" NOT NULL,
      hosts TEXT COLLATE "C" NOT NULL,
      prefix TEXT COLLATE "C" NOT NULL,
      created_at_ms BIGINT NOT NULL,
      serving BIGINT,
      canary TEXT COLLATE "C",
      modes TEXT COLLATE "C" NOT NULL,
      version BIGINT NOT NULL,
      last_release BIGINT NOT NULL
    );

    CREATE TABLE blob_uploads (
      id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      touched_at_ms BIGINT NOT NULL
    );
    CREATE INDEX blob_uploads_by_time ON blob_uploads (touched_at_ms);

    CREATE TABLE blob_pieces (
      upload TEXT COLLATE "C" NOT NULL,
      number BIGINT NOT NULL,
      encoding TEXT COLLATE "C" NOT NULL,
      bytes BYTEA NOT NULL,
      PRIMARY KEY (upload, number)
    );
    -- They are compressed already where that pays.
    ALTER TABLE blob_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;

    CREATE TABLE blobs (
      digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      size_bytes BIGINT NOT NULL,
      upload TEXT COLLATE "C" NOT NULL,
      pieces BIGINT NOT NULL,
      asked_at_ms BIGINT NOT NULL
    );
    CREATE INDEX blobs_by_time ON blobs (asked_at_ms);

    CREATE TABLE releases (
      app TEXT COLLATE "C" NOT NULL REFERENCES apps (id),
      number BIGINT NOT NULL,
      manifest TEXT COLLATE "C" NOT NULL,
      state TEXT COLLATE "C" NOT NULL,
      created_at_ms BIGINT NOT NULL,
      created_by TEXT COLLATE "C" NOT NULL,
      note TEXT COLLATE "C" NOT NULL,
      failure TEXT COLLATE "C",
      PRIMARY KEY (app, number)
    );

    CREATE TABLE release_blobs (
      app TEXT COLLATE "C" NOT NULL,
      number BIGINT NOT NULL,
      digest TEXT COLLATE "C" NOT NULL REFERENCES blobs (digest),
      PRIMARY KEY (app, number, digest),
      FOREIGN KEY (app, number) REFERENCES releases (app, number)
    );
    CREATE INDEX release_blobs_by_digest ON release_blobs (digest);

    CREATE TABLE tokens (
      id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
      name TEXT COLLATE "C" NOT NULL,
      hash TEXT COLLATE "C" NOT NULL UNIQUE,
      scope TEXT COLLATE "C" NOT NULL,
      apps TEXT COLLATE "C",
      created_at_ms BIGINT NOT NULL,
      expires_at_ms BIGINT,
      last_used_at_ms BIGINT
    );

    CREATE TABLE secrets (
      app TEXT COLLATE "C" NOT NULL,
      name TEXT COLLATE "C" NOT NULL,
      key_id TEXT COLLATE "C" NOT NULL,
      sealed BYTEA NOT NULL,
      updated_at_ms BIGINT NOT NULL,
      PRIMARY KEY (app, name)
    );

    CREATE TABLE audit (
      number BIGINT NOT NULL PRIMARY KEY,
      at_ms BIGINT NOT NULL,
      actor TEXT COLLATE "C" NOT NULL,
      action TEXT COLLATE "C" NOT NULL,
      app TEXT COLLATE "C",
      outcome TEXT COLLATE "C" NOT NULL,
      details TEXT COLLATE "C" NOT NULL
    );
    CREATE INDEX audit_by_app ON audit (app, number);

    ALTER TABLE usage_minutes ADD COLUMN app TEXT COLLATE "C" NOT NULL DEFAULT '';
    ALTER TABLE usage_minutes ALTER COLUMN app DROP DEFAULT;
    ALTER TABLE usage_minutes DROP CONSTRAINT usage_minutes_pkey;
    ALTER TABLE usage_minutes ADD PRIMARY KEY (app, component, minute_ms, part);

    ALTER TABLE usage_arrivals ADD COLUMN app TEXT COLLATE "C" NOT NULL DEFAULT '';
    ALTER TABLE usage_arrivals ALTER COLUMN app DROP DEFAULT;
    DROP INDEX usage_arrivals_by_time;
    CREATE INDEX usage_arrivals_by_time ON usage_arrivals (app, component, last_ms, part, first_ms, size_bytes);

    ALTER TABLE usage_rows ADD COLUMN app TEXT COLLATE "C" NOT NULL DEFAULT '';
    ALTER TABLE usage_rows ALTER COLUMN app DROP DEFAULT;
    ALTER TABLE usage_rows DROP CONSTRAINT usage_rows_pkey;
    ALTER TABLE usage_rows ADD PRIMARY KEY (app, component, arrived_at_ms, part);
  `,
};
