import {
  bytes,
  integer,
  optionalBytes,
  optionalInteger,
  optionalText,
  text,
  type Column,
  type Table,
} from './table.ts';
import { usageTables } from './usage-tables.ts';

/**
 * The tables as data: what bulk inserts, copies and checksums go by, and what the types of queries are made from. The migrations hold
 * the same in SQL; a test compares them. Times are whole milliseconds since the epoch, but for those that say otherwise. They stand in an
 * order in which each comes after those that it refers to.
 */
export const tables = {
  counters: { key: ['name'], batchRows: 1_000, columns: { name: text, value: integer } },
  apps: {
    key: ['id'],
    batchRows: 100,
    columns: {
      id: text,
      name: text,
      environment: text,
      hosts: text,
      prefix: text,
      created_at_ms: integer,
      serving: optionalInteger,
      canary: optionalText,
      modes: text,
      version: integer,
      last_release: integer,
      limits: text,
    },
  },
  blob_uploads: { key: ['id'], batchRows: 1_000, columns: { id: text, touched_at_ms: integer } },
  blob_pieces: {
    key: ['upload', 'number'],
    batchRows: 4,
    columns: { upload: text, number: integer, encoding: text, bytes },
  },
  blobs: {
    key: ['digest'],
    batchRows: 1_000,
    columns: {
      digest: text,
      size_bytes: integer,
      upload: text,
      pieces: integer,
      asked_at_ms: integer,
      damaged: integer,
    },
  },
  releases: {
    key: ['app', 'number'],
    batchRows: 4,
    columns: {
      app: text,
      number: integer,
      manifest: text,
      state: text,
      created_at_ms: integer,
      created_by: text,
      note: text,
      failure: optionalText,
    },
  },
  release_blobs: {
    key: ['app', 'number', 'digest'],
    batchRows: 1_000,
    columns: { app: text, number: integer, digest: text },
  },
  tokens: {
    key: ['id'],
    batchRows: 1_000,
    columns: {
      id: text,
      name: text,
      hash: text,
      scope: text,
      apps: optionalText,
      created_at_ms: integer,
      expires_at_ms: optionalInteger,
      last_used_at_ms: optionalInteger,
    },
  },
  secrets: {
    key: ['app', 'name'],
    batchRows: 100,
    columns: { app: text, name: text, key_id: text, sealed: bytes, updated_at_ms: integer },
  },
  audit: {
    key: ['number'],
    batchRows: 500,
    columns: {
      number: integer,
      at_ms: integer,
      actor: text,
      action: text,
      app: optionalText,
      outcome: text,
      details: text,
    },
  },
  schedules: {
    key: ['app', 'component', 'name'],
    batchRows: 500,
    columns: {
      app: text,
      component: text,
      name: text,
      spec: text,
      since_ms: integer,
      last_tick_ms: optionalInteger,
      last_state: optionalText,
      last_ended_at_ms: optionalInteger,
      last_message: optionalText,
    },
  },
  mode_steps: {
    key: ['app', 'id'],
    batchRows: 500,
    columns: {
      app: text,
      id: text,
      at_ms: integer,
      unit: text,
      kind: text,
      made_by: text,
      from_mode: text,
      to_mode: text,
      reason: text,
      figures: text,
    },
  },
  auto_states: {
    key: ['app', 'unit'],
    batchRows: 500,
    columns: { app: text, unit: text, state: text, saved_at_ms: integer },
  },
  auto_leases: { key: ['app'], batchRows: 1_000, columns: { app: text, node: text, until_ms: integer } },
  ...usageTables,
  work: {
    key: ['app', 'id', 'component'],
    batchRows: 8,
    columns: {
      app: text,
      id: text,
      component: text,
      kind: text,
      type: text,
      source: text,
      subject: optionalText,
      order_key: optionalText,
      time_ms: integer,
      content_type: text,
      attributes: text,
      published_at_ms: integer,
      state: text,
      due_at_ms: integer,
      attempt: integer,
      attempts: text,
      node: optionalText,
      position: integer,
      data: bytes,
    },
  },
  event_nodes: { key: ['node'], batchRows: 1_000, columns: { node: text, alive_until_ms: integer } },
  event_dedupes: {
    key: ['app', 'dedupe_key'],
    batchRows: 1_000,
    columns: { app: text, dedupe_key: text, until_ms: integer, id: text },
  },
  event_answers: {
    key: ['app', 'id'],
    batchRows: 4,
    columns: {
      app: text,
      id: text,
      component: text,
      kind: text,
      type: text,
      state: text,
      created_at_ms: integer,
      ended_at_ms: optionalInteger,
      forget_at_ms: integer,
      outcome: optionalText,
      status: optionalInteger,
      fields: optionalText,
      content_type: optionalText,
      error: optionalText,
      data: optionalBytes,
    },
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];

interface Values {
  text: string;
  integer: number;
  real: number;
  bytes: Uint8Array;
}
type ValueOf<C extends Column> = C extends { nullable: true } ? Values[C['type']] | null : Values[C['type']];
type RowOf<T extends Table> = { -readonly [Name in keyof T['columns']]: ValueOf<T['columns'][Name]> };

/** Rows as the database holds them, by table; what Kysely checks queries against. */
export type Schema = { [Name in TableName]: RowOf<(typeof tables)[Name]> };
