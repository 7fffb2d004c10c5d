import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallRecord } from '../model/calls.ts';
import { callLine, unpackCallLine } from './call-line.ts';
import { callRecord } from './testing/call-record.ts';

test('a line says who called what, and what became of it', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(callLine('shop', callRecord()))), {
    atMs: 1_767_225_600_000,
    app: 'shop',
    component: 'pricing',
    stream: 'platform',
    level: 'info',
    text: 'cart -> pricing.priceOf 1.2ms',
    instance: null,
    revision: null,
    requestId: 'r_1',
    fields: {
      from: 'cart',
      function: 'priceOf',
      way: 'wire',
      outcome: 'ok',
      code: null,
      durationMs: 1.2,
      span: '00f067aa0ba902b7',
      parentSpan: '53995c3f42cd8ad8',
      depth: 1,
      attempts: 1,
    },
  });
});

const TEXTS: [string, Partial<CallRecord>, string][] = [
  [
    'within a process, where it takes microseconds',
    { way: 'in-process', durationMs: 0.0042 },
    'info cart -> pricing.priceOf 0.004ms in-process',
  ],
  ['a request', { function: null, durationMs: 12.34 }, 'info cart -> pricing (request) 12.3ms'],
  [
    'one that failed',
    { outcome: 'handler-error', code: 'handler-error' },
    'warn cart -> pricing.priceOf 1.2ms handler-error',
  ],
  [
    'one that was tried again',
    { outcome: 'crashed', code: 'instance-crashed', attempts: 3 },
    'warn cart -> pricing.priceOf 1.2ms instance-crashed in 3 attempts',
  ],
  [
    'one whose caller went away, which is nobody’s failure',
    { outcome: 'cancelled', code: 'client-gone' },
    'info cart -> pricing.priceOf 1.2ms client-gone',
  ],
];
for (const [what, part, expected] of TEXTS) {
  test(`the text of a call: ${what}`, () => {
    const { level, text } = callLine('shop', callRecord(part));
    assert.equal(`${level} ${text}`, expected);
  });
}

const CASES: [string, Partial<CallRecord>][] = [
  ['a sound call', {}],
  ['a request', { function: null }],
  [
    'one that failed in the process',
    { way: 'in-process', outcome: 'timeout', code: 'timeout', depth: 32, attempts: 2 },
  ],
  ['names in other scripts', { to: 'prüfung', function: '価格\ud83d' }],
  ['a name of no length', { function: '' }],
  [
    'texts too long for a log',
    { function: 'f'.repeat(70_000), span: 's'.repeat(70_000), requestId: 'r'.repeat(300) },
  ],
  ['numbers that are none, or too large', { durationMs: Number.NaN, depth: -1, attempts: 0 }],
];
for (const [what, part] of CASES) {
  test(`packed and unpacked, a line is the same: ${what}`, () => {
    const line = callLine('shop@staging', callRecord(part));
    const { packed } = line;
    const bytes = Buffer.alloc(packed!.lengthBytes + 3, 0xee);
    packed!.write(bytes, 3);
    assert.ok(bytes.length < 2_000);
    const again = JSON.parse(JSON.stringify(unpackCallLine(bytes.subarray(3)))) as object;
    const expected = JSON.parse(JSON.stringify(line)) as { text: string; fields: Record<string, unknown> };
    if (Number.isNaN(part.durationMs)) {
      expected.text = 'cart -> pricing.priceOf 0.000ms';
      Object.assign(expected.fields, { durationMs: 0, depth: 0, attempts: 0 });
    }
    assert.deepEqual(again, expected);
  });
}
