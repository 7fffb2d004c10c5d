import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asClause } from './clause.ts';

test('a sentence within another one has no full stop of its own', () => {
  assert.equal(asClause('It ended (NO_START_LINE).'), 'It ended (NO_START_LINE)');
  assert.equal(asClause('Set it with `--app a.b`.. \n'), 'Set it with `--app a.b`');
  assert.equal(asClause('v1.2 of it'), 'v1.2 of it');
});
