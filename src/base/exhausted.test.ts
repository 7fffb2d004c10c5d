import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from './errors.ts';
import { exhaustedCode, resourcesExhausted } from './exhausted.ts';

function system(code: string): Error {
  return Object.assign(new Error(`fork: ${code}`), { code });
}

test('a shortage of the machine is known wherever it stands among the causes', () => {
  for (const code of ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']) {
    assert.equal(exhaustedCode(system(code)), code);
    assert.equal(exhaustedCode(new FulcrumError('start-failed', 'No.', { cause: system(code) })), code);
    const error = resourcesExhausted('No process could be forked', code);
    assert.equal(exhaustedCode(new Error('outer', { cause: error })), code);
    assert.deepEqual([error.status, error.fault, error.retryAfterS], [503, 'platform', 1]);
    assert.match(error.message, new RegExp(`^No process could be forked: .*\\(${code}\\)`));
  }
});

test('and nothing else is one', () => {
  const loop = new Error('a');
  loop.cause = loop;
  for (const other of [system('ENOENT'), new Error('EMFILE'), 'EMFILE', null, { code: 'EMFILE' }, loop])
    assert.equal(exhaustedCode(other), null);
});
