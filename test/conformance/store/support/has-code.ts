import assert from 'node:assert/strict';
import { FulcrumError, type ErrorCode } from '../../../../src/base/errors.ts';

/** For assert.rejects: an error of ours with that code, whose message matches. */
export function hasCode(code: ErrorCode, message = /./): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof FulcrumError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}
