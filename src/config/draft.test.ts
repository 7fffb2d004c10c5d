import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readDraft } from './draft.ts';

const KEYS = [
  'entry',
  'command',
  'static',
  'routes',
  'env',
  'schedule',
  'events',
  'memory',
  'cors',
  '__proto__',
];

describe('readDraft', () => {
  it('makes issues of whatever it is given, and never throws', () => {
    const component = fc.dictionary(fc.constantFrom(...KEYS), fc.jsonValue({ maxDepth: 3 }));
    const config = fc.record({
      name: fc.jsonValue(),
      components: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), component)),
      env: fc.jsonValue(),
      cors: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), config), (raw) => {
        for (const issue of readDraft(raw).issues) {
          assert.notEqual(issue.message, '');
          assert.notEqual(issue.expected, '');
          assert.ok(!issue.found.includes('\n'));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('still sees what is right in a component where something else is wrong', () => {
    const draft = readDraft({
      name: 'shop',
      components: { a: { entry: './a.ts', routes: ['/x'], memory: 1 } },
    });
    const [component] = draft.components;
    assert.deepEqual(
      draft.issues.map((issue) => issue.path),
      ['components.a.memory'],
    );
    assert.equal(component?.kind, 'module');
    assert.deepEqual(
      component?.values.routes?.map((route) => route.path),
      ['/x'],
    );
  });

  it('bounds the number of components', () => {
    const components = Object.fromEntries(
      Array.from({ length: 1_001 }, (_, index) => [`c${index}`, { entry: './a.ts' }]),
    );
    assert.deepEqual(
      readDraft({ name: 'shop', components }).issues.map((issue) => issue.message),
      ['there are too many components'],
    );
  });
});
