import type { Mode } from '../../model/app.ts';
import type { HandlerList } from '../../model/instance.ts';
import type { RawHeaders } from '../../model/http.ts';
import type { Payload, Trigger } from '../../model/invocation.ts';
import type { FrameWriter } from './frame-writer.ts';
import { FLAG_BODY, FLAG_UPGRADE, FRAME } from './frames.ts';
import { MAX_ANSWER_BODY_BYTES, MAX_EVENT_TEXT_LENGTH, MAX_FUNCTIONS, MAX_HEAD_BYTES } from './limits.ts';
import { protocolError } from './protocol-error.ts';

export interface Hello {
  readonly major: number;
  readonly minor: number;
  readonly instance: string;
  readonly token: string;
}

/** All that an instance is told. */
export interface Init {
  /** The minor version that both speak. */
  readonly minor: number;
  readonly component: string;
  readonly instance: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly concurrency: number;
  readonly memoryBytes: number;
  readonly bundlePath: string;
  readonly filesRoot: string;
  /** What surrounds the component's own variables: PATH, HOME, … */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The component's own; they win. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Ready {
  readonly handlers: HandlerList;
  readonly inspectUrl: string | null;
}

export interface RequestFrame {
  readonly remainingMs: number;
  readonly trigger: Trigger;
  readonly hasBody: boolean;
  /** It asks to become a WebSocket. */
  readonly upgrades: boolean;
  readonly method: string;
  readonly url: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Name, value, … with NUL between them: taken apart by whoever asks for them. */
  readonly fields: string;
}

/** An event that an instance publishes, but for its data. */
export interface EventHead {
  readonly type: string;
  readonly contentType: string;
  readonly key: string | null;
  readonly delayMs: number;
  readonly dedupe: string | null;
  readonly subject: string | null;
}

export interface CallHead {
  /** `publish` only from an instance: its body is the event's data. */
  readonly kind: 'call' | 'scheduled' | 'queue' | 'publish';
  /** Of `publish`. */
  readonly event?: EventHead | null;
  /** Null unless `kind` is `call`. */
  readonly function: string | null;
  readonly encoding: Payload['encoding'];
  /** From an instance: the component that is called, and the stream of the invocation that calls, if it still runs. */
  readonly to: string | null;
  readonly parent: number | null;
  /** From the server. */
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger: Trigger;
  readonly remainingMs: number;
}

const TRIGGERS: readonly Trigger[] = ['route', 'call', 'event', 'schedule', 'manual'];

export function writeRequest(writer: FrameWriter, stream: number, request: RequestFrame): void {
  let text = `${request.method}\0${request.url}\0${request.requestId}\0${request.traceparent}`;
  if (request.fields !== '') text += `\0${request.fields}`;
  const flags = (request.hasBody ? FLAG_BODY : 0) | (request.upgrades ? FLAG_UPGRADE : 0);
  const at = writer.begin(FRAME.REQUEST, flags, stream, 5 + text.length);
  writer.slab.writeUInt32LE(Math.min(Math.max(Math.round(request.remainingMs), 0), 0xffff_ffff), at);
  writer.slab[at + 4] = TRIGGERS.indexOf(request.trigger);
  writer.slab.write(text, at + 5, 'latin1');
}

export function readRequest(flags: number, payload: Buffer): RequestFrame {
  const text = payload.toString('latin1', 5, payload.length);
  const methodEnd = text.indexOf('\0');
  const urlEnd = text.indexOf('\0', methodEnd + 1);
  const idEnd = text.indexOf('\0', urlEnd + 1);
  const traceEnd = text.indexOf('\0', idEnd + 1);
  return {
    remainingMs: payload.readUInt32LE(0),
    trigger: TRIGGERS[payload[4]!] ?? 'route',
    hasBody: (flags & FLAG_BODY) !== 0,
    upgrades: (flags & FLAG_UPGRADE) !== 0,
    method: text.slice(0, methodEnd),
    url: text.slice(methodEnd + 1, urlEnd),
    requestId: text.slice(urlEnd + 1, idEnd),
    traceparent: text.slice(idEnd + 1, traceEnd === -1 ? text.length : traceEnd),
    fields: traceEnd === -1 ? '' : text.slice(traceEnd + 1),
  };
}

/** @returns false, and writes nothing, where the head is too large. */
export function writeResponse(
  writer: FrameWriter,
  stream: number,
  status: number,
  headers: RawHeaders,
  hasBody: boolean,
): boolean {
  const text = headers.join('\0');
  if (text.length + 2 > MAX_HEAD_BYTES) return false;
  const at = writer.begin(FRAME.RESPONSE, hasBody ? FLAG_BODY : 0, stream, 2 + text.length);
  writer.slab.writeUInt16LE(status, at);
  writer.slab.write(text, at + 2, 'latin1');
  return true;
}

const ANSWER_HEAD_BYTES = 10;

/** @returns false, and writes nothing, where the fields are too large. `body` must not be longer than an answer's may be. */
export function writeAnswer(
  writer: FrameWriter,
  stream: number,
  answer: {
    readonly status: number;
    readonly headers: RawHeaders;
    readonly body: string | Uint8Array;
    readonly cpuMicros: number;
  },
): void {
  const { status, body } = answer;
  const text = answer.headers.join('\0');
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const at = writer.begin(FRAME.ANSWER, 0, stream, ANSWER_HEAD_BYTES + text.length + bodyBytes);
  const { slab } = writer;
  slab.writeUInt16LE(status, at);
  slab.writeUInt32LE(Math.min(Math.max(answer.cpuMicros, 0), 0xffff_ffff), at + 2);
  slab.writeUInt32LE(text.length, at + 6);
  slab.write(text, at + ANSWER_HEAD_BYTES, 'latin1');
  const bodyAt = at + ANSWER_HEAD_BYTES + text.length;
  if (typeof body === 'string') slab.write(body, bodyAt, 'utf8');
  else slab.set(body, bodyAt);
}

/** An answer as it was sent whole. */
export interface AnswerFrame {
  readonly status: number;
  readonly cpuMs: number;
  /** Name, value, … with NUL between them. */
  readonly fields: string;
  readonly body: Buffer;
}

export function readAnswer(payload: Buffer): AnswerFrame {
  if (payload.length < ANSWER_HEAD_BYTES) throw protocolError('an answer cut short');
  const status = payload.readUInt16LE(0);
  if (status < 200 || status > 599) throw protocolError(`the response status ${status}`);
  const bodyAt = ANSWER_HEAD_BYTES + payload.readUInt32LE(6);
  if (bodyAt > payload.length || bodyAt > MAX_HEAD_BYTES)
    throw protocolError('an answer with too large a head');
  if (payload.length - bodyAt > MAX_ANSWER_BODY_BYTES) throw protocolError('an answer with too large a body');
  return {
    status,
    cpuMs: payload.readUInt32LE(2) / 1_000,
    fields: payload.toString('latin1', ANSWER_HEAD_BYTES, bodyAt),
    body: payload.subarray(bodyAt),
  };
}

/** The fields of an answer's head, taken apart. Throws where one has no value. */
export function splitFields(text: string): RawHeaders {
  const headers = text === '' ? [] : text.split('\0');
  if (headers.length % 2 !== 0) throw protocolError('a response header without a value');
  return headers;
}

/** The same where the answer may be 101. */
export function readUpgradeResponse(payload: Buffer): { status: number; headers: RawHeaders } {
  if (payload.length < 2 || payload.readUInt16LE(0) !== 101) return readResponse(payload);
  if (payload.length > MAX_HEAD_BYTES) throw protocolError(`a response head of ${payload.length} bytes`);
  return { status: 101, headers: splitFields(payload.toString('latin1', 2, payload.length)) };
}

export function readResponse(payload: Buffer): { status: number; headers: RawHeaders } {
  if (payload.length < 2 || payload.length > MAX_HEAD_BYTES) {
    throw protocolError(`a response head of ${payload.length} bytes`);
  }
  const status = payload.readUInt16LE(0);
  if (status < 200 || status > 599) throw protocolError(`the response status ${status}`);
  return { status, headers: splitFields(payload.toString('latin1', 2, payload.length)) };
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly level: Level;
  readonly requestId: string | null;
  readonly text: string;
}

export function writeLog(writer: FrameWriter, line: LogFrame): void {
  const requestId = line.requestId ?? '';
  const length = 3 + requestId.length + Buffer.byteLength(line.text);
  const at = writer.begin(FRAME.LOG, 0, 0, length);
  writer.slab[at] = line.stream === 'stdout' ? 0 : 1;
  writer.slab[at + 1] = LEVELS.indexOf(line.level);
  writer.slab[at + 2] = requestId.length;
  writer.slab.write(requestId, at + 3, 'latin1');
  writer.slab.write(line.text, at + 3 + requestId.length, 'utf8');
}

export function readLog(payload: Buffer): LogFrame {
  if (payload.length < 3 || payload.length < 3 + payload[2]!) throw protocolError('a log line cut short');
  const textAt = 3 + payload[2]!;
  return {
    stream: payload[0] === 0 ? 'stdout' : 'stderr',
    level: LEVELS[payload[1]!] ?? 'info',
    requestId: textAt === 3 ? null : payload.toString('latin1', 3, textAt),
    text: payload.toString('utf8', textAt, payload.length),
  };
}

/** Reads JSON that must be an object. */
export function readJson(payload: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8', 0, payload.length));
  } catch {
    throw protocolError('text that is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw protocolError('JSON that is no object');
  return value as Record<string, unknown>;
}

export function readHello(payload: Buffer): Hello {
  const { major, minor, instance, token } = readJson(payload);
  if (!isCount(major) || !isCount(minor) || typeof instance !== 'string' || typeof token !== 'string') {
    throw protocolError('a HELLO without version and token');
  }
  return { major, minor, instance, token };
}

export function readReady(payload: Buffer): Ready {
  const { handlers, inspectUrl } = readJson(payload);
  const list = (handlers ?? {}) as Record<string, unknown>;
  const functions = list['functions'];
  if (
    !Array.isArray(functions) ||
    functions.length > MAX_FUNCTIONS ||
    functions.some((name) => typeof name !== 'string')
  ) {
    throw protocolError('a READY without a list of functions');
  }
  return {
    handlers: {
      fetch: list['fetch'] === true,
      scheduled: list['scheduled'] === true,
      queue: list['queue'] === true,
      websocket: list['websocket'] === true,
      functions: functions as string[],
    },
    inspectUrl: typeof inspectUrl === 'string' ? inspectUrl.slice(0, 512) : null,
  };
}

export function readCallHead(payload: Buffer): CallHead {
  const head = readJson(payload);
  const { kind, encoding, to, parent } = head;
  if (kind !== 'call' && kind !== 'scheduled' && kind !== 'queue' && kind !== 'publish')
    throw protocolError('a CALL of no known kind');
  if (encoding !== 'clone' && encoding !== 'json') throw protocolError('a CALL of no known encoding');
  if (kind === 'call' && typeof head['function'] !== 'string')
    throw protocolError('a CALL without a function');
  return {
    kind,
    event: kind === 'publish' ? readEventHead(head['event']) : null,
    function: kind === 'call' ? (head['function'] as string) : null,
    encoding,
    to: typeof to === 'string' ? to : null,
    parent: isCount(parent) ? parent : null,
    requestId: typeof head['requestId'] === 'string' ? head['requestId'] : '',
    traceparent: typeof head['traceparent'] === 'string' ? head['traceparent'] : '',
    trigger: TRIGGERS.find((trigger) => trigger === head['trigger']) ?? 'call',
    remainingMs: isCount(head['remainingMs']) ? head['remainingMs'] : 0,
  };
}

/** Whether each is what it may be is for whoever keeps the event to say; here it is only of its kind, and bounded. */
function readEventHead(value: unknown): EventHead {
  const { type, contentType, key, delayMs, dedupe, subject } = (value ?? {}) as Record<string, unknown>;
  if (!isText(type) || !isText(contentType) || !isCount(delayMs))
    throw protocolError('an event without type, contentType and delay');
  if (!isTextOrNull(key) || !isTextOrNull(dedupe) || !isTextOrNull(subject))
    throw protocolError('an event whose key, dedupe or subject is no text');
  return { type, contentType, key, delayMs, dedupe, subject };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_EVENT_TEXT_LENGTH;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || isText(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
