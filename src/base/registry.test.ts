import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Registry, type Registered } from './registry.ts';

test('a registry holds what a Set would', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 200 }), (steps) => {
      const items: Registered[] = Array.from({ length: 10 }, () => ({ registryPlace: -1 }));
      const registry = new Registry<Registered>();
      const expected = new Set<Registered>();
      for (const step of steps) {
        const item = items[step]!;
        if (expected.has(item)) {
          expected.delete(item);
          registry.delete(item);
          registry.delete(item);
        } else {
          expected.add(item);
          registry.add(item);
        }
        assert.equal(registry.size, expected.size);
        assert.deepEqual(new Set(registry.all()), expected);
      }
    }),
  );
});
