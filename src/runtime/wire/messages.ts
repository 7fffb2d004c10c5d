import type { Mode } from '../../model/app.ts';
import type { HandlerList } from '../../model/instance.ts';
import type { RawHeaders } from '../../model/http.ts';
import type { Payload, Trigger } from '../../model/invocation.ts';
import type { FrameWriter } from './frame-writer.ts';
import { readFetchHead, type FetchHead } from './fetch-head.ts';
import type { PathStep } from './chain-text.ts';
import { FLAG_BODY, FLAG_MEMBER, FLAG_UPGRADE, FRAME } from './frames.ts';
import {
  MAX_ANSWER_BODY_BYTES,
  MAX_EVENT_TEXT_LENGTH,
  MAX_FETCH_BYTES,
  MAX_HEAD_BYTES,
  MAX_NAME_LENGTH,
  MAX_PATH_STEPS,
} from './limits.ts';
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
  /** Empty where it is a group. */
  readonly bundlePath: string;
  /** Of a group: what it holds. Absent: `component` alone. Minor version 3. */
  readonly members?: readonly InitMember[];
  readonly filesRoot: string;
  /** What surrounds the component's own variables: PATH, HOME, … */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The component's own; they win. */
  readonly env: Readonly<Record<string, string>>;
  /** The components that its code has service bindings of. Absent of an older server. */
  readonly bindings?: readonly string[];
}

/** A component of a group. */
export interface InitMember {
  readonly component: string;
  readonly bundlePath: string;
  /** What its hooks and handlers get as `env`; the process has that of all members. */
  readonly env: Readonly<Record<string, string>>;
  /** The components that it may call; null: any. */
  readonly calls: readonly string[] | null;
  readonly bindings?: readonly string[];
  /** How long one of its invocations may take in the mode that the instance has. */
  readonly timeoutMs: number;
}

export interface Ready {
  /** Of a group: of no use. */
  readonly handlers: HandlerList;
  /** Of a group, by member. Minor version 3. */
  readonly members?: Readonly<Record<string, HandlerList>>;
  readonly inspectUrl: string | null;
}

/** Which component of a group is meant. */
interface RequestedMember {
  readonly component: string;
  /** The calls that have led to it, as {@link chainText} makes them. */
  readonly chain: string;
}

export interface RequestFrame {
  /** Absent where the instance holds one component. */
  readonly member?: RequestedMember | null;
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
  /** `publish` only from an instance: its body is the event's data. So is `fetch`: its body is the request's. */
  readonly kind: 'call' | 'scheduled' | 'queue' | 'publish' | 'fetch';
  /** Of `publish`. */
  readonly event?: EventHead | null;
  /** Of `fetch`. */
  readonly request?: FetchHead | null;
  /** Null unless `kind` is `call`. */
  readonly function: string | null;
  readonly encoding: Payload['encoding'];
  /** From an instance: the component that is called, and the stream of the invocation that calls, if it still runs. */
  readonly to: string | null;
  readonly parent: number | null;
  /** From a group's instance: the member that calls. */
  readonly from?: string | null;
  /** To a group's instance: the member that is meant. */
  readonly component?: string | null;
  /**
   * To a group's instance: the calls that have led here, this one included, the earliest first. From one: those that it has made within
   * its process between the invocation and this call.
   */
  readonly path?: readonly PathStep[];
  /** From the server. */
  readonly requestId: string;
  readonly trigger: Trigger;
  /** From a group's instance: of the call within the process that makes this one; empty: the invocation's own. */
  readonly traceparent: string;
  /** From a group's instance: of whoever calls, where it has less left than the invocation; else 0. */
  readonly remainingMs: number;
}

const KINDS: readonly string[] = [
  'call',
  'scheduled',
  'queue',
  'publish',
  'fetch',
] satisfies CallHead['kind'][];
export const TRIGGERS: readonly Trigger[] = ['route', 'call', 'event', 'schedule', 'manual'];

export function writeRequest(writer: FrameWriter, stream: number, request: RequestFrame): void {
  let text = `${request.method}\0${request.url}\0${request.requestId}\0${request.traceparent}`;
  if (request.fields !== '') text += `\0${request.fields}`;
  let flags = (request.hasBody ? FLAG_BODY : 0) | (request.upgrades ? FLAG_UPGRADE : 0);
  const { member } = request;
  if (member) {
    flags |= FLAG_MEMBER;
    text = `${member.component}\0${member.chain}\0${text}`;
  }
  const at = writer.begin(FRAME.REQUEST, flags, stream, 5 + text.length);
  writer.slab.writeUInt32LE(Math.min(Math.max(Math.round(request.remainingMs), 0), 0xffff_ffff), at);
  writer.slab[at + 4] = TRIGGERS.indexOf(request.trigger);
  writer.slab.write(text, at + 5, 'latin1');
}

export function readRequest(flags: number, payload: Buffer): RequestFrame {
  let text = payload.toString('latin1', 5, payload.length);
  let member: RequestedMember | null = null;
  if ((flags & FLAG_MEMBER) !== 0) {
    const nameEnd = text.indexOf('\0');
    const chainEnd = text.indexOf('\0', nameEnd + 1);
    member = { component: text.slice(0, nameEnd), chain: text.slice(nameEnd + 1, chainEnd) };
    text = text.slice(chainEnd + 1);
  }
  const methodEnd = text.indexOf('\0');
  const urlEnd = text.indexOf('\0', methodEnd + 1);
  const idEnd = text.indexOf('\0', urlEnd + 1);
  const traceEnd = text.indexOf('\0', idEnd + 1);
  return {
    member,
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
  /** The component of a group that says it; null or absent: nobody knows, or there is but one. */
  readonly member?: string | null;
  readonly stream: 'stdout' | 'stderr';
  readonly level: Level;
  readonly requestId: string | null;
  readonly text: string;
}

export function writeLog(writer: FrameWriter, line: LogFrame): void {
  const requestId = line.requestId ?? '';
  const isMember = typeof line.member === 'string';
  const text = isMember ? `${line.member}\0${line.text}` : line.text;
  const length = 3 + requestId.length + Buffer.byteLength(text);
  const at = writer.begin(FRAME.LOG, isMember ? FLAG_MEMBER : 0, 0, length);
  writer.slab[at] = line.stream === 'stdout' ? 0 : 1;
  writer.slab[at + 1] = LEVELS.indexOf(line.level);
  writer.slab[at + 2] = requestId.length;
  writer.slab.write(requestId, at + 3, 'latin1');
  writer.slab.write(text, at + 3 + requestId.length, 'utf8');
}

export function readLog(flags: number, payload: Buffer): LogFrame {
  if (payload.length < 3 || payload.length < 3 + payload[2]!) throw protocolError('a log line cut short');
  const idEnd = 3 + payload[2]!;
  let textAt = idEnd;
  let member: string | null = null;
  if ((flags & FLAG_MEMBER) !== 0) {
    const nameEnd = payload.indexOf(0, idEnd);
    if (nameEnd === -1 || nameEnd - idEnd > MAX_NAME_LENGTH) throw protocolError('a log line of no member');
    member = payload.toString('latin1', idEnd, nameEnd);
    textAt = nameEnd + 1;
  }
  return {
    member,
    stream: payload[0] === 0 ? 'stdout' : 'stderr',
    level: LEVELS[payload[1]!] ?? 'info',
    requestId: idEnd === 3 ? null : payload.toString('latin1', 3, idEnd),
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

export function readCallHead(payload: Buffer): CallHead {
  const head = readJson(payload);
  const { kind, encoding, to, parent, from, component } = head;
  if (typeof kind !== 'string' || !isKind(kind)) throw protocolError('a CALL of no known kind');
  if (encoding !== 'clone' && encoding !== 'json') throw protocolError('a CALL of no known encoding');
  if (kind === 'call' && typeof head['function'] !== 'string')
    throw protocolError('a CALL without a function');
  if (kind === 'fetch' && payload.length > MAX_FETCH_BYTES)
    throw protocolError(`a request head of ${payload.length} bytes`);
  return {
    kind,
    event: kind === 'publish' ? readEventHead(head['event']) : null,
    request: kind === 'fetch' ? readFetchHead(head['request']) : null,
    function: kind === 'call' ? (head['function'] as string) : null,
    encoding,
    to: typeof to === 'string' ? to : null,
    parent: isCount(parent) ? parent : null,
    from: typeof from === 'string' ? from : null,
    component: typeof component === 'string' ? component : null,
    path: head['path'] === undefined ? NO_PATH : readPath(head['path']),
    requestId: typeof head['requestId'] === 'string' ? head['requestId'] : '',
    traceparent: typeof head['traceparent'] === 'string' ? head['traceparent'] : '',
    trigger: TRIGGERS.find((trigger) => trigger === head['trigger']) ?? 'call',
    remainingMs: isCount(head['remainingMs']) ? head['remainingMs'] : 0,
  };
}

function isKind(kind: string): kind is CallHead['kind'] {
  return KINDS.includes(kind);
}

export const NO_PATH: readonly PathStep[] = [];

function readPath(value: unknown): PathStep[] {
  if (!Array.isArray(value) || value.length > MAX_PATH_STEPS)
    throw protocolError('a path of calls that is too long');
  return value.map((step: unknown) => {
    const { component, function: name } = (step ?? {}) as Record<string, unknown>;
    if (!isName(component) || !(name === null || isName(name)))
      throw protocolError('a step of a path that names no function');
    return { component, function: name };
  });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH;
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
