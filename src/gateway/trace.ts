import { randomFillSync } from 'node:crypto';

const VALID = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const ID_BYTES = 24;

const pool = Buffer.alloc(ID_BYTES * 1_024);
let used = pool.length;

/**
 * The caller's trace where its `traceparent` is valid, else null (W3C Trace Context, level 1). It is passed on with the
 * caller's own span as parent: the gateway records no span yet, and one that nobody records would cut the trace in two.
 * A later version is read as version 00, as the specification asks.
 */
export function continuedTrace(traceparent: string): string | null {
  const match = VALID.exec(traceparent.trim());
  if (match === null) return null;
  const [, version, trace, span, flags, more] = match;
  if (version === 'ff' || trace === NO_TRACE || span === NO_SPAN) return null;
  if (version === '00' && more !== undefined) return null;
  return `00-${trace}-${span}-${flags}`;
}

/** A new trace. It is marked as sampled: unmarked, the usual samplers of a component would never record anything. */
export function newTrace(): string {
  if (used >= pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += ID_BYTES;
  const hex = pool.toString('hex', start, used);
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}

/** Of a `traceparent` that is valid: the id of the span that whatever follows has as its parent. */
export function spanOf(traceparent: string): string {
  return traceparent.slice(36, 52);
}
