import type { Attempt } from '../../model/event.ts';
import type { Delivery, WorkRecord } from '../../model/event-store.ts';
import type { ColumnType } from '../table.ts';
import type { Schema } from '../tables.ts';

export type WorkRow = Schema['work'];

/** Columns of what is kept of a piece of work, without its data. */
export const RECORD_COLUMNS = `app, id, component, kind, type, source, subject, order_key, time_ms, content_type, attributes,
  published_at_ms, state, due_at_ms, attempt, attempts, length(data) AS data_bytes`;
export const DELIVERY_COLUMNS = `app, id, component, kind, type, source, subject, order_key, time_ms, content_type, attributes,
  published_at_ms, state, due_at_ms, attempt, attempts, data`;

/** What names one piece of work. */
export const WORK_KEY = {
  app: 'text',
  id: 'text',
  component: 'text',
} as const satisfies Record<string, ColumnType>;

/**
 * By which rows of such names are looked for. An expression, so that the way is by app and id: without statistics every index is as good to
 * Postgres, and by app and component it went through all that the component has, once for each name.
 */
export const BY_WORK_KEY = "app, id, component || ''";

export function recordOf(row: Omit<WorkRow, 'data'> & { data_bytes: number }): WorkRecord {
  return {
    app: row.app,
    component: row.component,
    id: row.id,
    kind: row.kind as WorkRecord['kind'],
    type: row.type,
    source: row.source,
    subject: row.subject,
    key: row.order_key,
    timeMs: row.time_ms,
    contentType: row.content_type,
    attributes: row.attributes,
    dataBytes: row.data_bytes,
    publishedAtMs: row.published_at_ms,
    state: row.state as WorkRecord['state'],
    dueAtMs: row.due_at_ms,
    attempt: row.attempt,
    attempts: attemptsOf(row.attempts),
  };
}

export function deliveryOf(row: WorkRow): Delivery {
  return { ...recordOf({ ...row, data_bytes: row.data.length }), data: row.data };
}

export function attemptsOf(text: string): readonly Attempt[] {
  return text === '[]' ? [] : (JSON.parse(text) as Attempt[]);
}

/** As both databases keep it: neither lone halves of characters nor NUL. What is compared here with what was read must be so first. */
export function keptText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
