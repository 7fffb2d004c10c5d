import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './suggest.ts';

test('proposes the likely word and keeps silent about unlikely ones', () => {
  const known = ['memory', 'timeout', 'mode', 'routes'];
  assert.equal(nearest('memroy', known), 'memory');
  assert.equal(nearest('timeOut', known), 'timeout');
  assert.equal(nearest('rotues', known), 'routes');
  assert.equal(nearest('mod', known), 'mode');
  assert.equal(nearest('mem', known), 'memory');
  assert.equal(nearest('rout', known), 'routes');
  assert.equal(nearest('banana', known), null);
  assert.equal(nearest('x', []), null);
});
