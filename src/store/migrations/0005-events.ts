import type { Migration } from './migration.ts';

/**
 * Kept work: a row for each event and component, for a schedule's tick, for an asynchronous invocation. What is done is deleted, so the
 * table is the backlog. Every index but the first two is partial: work that is leased as it is published, and done with, meets only those.
 */
export const events: Migration = {
  version: 5,
  name: 'events',
  sqlite: tables('INTEGER', 'TEXT', 'BLOB', ') STRICT', ') STRICT, WITHOUT ROWID'),
  postgres: `${tables('BIGINT', 'TEXT COLLATE "C"', 'BYTEA', ')', ')')}
    -- Rows come and go: what is dead is to be gone before an index consists of it.
    ALTER TABLE work SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);`,
};

/** The data stands last: what is before it is read without it. */
function tables(integer: string, text: string, bytes: string, end: string, endOfSmall: string): string {
  return `
    CREATE TABLE work (
      app ${text} NOT NULL,
      id ${text} NOT NULL,
      component ${text} NOT NULL,
      kind ${text} NOT NULL,
      type ${text} NOT NULL,
      source ${text} NOT NULL,
      subject ${text},
      order_key ${text},
      time_ms ${integer} NOT NULL,
      content_type ${text} NOT NULL,
      attributes ${text} NOT NULL,
      published_at_ms ${integer} NOT NULL,
      state ${text} NOT NULL,
      due_at_ms ${integer} NOT NULL,
      attempt ${integer} NOT NULL,
      attempts ${text} NOT NULL,
      node ${text},
      position ${integer} NOT NULL,
      data ${bytes} NOT NULL,
      PRIMARY KEY (app, id, component)
    ${end};
    -- Lists and counts.
    CREATE INDEX work_by_state ON work (app, component, state, published_at_ms);
    -- What to deliver next.
    CREATE INDEX work_ready ON work (app, component, due_at_ms) WHERE state = 'ready';
    CREATE INDEX work_delayed ON work (app, component, due_at_ms) WHERE state = 'delayed';
    -- The one of its key; that there are never two is held here, too.
    CREATE UNIQUE INDEX work_of_key ON work (app, component, order_key) WHERE order_key IS NOT NULL AND state IN ('ready', 'leased');
    -- Those behind it.
    CREATE INDEX work_blocked ON work (app, component, order_key, position, id) WHERE state = 'blocked';
    -- What a node had that is gone.
    CREATE INDEX work_by_node ON work (node) WHERE node IS NOT NULL;
    CREATE INDEX work_unmatched ON work (app, type, published_at_ms) WHERE state = 'unmatched';
    CREATE INDEX work_to_forget ON work (due_at_ms) WHERE state IN ('dead', 'unmatched');

    CREATE TABLE event_nodes (
      node ${text} NOT NULL PRIMARY KEY,
      alive_until_ms ${integer} NOT NULL
    ${endOfSmall};

    CREATE TABLE event_dedupes (
      app ${text} NOT NULL,
      dedupe_key ${text} NOT NULL,
      until_ms ${integer} NOT NULL,
      id ${text} NOT NULL,
      PRIMARY KEY (app, dedupe_key)
    ${endOfSmall};
    CREATE INDEX event_dedupes_by_time ON event_dedupes (until_ms);

    CREATE TABLE event_answers (
      app ${text} NOT NULL,
      id ${text} NOT NULL,
      component ${text} NOT NULL,
      kind ${text} NOT NULL,
      type ${text} NOT NULL,
      state ${text} NOT NULL,
      created_at_ms ${integer} NOT NULL,
      ended_at_ms ${integer},
      forget_at_ms ${integer} NOT NULL,
      outcome ${text},
      status ${integer},
      fields ${text},
      content_type ${text},
      error ${text},
      data ${bytes},
      PRIMARY KEY (app, id)
    ${end};
    CREATE INDEX event_answers_by_time ON event_answers (forget_at_ms);
  `;
}
