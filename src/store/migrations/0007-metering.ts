import type { Migration } from './migration.ts';

/**
 * What a bill needs beyond counts of invocations: what each would be as a function, bytes, instances' lives, calls that stayed within a
 * process, who writes, and what may be missing. Columns that cannot be had from older rows are nullable, and reading estimates them: so
 * nothing is rewritten here, and the server before this one may go on writing while it makes room for us.
 */
export const metering: Migration = {
  version: 7,
  name: 'metering',
  sqlite: statements({
    integer: 'INTEGER',
    real: 'REAL',
    text: 'TEXT',
    end: ') STRICT, WITHOUT ROWID',
  }),
  postgres: statements({
    integer: 'BIGINT',
    real: 'DOUBLE PRECISION',
    text: 'TEXT COLLATE "C"',
    end: ')',
  }),
};

interface Words {
  readonly integer: string;
  readonly real: string;
  readonly text: string;
  readonly end: string;
}

function statements({ integer, real, text, end }: Words): string {
  return `
    ALTER TABLE usage_minutes ADD COLUMN whole_ms ${real};
    ALTER TABLE usage_minutes ADD COLUMN whole_byte_ms ${real};
    ALTER TABLE usage_minutes ADD COLUMN hundreds_ms ${real};
    ALTER TABLE usage_minutes ADD COLUMN internal ${integer} NOT NULL DEFAULT 0;
    ALTER TABLE usage_minutes ADD COLUMN bytes_in ${real} NOT NULL DEFAULT 0;
    ALTER TABLE usage_minutes ADD COLUMN bytes_out ${real} NOT NULL DEFAULT 0;
    ALTER TABLE usage_rows ADD COLUMN bytes_in ${real} NOT NULL DEFAULT 0;
    ALTER TABLE usage_rows ADD COLUMN bytes_out ${real} NOT NULL DEFAULT 0;

    -- The component is that or a group.
    CREATE TABLE usage_instances (
      app ${text} NOT NULL,
      component ${text} NOT NULL,
      minute_ms ${integer} NOT NULL,
      part ${text} NOT NULL,
      span_ms ${integer} NOT NULL,
      revision ${text} NOT NULL,
      mode ${text} NOT NULL,
      started ${integer} NOT NULL,
      lived_ms ${real} NOT NULL,
      held_byte_ms ${real} NOT NULL,
      watched_ms ${real} NOT NULL,
      used_byte_ms ${real} NOT NULL,
      cpu_ms ${real} NOT NULL,
      PRIMARY KEY (app, component, minute_ms, part)
    ${end};

    -- The component is who was called.
    CREATE TABLE usage_calls (
      app ${text} NOT NULL,
      component ${text} NOT NULL,
      hour_ms ${integer} NOT NULL,
      part ${text} NOT NULL,
      caller ${text} NOT NULL,
      count ${integer} NOT NULL,
      failed ${integer} NOT NULL,
      duration_ms ${real} NOT NULL,
      PRIMARY KEY (app, component, hour_ms, part)
    ${end};

    -- Those that are not closed.
    CREATE TABLE usage_writers (
      app ${text} NOT NULL,
      id ${text} NOT NULL,
      node ${text} NOT NULL,
      since_ms ${integer} NOT NULL,
      wrote_ms ${integer} NOT NULL,
      PRIMARY KEY (app, id)
    ${end};

    CREATE TABLE usage_gaps (
      app ${text} NOT NULL,
      from_ms ${integer} NOT NULL,
      writer ${text} NOT NULL,
      to_ms ${integer} NOT NULL,
      PRIMARY KEY (app, from_ms, writer)
    ${end};
  `;
}
