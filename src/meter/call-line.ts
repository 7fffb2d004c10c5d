import { ERRORS, type ErrorCode } from '../base/errors.ts';
import { PackedTexts, writeText, writeWideText } from '../base/packed-text.ts';
import type { CallRecord } from '../model/calls.ts';
import type { Outcome } from '../model/invocation.ts';
import type { LogEntry, PackedLogEntry } from '../model/log.ts';

/** Names of functions, and of components that do not exist, are of the author's making; and what its process says of itself it may make up. */
const MAX_TEXT_CHARS = 200;

/** The one line that every call leaves in its app's log, whatever became of it: nothing of its arguments or result is in it. */
export function callLine(app: string, call: CallRecord): LogEntry {
  return new CallLine(app, bounded(call));
}

/** Put into words when somebody reads it, as an access line is. */
class CallLine implements LogEntry, PackedLogEntry {
  readonly stream = 'platform';
  readonly kind = 'call';
  readonly app: string;
  readonly instance = null;
  readonly revision = null;
  readonly #call: CallRecord;

  constructor(app: string, call: CallRecord) {
    this.app = app;
    this.#call = call;
  }

  get atMs(): number {
    return this.#call.atMs;
  }

  get component(): string {
    return this.#call.to;
  }

  get requestId(): string {
    return this.#call.requestId;
  }

  /** Of what failed whoever called says what it means, and it may well have expected it. */
  get level(): LogEntry['level'] {
    const { outcome } = this.#call;
    return outcome === 'ok' || outcome === 'cancelled' ? 'info' : 'warn';
  }

  get text(): string {
    const { from, way, code, durationMs, attempts } = this.#call;
    const parts = [`${from} -> ${this.#what} ${milliseconds(durationMs)}`];
    if (way === 'in-process') parts.push(way);
    if (code !== null) parts.push(code);
    if (attempts > 1) parts.push(`in ${attempts} attempts`);
    return parts.join(' ');
  }

  get fields(): Readonly<Record<string, unknown>> {
    const { from, way, outcome, code, durationMs, span, parentSpan, depth, attempts } = this.#call;
    return {
      from,
      function: this.#call.function,
      way,
      outcome,
      code,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      span,
      parentSpan,
      depth,
      attempts,
    };
  }

  toJSON(): LogEntry {
    const { atMs, app, component, stream, level, text, instance, revision, requestId, fields } = this;
    return { atMs, app, component, stream, level, text, instance, revision, requestId, fields };
  }

  get packed(): PackedLogEntry {
    return this;
  }

  get lengthBytes(): number {
    const { from, requestId, span, parentSpan, code } = this.#call;
    const narrow =
      from.length +
      requestId.length +
      span.length +
      parentSpan.length +
      (code?.length ?? 0) +
      this.app.length;
    const wide = this.component.length + (this.#call.function?.length ?? 0);
    return NUMBERS_BYTES + 16 + narrow + 2 * wide;
  }

  write(bytes: Buffer, from: number): void {
    const call = this.#call;
    bytes.writeDoubleLE(call.atMs, from);
    bytes.writeUInt32LE(within(call.durationMs * 1_000, 0xffff_ffff), from + 8);
    bytes[from + 12] =
      (call.way === 'in-process' ? IN_PROCESS : 0) | (call.function === null ? NO_FUNCTION : 0);
    bytes[from + 13] = OUTCOMES.indexOf(call.outcome);
    bytes[from + 14] = within(call.depth, 0xff);
    bytes[from + 15] = within(call.attempts, 0xff);
    let at = writeText(bytes, from + NUMBERS_BYTES, call.from);
    at = writeWideText(bytes, at, this.component);
    at = writeWideText(bytes, at, this.#call.function ?? '');
    at = writeText(bytes, at, call.requestId);
    at = writeText(bytes, at, call.span);
    at = writeText(bytes, at, call.parentSpan);
    at = writeText(bytes, at, call.code ?? '');
    writeText(bytes, at, this.app);
  }

  get #what(): string {
    const { to, function: name } = this.#call;
    return name === null ? `${to} (request)` : `${to}.${name}`;
  }
}

/** Numbers first: f64 when (ms), u32 duration (µs), u8 flags, u8 outcome, u8 depth, u8 attempts; then texts. */
const NUMBERS_BYTES = 16;
const IN_PROCESS = 1;
const NO_FUNCTION = 2;
const OUTCOMES: readonly Outcome[] = [
  'ok',
  'handler-error',
  'timeout',
  'crashed',
  'cancelled',
  'refused',
  'bad-response',
];

/** The line that packed itself into `bytes`. */
export function unpackCallLine(bytes: Buffer): LogEntry {
  const flags = bytes[12]!;
  const texts = new PackedTexts(bytes, NUMBERS_BYTES);
  const from = texts.text();
  const to = texts.wide();
  const name = texts.wide();
  const requestId = texts.text();
  const span = texts.text();
  const parentSpan = texts.text();
  const code = texts.text();
  return new CallLine(texts.text(), {
    from,
    to,
    function: (flags & NO_FUNCTION) === 0 ? name : null,
    way: (flags & IN_PROCESS) === 0 ? 'wire' : 'in-process',
    outcome: OUTCOMES[bytes[13]!] ?? 'ok',
    code: isErrorCode(code) ? code : null,
    requestId,
    span,
    parentSpan,
    depth: bytes[14]!,
    atMs: bytes.readDoubleLE(0),
    durationMs: bytes.readUInt32LE(8) / 1_000,
    attempts: bytes[15]!,
  });
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** The same one, as a rule. */
function bounded(call: CallRecord): CallRecord {
  const { from, to, function: name, requestId, span, parentSpan } = call;
  const longest = Math.max(
    from.length,
    to.length,
    name?.length ?? 0,
    requestId.length,
    span.length,
    parentSpan.length,
  );
  if (longest <= MAX_TEXT_CHARS) return call;
  return {
    ...call,
    from: cut(from),
    to: cut(to),
    function: name === null ? null : cut(name),
    requestId: cut(requestId),
    span: cut(span),
    parentSpan: cut(parentSpan),
  };
}

function cut(text: string): string {
  return text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}...` : text;
}

function within(value: number, most: number): number {
  // NaN is 0.
  return Math.min(Math.max(Math.round(value), 0), most) || 0;
}

/** What stays in a process takes microseconds. */
function milliseconds(durationMs: number): string {
  return `${durationMs.toFixed(durationMs < 0.1 ? 3 : 1)}ms`;
}
