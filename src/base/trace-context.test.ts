import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childSpan, NO_SPAN } from './trace-context.ts';

const TRACE = 'a'.repeat(32);

test('a child is of the same trace, with a span of its own below that of its parent', () => {
  const child = childSpan(`00-${TRACE}-${'b'.repeat(16)}-01`, () => 0.5);
  assert.deepEqual(child, {
    traceparent: `00-${TRACE}-8000000080000000-01`,
    span: '8000000080000000',
    parentSpan: 'b'.repeat(16),
  });
});

test('what is no trace is passed on, and is no span to be below of', () => {
  const { traceparent, parentSpan } = childSpan('nonsense', Math.random);
  assert.deepEqual([traceparent, parentSpan], ['nonsense', NO_SPAN]);
});

test('the id that stands for none is given to no span', () => {
  assert.match(childSpan('', () => 0).span, /^0{15}1$/);
});
