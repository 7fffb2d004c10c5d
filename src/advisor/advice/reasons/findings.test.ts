import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from '../../../checks/finding.ts';
import { factsOf, finding } from '../../testing/advice-request.ts';
import { CRITERION_OF, findingsOf, HARMLESS, mended, placeOf } from './findings.ts';

test('every rule of the switch check is about a criterion, or is known to be harmless', () => {
  assert.deepEqual([...Object.keys(CRITERION_OF), ...HARMLESS].sort(), Object.keys(RULES).sort());
});

test('what was mended is gone from its mode and its criterion only', () => {
  const facts = factsOf({
    sockets: true,
    findings: {
      function: [finding('memory-state'), finding('timer')],
      service: [finding('shared-variable')],
    },
  });
  const now = mended(facts, 'function', 'state');
  assert.deepEqual(findingsOf(now, 'function', 'state'), []);
  assert.equal(findingsOf(now, 'function', 'background').length, 1);
  assert.equal(findingsOf(now, 'service', 'state').length, 1);
  assert.equal(now.sockets, true);
  assert.equal(mended(facts, 'function', 'sockets').sockets, false);
});

test('a finding is told with its place, where it has one', () => {
  assert.equal(placeOf(finding('timer', { message: 'It ends.' })), 'catalog.ts:12: It ends.');
  assert.equal(placeOf(finding('timer', { file: null, line: 0, message: 'It ends.' })), 'It ends.');
});
