import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitFacts } from '../testing/usage-export.ts';
import { withBorrowedStarts } from './borrowed-starts.ts';

test('a unit with few starts of its own starts as those of its kind do', () => {
  const own = Array.from({ length: 20 }, () => 7);
  const facts = [
    unitFacts({ unit: 'often', startsMs: { function: own, service: [200] } }),
    unitFacts({ unit: 'seldom', startsMs: { function: [9], service: [] } }),
    unitFacts({ unit: 'program', kind: 'command', startsMs: { function: [], service: [900] } }),
  ];
  const [often, seldom, program] = withBorrowedStarts(facts);
  assert.deepEqual(often!.startsMs, { function: own, service: [200] });
  assert.deepEqual(seldom!.startsMs, { function: [...own, 9], service: [200] });
  assert.deepEqual(program!.startsMs, { function: [], service: [900] });
});
