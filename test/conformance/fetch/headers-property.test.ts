import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LightHeaders } from '../../../src/runtime/child/fetch/light-headers.ts';
import { NativeHeaders } from '../../../src/runtime/child/fetch/natives.ts';

const RUNS = process.env['FULCRUM_FULL'] === undefined ? 500 : 20_000;

const METHODS = [
  'append',
  'set',
  'get',
  'has',
  'delete',
  'getSetCookie',
  'entries',
  'keys',
  'values',
] as const;

/** Few names, so that they meet; some that are none. */
const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('a', 'A', 'b', 'cookie', 'Set-Cookie', 'set-cookie', 'x-y', 'X-Y'),
  },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', 'a b', 'é', '☃', 'a\n', 'a:') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, 1, Symbol.iterator, new String('A')) },
);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 6 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
  { weight: 2, arbitrary: fc.constantFrom('', ' ', '\ta ', 'a\nb', 'a\0', '\xff', '\x80é', '\r\n') },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined, 1, Symbol.iterator, {}) },
);
const step = fc.record({
  method: fc.constantFrom(...METHODS),
  args: fc.oneof({ weight: 9, arbitrary: fc.tuple(name, value) }, { weight: 1, arbitrary: fc.tuple(name) }),
});
const init = fc.oneof(
  fc.constant(undefined),
  fc.array(fc.tuple(name, value), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom('a', 'A', 'b', 'set-cookie', 'Cookie'), value, {
    maxKeys: 4,
    noNullPrototype: true,
  }),
);

interface Step {
  readonly method: (typeof METHODS)[number];
  readonly args: readonly unknown[];
}

/** What came of each step, and what could be seen after it. */
function transcript(Class: typeof Headers, made: unknown, steps: readonly Step[]): unknown[] {
  const told: unknown[] = [];
  let headers: Headers;
  try {
    headers = new Class(made as never);
  } catch (error) {
    return [classOf(error)];
  }
  told.push([...headers]);
  // Goes along with all changes.
  const live = headers.entries();
  for (const { method, args } of steps) {
    try {
      const result = (headers[method] as (...args: unknown[]) => unknown).call(headers, ...args);
      told.push(typeof result === 'object' && result !== null ? [...(result as Iterable<unknown>)] : result);
    } catch (error) {
      told.push(classOf(error));
    }
    told.push([...headers], live.next());
  }
  return told;
}

function classOf(error: unknown): string {
  return (error as Error).constructor.name;
}

test('whatever is done to headers, ours tell what those of Node tell', () => {
  fc.assert(
    fc.property(init, fc.array(step, { maxLength: 12 }), (made, steps) => {
      const ours = transcript(LightHeaders as unknown as typeof Headers, made, steps);
      assert.deepEqual(ours, transcript(NativeHeaders, made, steps));
    }),
    { numRuns: RUNS },
  );
});
