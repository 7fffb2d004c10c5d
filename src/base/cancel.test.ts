import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelSource, type CancelSignal } from './cancel.ts';

test('a source behaves as an AbortSignal does, as far as this project goes by one', () => {
  const source = new CancelSource();
  const controller = new AbortController();
  for (const [signal, abort] of [
    [source, (reason: unknown) => source.abort(reason)],
    [controller.signal, (reason: unknown) => controller.abort(reason)],
  ] as [CancelSignal, (reason: unknown) => void][]) {
    const told: string[] = [];
    const removed = (): void => void told.push('removed');
    signal.addEventListener('abort', () => void told.push('first'));
    signal.addEventListener('abort', removed);
    signal.addEventListener('abort', { handleEvent: () => void told.push('object') });
    signal.removeEventListener('abort', removed);
    assert.deepEqual([signal.aborted, signal.reason], [false, undefined]);
    abort('why');
    abort('again');
    assert.deepEqual([signal.aborted, signal.reason, told], [true, 'why', ['first', 'object']]);
    signal.addEventListener('abort', () => void told.push('late'));
    assert.equal(told.length, 2);
  }
});
