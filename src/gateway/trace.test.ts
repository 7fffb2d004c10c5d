import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continuedTrace, newTrace, spanOf } from './trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const table: [string, string | null][] = [
  [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
  [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
  [`cc-${TRACE}-${SPAN}-01-what-comes`, `00-${TRACE}-${SPAN}-01`],
  [`00-${TRACE}-${SPAN}-01-more`, null],
  [`ff-${TRACE}-${SPAN}-01`, null],
  [`00-${'0'.repeat(32)}-${SPAN}-01`, null],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, null],
  [`00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, null],
  ['', null],
];
for (const [given, expected] of table) {
  test(`traceparent ${given}`, () => assert.equal(continuedTrace(given), expected));
}

test('a new trace is valid and never the same', () => {
  const traces = new Set(Array.from({ length: 1_000 }, newTrace));
  assert.equal(traces.size, 1_000);
  for (const trace of traces) assert.equal(continuedTrace(trace), trace);
});

test('the span of a trace is what follows has as its parent', () => {
  assert.equal(spanOf(`00-${TRACE}-${SPAN}-01`), SPAN);
});
