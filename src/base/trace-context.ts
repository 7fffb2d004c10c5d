import { wordHex } from './hex.ts';

/** W3C Trace Context, version 00: `00-<trace id>-<parent id>-<flags>`. */
const TRACEPARENT = /^(00-[0-9a-f]{32}-)([0-9a-f]{16})(-[0-9a-f]{2})$/;

/** No span has this id. */
export const NO_SPAN = '0'.repeat(16);

export interface ChildSpan {
  /** Of the same trace, with `span` as the parent of whatever is done further on. */
  readonly traceparent: string;
  readonly span: string;
  readonly parentSpan: string;
}

/**
 * A span below that of `traceparent`. What is no such header is passed on as it is, and its span is {@link NO_SPAN}.
 * @param random from 0 to below 1.
 */
export function childSpan(traceparent: string, random: () => number): ChildSpan {
  const span = spanId(random);
  const match = TRACEPARENT.exec(traceparent);
  if (match === null) return { traceparent, span, parentSpan: NO_SPAN };
  return { traceparent: `${match[1]}${span}${match[3]}`, span, parentSpan: match[2]! };
}

/** 16 hex digits, not all of them 0, which stands for none. */
function spanId(random: () => number): string {
  const half = (): string => wordHex(Math.floor(random() * 0x1_0000_0000));
  const id = half() + half();
  return id === NO_SPAN ? '0000000000000001' : id;
}
