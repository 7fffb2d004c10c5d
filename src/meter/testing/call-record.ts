import type { CallRecord } from '../../model/calls.ts';

/** A call that ended well, but for what is said of it. */
export function callRecord(part: Partial<CallRecord> = {}): CallRecord {
  return {
    from: 'cart',
    to: 'pricing',
    function: 'priceOf',
    way: 'wire',
    outcome: 'ok',
    code: null,
    requestId: 'r_1',
    span: '00f067aa0ba902b7',
    parentSpan: '53995c3f42cd8ad8',
    depth: 1,
    atMs: 1_767_225_600_000,
    durationMs: 1.2,
    attempts: 1,
    ...part,
  };
}
