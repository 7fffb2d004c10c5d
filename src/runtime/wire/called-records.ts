import { ERRORS, type ErrorCode } from '../../base/errors.ts';
import { wordHex } from '../../base/hex.ts';
import { MAX_CALL_DEPTH, type CallRecord } from '../../model/calls.ts';
import type { Outcome } from '../../model/invocation.ts';
import { MAX_NAME_LENGTH } from './limits.ts';
import { protocolError } from './protocol-error.ts';

/** By their numbers on the wire: see frames.ts. */
export const OUTCOMES: readonly Outcome[] = [
  'ok',
  'handler-error',
  'timeout',
  'crashed',
  'cancelled',
  'refused',
  'bad-response',
];

export const RECORD_BYTES = 40;
/** Of a text that is not there. */
export const NO_TEXT = 0xffff;
/** Older than this nothing is that an instance has not told yet. */
const MAX_AGE_MS = 86_400_000;
const MAX_REQUEST_ID_LENGTH = 64;

export interface Called {
  readonly records: readonly CallRecord[];
  /** More than could be told, or than were read. */
  readonly dropped: number;
}

/**
 * The payload of a CALLED. Throws `wire-protocol` where it is none.
 * @param members whom the instance holds, and so all that can be in it.
 * @param mostOf how many of so many records are read; of the others nothing is looked at.
 */
export function readCalled(
  payload: Buffer,
  members: readonly string[],
  nowMs: number,
  mostOf: (records: number) => number = (records) => records,
): Called {
  if (payload.length < 6) throw protocolError('a CALLED cut short');
  const texts = new Texts(payload, payload.readUInt16LE(4));
  const toldBytes = payload.length - texts.end;
  if (toldBytes % RECORD_BYTES !== 0) throw protocolError('a CALLED that ends within a record');
  const told = toldBytes / RECORD_BYTES;
  const read = mostOf(told);
  const records: CallRecord[] = [];
  for (let i = 0; i < read; i++)
    records.push(readRecord(payload, texts.end + i * RECORD_BYTES, texts, members, nowMs));
  return { records, dropped: payload.readUInt32LE(0) + told - read };
}

/** The texts of a CALLED, each made when a record has it. */
class Texts {
  /** Where they end. */
  readonly end: number;
  readonly #payload: Buffer;
  readonly #starts: number[] = [];
  readonly #made: string[] = [];

  constructor(payload: Buffer, count: number) {
    this.#payload = payload;
    let at = 6;
    for (let i = 0; i < count; i++) {
      if (at + 2 > payload.length) throw protocolError('a CALLED cut short');
      const end = at + 2 + payload.readUInt16LE(at);
      // A character is three bytes at most.
      if (end > payload.length || end - at > 2 + 3 * MAX_NAME_LENGTH)
        throw protocolError('a CALLED with too long a text');
      this.#starts.push(at + 2);
      at = end;
    }
    this.end = at;
  }

  at(index: number): string {
    const known = this.#made[index];
    if (known !== undefined) return known;
    const start = this.#starts[index];
    if (start === undefined) throw protocolError('a CALLED that lacks a text');
    const text = this.#payload.toString('utf8', start, start + this.#payload.readUInt16LE(start - 2));
    this.#made[index] = text;
    return text;
  }
}

function readRecord(
  payload: Buffer,
  at: number,
  texts: Texts,
  members: readonly string[],
  nowMs: number,
): CallRecord {
  const text = (offset: number): string | null => {
    const index = payload.readUInt16LE(at + offset);
    return index === NO_TEXT ? null : texts.at(index);
  };
  const member = (offset: number): string => {
    const name = text(offset);
    if (name === null || !members.includes(name)) throw protocolError('a CALLED of no member');
    return name;
  };
  const outcome = OUTCOMES[payload[at + 10]!];
  const depth = payload[at + 11]!;
  const code = text(6);
  const requestId = text(8);
  const atMs = payload.readDoubleLE(at + 28);
  if (outcome === undefined || (outcome === 'ok') !== (code === null))
    throw protocolError('a CALLED without an outcome');
  if (code !== null && !Object.hasOwn(ERRORS, code)) throw protocolError('a CALLED with no known code');
  if (requestId === null || requestId.length > MAX_REQUEST_ID_LENGTH)
    throw protocolError('a CALLED of no request');
  if (depth < 1 || depth > MAX_CALL_DEPTH + 1) throw protocolError('a CALLED of no depth');
  if (!Number.isFinite(atMs)) throw protocolError('a CALLED of no time');
  return {
    from: member(0),
    to: member(2),
    function: text(4),
    way: 'in-process',
    outcome,
    code: code as ErrorCode | null,
    requestId,
    span: hex(payload, at + 12),
    parentSpan: hex(payload, at + 20),
    depth,
    atMs: Math.min(Math.max(atMs, nowMs - MAX_AGE_MS), nowMs),
    durationMs: payload.readUInt32LE(at + 36) / 1_000,
    attempts: 1,
  };
}

/** Two words as a span's 16 digits. */
function hex(payload: Buffer, at: number): string {
  return wordHex(payload.readUInt32LE(at)) + wordHex(payload.readUInt32LE(at + 4));
}
