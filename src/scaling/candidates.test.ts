import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { allReady } from './candidates.ts';

describe('allReady', () => {
  it('is not fooled by an abort between the last one’s being ready and its own end', async () => {
    const abort = new AbortController();
    const all = allReady([], abort.signal);
    abort.abort(new FulcrumError('shutting-down', 'bye'));
    await assert.rejects(all, { code: 'shutting-down' });
  });
});
