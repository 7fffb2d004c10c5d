/** Calls as frames. To a peer of minor version 3 the call of a function is text and numbers, and goes in one frame where it is short. */
import { COMPOSE_MINOR, FLAG_TEXT, FLAG_WHOLE, FRAME } from './frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import {
  MAX_ANSWER_BODY_BYTES,
  MAX_HEAD_BYTES,
  MAX_NAME_LENGTH,
  MAX_PATH_STEPS,
  MAX_PAYLOAD_BYTES,
  WINDOW_BYTES,
} from './limits.ts';
import type { PathStep } from './chain-text.ts';
import { NO_PATH, readCallHead, TRIGGERS, type CallHead } from './messages.ts';
import { protocolError } from './protocol-error.ts';
import type { WireStream } from './stream.ts';
import { asEnginesFormat } from './text-value.ts';

/** A CALL as it came. */
export interface CallFrame {
  readonly head: CallHead;
  /** The whole payload, a view that holds only for the moment; null: it follows as the stream's body. */
  readonly payload: Buffer | null;
  /** Of what follows; 0 where nobody has said it. */
  readonly payloadBytes: number;
  /** Whoever made it takes the value and the end in one frame: see {@link writeCallAnswer}. */
  readonly answersWhole: boolean;
}

/** f64 ms left, u32 stream of the invocation that calls (0: none), u8 trigger, u32 length of the texts, u32 length of what follows the frame. */
const NUMBERS_BYTES = 21;
/** function, to, from, component, request id, traceparent; two more for each step of the path. */
const TEXTS = 6;

/**
 * Opens `stream` with a call, its payload included.
 * @param minor the version that the peer speaks. @param pass opens the channels of the streams and signals in the payload, behind the head; null: there are none.
 */
export function writeCall(
  writer: FrameWriter,
  stream: WireStream,
  head: Partial<CallHead>,
  payload: Uint8Array,
  minor: number,
  pass: (() => void) | null = null,
): void {
  const texts = minor >= COMPOSE_MINOR ? textsOf(head) : null;
  if (texts === null) {
    writer.json(FRAME.CALL, 0, stream.id, head);
    pass?.();
    const isOlder = minor < COMPOSE_MINOR && head.encoding === 'clone';
    sendPayload(stream, isOlder ? asEnginesFormat(payload) : payload);
    stream.endBody();
    return;
  }
  const isWhole = pass === null && payload.length <= MAX_ANSWER_BODY_BYTES;
  const textBytes = Buffer.byteLength(texts);
  const length = NUMBERS_BYTES + textBytes + (isWhole ? payload.length : 0);
  const at = writer.begin(FRAME.CALL, isWhole ? FLAG_TEXT | FLAG_WHOLE : FLAG_TEXT, stream.id, length);
  const { slab } = writer;
  slab.writeDoubleLE(head.remainingMs ?? 0, at);
  slab.writeUInt32LE(head.parent ?? 0, at + 8);
  slab[at + 12] = TRIGGERS.indexOf(head.trigger ?? 'call');
  slab.writeUInt32LE(textBytes, at + 13);
  slab.writeUInt32LE(isWhole ? 0 : payload.length, at + 17);
  slab.write(texts, at + NUMBERS_BYTES, 'utf8');
  if (isWhole) {
    slab.set(payload, at + NUMBERS_BYTES + textBytes);
    stream.dropBody();
  } else {
    pass?.();
    sendPayload(stream, payload);
    stream.endBody();
  }
}

/** `payload` must stay as it is: a long one is sent from where it is. @returns as {@link WireStream.write}. */
export function sendPayload(stream: WireStream, payload: Uint8Array): boolean {
  return payload.length <= MAX_ANSWER_BODY_BYTES ? stream.write(payload) : stream.lend(payload, nothing);
}

function nothing(): void {}

/**
 * Lets whoever has opened `stream` with a call send its whole payload at once, as it is held anyway until it is whole.
 * @returns false where it has not said how long that is: what comes is to be returned by {@link WireStream.consumed}.
 */
export function grantPayload(stream: WireStream, { payloadBytes }: CallFrame): boolean {
  if (payloadBytes === 0) return false;
  const more = Math.min(payloadBytes, MAX_PAYLOAD_BYTES + 1) - WINDOW_BYTES;
  if (more > 0) stream.grant(more);
  return true;
}

/** Null where it cannot be told so: it is no call of a function, or a name is empty or holds what parts the texts. */
function textsOf(head: Partial<CallHead>): string | null {
  const { kind, encoding, function: called, to, from, component, path = NO_PATH } = head;
  if (kind !== 'call' || encoding !== 'clone' || typeof called !== 'string' || to === '') return null;
  let texts = `${called}\0${to ?? ''}\0${from ?? ''}\0${component ?? ''}\0${head.requestId ?? ''}\0${head.traceparent ?? ''}`;
  let count = TEXTS;
  for (const step of path) {
    if (step.function === '') return null;
    texts += `\0${step.component}\0${step.function ?? ''}`;
    count += 2;
  }
  return texts.split('\0').length === count ? texts : null;
}

/** Throws `wire-protocol` where it is none. */
export function readCall(flags: number, frame: Buffer): CallFrame {
  if ((flags & FLAG_TEXT) === 0)
    return { head: readCallHead(frame), payload: null, payloadBytes: 0, answersWhole: false };
  if (frame.length < NUMBERS_BYTES) throw protocolError('a CALL cut short');
  const textEnd = NUMBERS_BYTES + frame.readUInt32LE(13);
  if (textEnd > frame.length || textEnd > MAX_HEAD_BYTES) throw protocolError('a CALL with too large a head');
  const head = headOf(frame, frame.toString('utf8', NUMBERS_BYTES, textEnd));
  const isWhole = (flags & FLAG_WHOLE) !== 0;
  if (frame.length - textEnd > (isWhole ? MAX_ANSWER_BODY_BYTES : 0))
    throw protocolError('a CALL that is longer than it may be');
  const payload = isWhole ? frame.subarray(textEnd) : null;
  return { head, payload, payloadBytes: isWhole ? 0 : frame.readUInt32LE(17), answersWhole: true };
}

function headOf(frame: Buffer, text: string): CallHead {
  const texts = text.split('\0', TEXTS + 2 * MAX_PATH_STEPS + 1);
  if (texts.length < TEXTS || texts.length > TEXTS + 2 * MAX_PATH_STEPS || texts.length % 2 !== 0)
    throw protocolError('a CALL of no known form');
  const [called, to, from, component, requestId, traceparent] = texts as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const remainingMs = frame.readDoubleLE(0);
  const parent = frame.readUInt32LE(8);
  return {
    kind: 'call',
    event: null,
    request: null,
    function: called,
    encoding: 'clone',
    to: to === '' ? null : to,
    parent: parent === 0 ? null : parent,
    from: from === '' ? null : from,
    component: component === '' ? null : component,
    path: texts.length === TEXTS ? NO_PATH : pathOf(texts),
    requestId,
    traceparent,
    trigger: TRIGGERS[frame[12]!] ?? 'call',
    remainingMs: Number.isFinite(remainingMs) && remainingMs > 0 ? remainingMs : 0,
  };
}

function pathOf(texts: readonly string[]): PathStep[] {
  const path: PathStep[] = [];
  for (let i = TEXTS; i < texts.length; i += 2) {
    const [component, called] = [texts[i]!, texts[i + 1]!];
    if (component.length > MAX_NAME_LENGTH || called.length > MAX_NAME_LENGTH)
      throw protocolError('a step of a path with too long a name');
    path.push({ component, function: called === '' ? null : called });
  }
  return path;
}

/**
 * The value of a call and the end of its stream, to whoever takes them in one frame.
 * @returns false, and writes nothing, where the value is too long for that.
 */
export function writeCallAnswer(
  writer: FrameWriter,
  stream: number,
  value: Uint8Array,
  cpuMicros: number,
): boolean {
  if (value.length > MAX_ANSWER_BODY_BYTES) return false;
  const at = writer.begin(FRAME.ANSWER, 0, stream, CPU_BYTES + value.length);
  writer.slab.writeUInt32LE(Math.min(Math.max(cpuMicros, 0), 0xffff_ffff), at);
  writer.slab.set(value, at + CPU_BYTES);
  return true;
}

const CPU_BYTES = 4;

export interface CallAnswer {
  readonly value: Uint8Array;
  readonly cpuMs: number;
}

/** Throws `wire-protocol` where it is none. */
export function readCallAnswer(frame: Buffer): CallAnswer {
  if (frame.length < CPU_BYTES || frame.length > CPU_BYTES + MAX_ANSWER_BODY_BYTES)
    throw protocolError(`an answer of ${frame.length} bytes to a call`);
  return { value: Buffer.from(frame.subarray(CPU_BYTES)), cpuMs: frame.readUInt32LE(0) / 1_000 };
}
