import type { FulcrumError } from '../base/errors.ts';
import { PackedTexts, writeText } from '../base/packed-text.ts';
import type { LogEntry, PackedLogEntry } from '../model/log.ts';

const MAX_PATH_CHARS = 1_024;

export interface Access {
  readonly atMs: number;
  /** Id of the app that it was for; null for none, and where there is one app only. */
  readonly app?: string | null;
  /** `-` where no component had the route. */
  readonly component: string;
  readonly requestId: string;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** 499 where the client left before there was one; 0 where a connection broke before anything could be told. */
  readonly status: number;
  readonly waitedMs: number;
  readonly durationMs: number;
  readonly cold: boolean;
  readonly bytesOut: number;
  readonly instance: string | null;
  readonly revision: string | null;
  /** Of the trace, as its component was told it: the parent of the calls that it made. Null where it was not read so far. */
  readonly span: string | null;
  readonly error: FulcrumError | null;
}

/** The one line that every request leaves in the log, whatever became of it. */
export function accessLine(access: Access): LogEntry {
  return new AccessLine(access);
}

/**
 * Put into words when somebody reads it: every request leaves one, the log keeps thousands of them, and most are pushed out by
 * later ones unread.
 */
class AccessLine implements LogEntry, PackedLogEntry {
  readonly stream = 'platform';
  readonly kind = 'access';
  readonly atMs: number;
  readonly app: string | undefined;
  readonly component: string;
  readonly requestId: string;
  readonly instance: string | null;
  readonly revision: string | null;
  readonly #method: string;
  readonly #path: string;
  readonly #status: number;
  readonly #waitedMs: number;
  readonly #durationMs: number;
  readonly #cold: boolean;
  readonly #bytesOut: number;
  readonly #span: string | null;
  readonly #error: FulcrumError | null;

  constructor(access: Access) {
    this.atMs = Math.round(access.atMs);
    this.app = access.app ?? undefined;
    this.component = access.component;
    this.requestId = access.requestId;
    this.instance = access.instance;
    this.revision = access.revision;
    this.#method = access.method;
    this.#path = shortPath(access.path);
    this.#status = access.status;
    this.#waitedMs = access.waitedMs;
    this.#durationMs = access.durationMs;
    this.#cold = access.cold;
    this.#bytesOut = access.bytesOut;
    this.#span = access.span;
    this.#error = access.error;
  }

  get level(): LogEntry['level'] {
    const error = this.#error;
    const refused = error !== null && error.refused !== null;
    // 503 because a person has switched a component off that is called is no error of anybody's.
    return (this.#status >= 500 && !refused) || (error !== null && error.fault !== 'caller')
      ? 'error'
      : 'info';
  }

  get text(): string {
    const error = this.#error;
    const what = `${this.#method} ${this.#path} ${this.#status} ${this.#durationMs.toFixed(1)}ms`;
    return error === null ? what : `${what} ${error.code}: ${error.message}`;
  }

  get fields(): Readonly<Record<string, unknown>> {
    return {
      method: this.#method,
      path: this.#path,
      status: this.#status,
      waitedMs: rounded(this.#waitedMs),
      durationMs: rounded(this.#durationMs),
      cold: this.#cold,
      bytesOut: this.#bytesOut,
      ...(this.#span === null ? {} : { span: this.#span }),
      ...(this.#error === null ? {} : { error: this.#error.code }),
    };
  }

  toJSON(): LogEntry {
    const { atMs, app, component, stream, level, text, instance, revision, requestId, fields } = this;
    return { atMs, app, component, stream, level, text, instance, revision, requestId, fields };
  }

  /** What went wrong is told in words of any kind and length, and rarely. */
  get packed(): PackedLogEntry | undefined {
    return this.#error === null ? this : undefined;
  }

  get lengthBytes(): number {
    const { app, component, requestId, instance, revision } = this;
    const texts =
      (app?.length ?? 0) + component.length + requestId.length + this.#method.length + this.#path.length;
    return (
      NUMBERS_BYTES +
      16 +
      (this.#span?.length ?? 0) +
      texts +
      (instance?.length ?? 0) +
      (revision?.length ?? 0)
    );
  }

  write(bytes: Buffer, from: number): void {
    bytes.writeDoubleLE(this.atMs, from);
    bytes.writeUInt32LE(micros(this.#waitedMs), from + 8);
    bytes.writeUInt32LE(micros(this.#durationMs), from + 12);
    bytes.writeDoubleLE(this.#bytesOut, from + 16);
    bytes.writeUInt16LE(this.#status, from + 24);
    bytes[from + 26] = this.#cold ? 1 : 0;
    let at = writeText(bytes, from + NUMBERS_BYTES, this.component);
    at = writeText(bytes, at, this.requestId);
    at = writeText(bytes, at, this.#method);
    at = writeText(bytes, at, this.#path);
    at = writeText(bytes, at, this.instance ?? '');
    at = writeText(bytes, at, this.revision ?? '');
    at = writeText(bytes, at, this.app ?? '');
    writeText(bytes, at, this.#span ?? '');
  }
}

/** Numbers first: f64 when (ms), u32 waited, u32 duration (µs), f64 bytes, u16 status, u8 cold; then texts. Those are ASCII: names by the config's rules, ids by our own, method and path by the grammar of HTTP. */
const NUMBERS_BYTES = 27;
const MAX_MICROS = 0xffff_ffff;

/** The line that packed itself into `bytes`. */
export function unpackAccessLine(bytes: Buffer): LogEntry {
  const texts = new PackedTexts(bytes, NUMBERS_BYTES);
  const component = texts.text();
  const requestId = texts.text();
  const method = texts.text();
  const path = texts.text();
  const instance = texts.text();
  const revision = texts.text();
  const app = texts.text();
  const span = texts.text();
  return new AccessLine({
    atMs: bytes.readDoubleLE(0),
    app: app === '' ? null : app,
    component,
    requestId,
    method,
    path,
    status: bytes.readUInt16LE(24),
    waitedMs: bytes.readUInt32LE(8) / 1_000,
    durationMs: bytes.readUInt32LE(12) / 1_000,
    cold: bytes[26] === 1,
    bytesOut: bytes.readDoubleLE(16),
    instance: instance === '' ? null : instance,
    revision: revision === '' ? null : revision,
    span: span === '' ? null : span,
    error: null,
  });
}

function micros(durationMs: number): number {
  return Math.min(Math.max(Math.round(durationMs * 1_000), 0), MAX_MICROS);
}

function shortPath(path: string): string {
  return path.length > MAX_PATH_CHARS ? `${path.slice(0, MAX_PATH_CHARS)}...` : path;
}

/** To the microsecond: more digits are noise that a log pays for. */
function rounded(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}
