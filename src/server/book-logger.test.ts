import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { LogEntry } from '../model/log.ts';
import { bookLogger } from './book-logger.ts';

function written(fields: object, message: string): LogEntry {
  const entries: LogEntry[] = [];
  bookLogger({ write: (entry) => entries.push(entry) }, new FakeClock(7)).error(fields, message);
  return entries[0]!;
}

test('a line says what it is about, and when', () => {
  const entry = written({ component: 'shop', requestId: 'r_1', port: 80 }, 'not good');
  assert.deepEqual(
    [entry.atMs, entry.level, entry.component, entry.requestId, entry.text],
    [7, 'error', 'shop', 'r_1', 'not good'],
  );
  assert.equal(entry.fields!['port'], 80);
});

test('an error stays readable as JSON, its causes included', () => {
  const error = new TypeError('outer', { cause: Object.assign(new Error('inner'), { code: 'EACCES' }) });
  const entry = written({ err: error }, 'it failed');
  assert.equal(entry.text, 'it failed: outer');
  const kept = JSON.parse(JSON.stringify(entry.fields)) as {
    err: { name: string; stack: string; cause: { message: string; code: string } };
  };
  assert.equal(kept.err.name, 'TypeError');
  assert.match(kept.err.stack, /book-logger\.test/);
  assert.deepEqual([kept.err.cause.message, kept.err.cause.code], ['inner', 'EACCES']);
});
