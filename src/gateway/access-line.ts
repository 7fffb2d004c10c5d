import type { FulcrumError } from '../base/errors.ts';
import type { LogEntry, PackedLogEntry } from '../model/log.ts';

const MAX_PATH_CHARS = 1_024;

export interface Access {
  readonly atMs: number;
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
class AccessLine implements LogEntry {
  readonly stream = 'platform';
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  get atMs(): number {
    return Math.round(this.#access.atMs);
  }

  get component(): string {
    return this.#access.component;
  }

  get level(): LogEntry['level'] {
    const { error, status } = this.#access;
    return status >= 500 || (error !== null && error.fault !== 'caller') ? 'error' : 'info';
  }

  get text(): string {
    const { method, path, status, durationMs, error } = this.#access;
    const what = `${method} ${shortPath(path)} ${status} ${durationMs.toFixed(1)}ms`;
    return error === null ? what : `${what} ${error.code}: ${error.message}`;
  }

  get instance(): string | null {
    return this.#access.instance;
  }

  get revision(): string | null {
    return this.#access.revision;
  }

  get requestId(): string {
    return this.#access.requestId;
  }

  get fields(): Readonly<Record<string, unknown>> {
    const { method, path, status, waitedMs, durationMs, cold, bytesOut, error } = this.#access;
    return {
      method,
      path: shortPath(path),
      status,
      waitedMs: rounded(waitedMs),
      durationMs: rounded(durationMs),
      cold,
      bytesOut,
      ...(error === null ? {} : { error: error.code }),
    };
  }

  /** What went wrong is told in words of any kind and length, and rarely. */
  get packed(): PackedLogEntry | undefined {
    return this.#access.error === null ? new PackedAccess(this.#access) : undefined;
  }

  toJSON(): LogEntry {
    const { atMs, component, stream, level, text, instance, revision, requestId, fields } = this;
    return { atMs, component, stream, level, text, instance, revision, requestId, fields };
  }
}

/** Numbers first: f64 when (ms), u32 waited, u32 duration (µs), f64 bytes, u16 status, u8 cold; then texts, each behind its length as u16. */
const NUMBERS_BYTES = 27;
const MAX_MICROS = 0xffff_ffff;

class PackedAccess implements PackedLogEntry {
  readonly lengthBytes: number;
  readonly #access: Access;
  readonly #path: string;

  constructor(access: Access) {
    this.#access = access;
    this.#path = shortPath(access.path);
    const { component, requestId, method, instance, revision } = access;
    const texts = component.length + requestId.length + method.length + this.#path.length;
    this.lengthBytes = NUMBERS_BYTES + 12 + texts + (instance?.length ?? 0) + (revision?.length ?? 0);
  }

  write(bytes: Buffer, from: number): void {
    const { atMs, waitedMs, durationMs, bytesOut, status, cold } = this.#access;
    const { component, requestId, method, instance, revision } = this.#access;
    bytes.writeDoubleLE(Math.round(atMs), from);
    bytes.writeUInt32LE(micros(waitedMs), from + 8);
    bytes.writeUInt32LE(micros(durationMs), from + 12);
    bytes.writeDoubleLE(bytesOut, from + 16);
    bytes.writeUInt16LE(status, from + 24);
    bytes[from + 26] = cold ? 1 : 0;
    let at = writeText(bytes, from + NUMBERS_BYTES, component);
    at = writeText(bytes, at, requestId);
    at = writeText(bytes, at, method);
    at = writeText(bytes, at, this.#path);
    at = writeText(bytes, at, instance ?? '');
    writeText(bytes, at, revision ?? '');
  }
}

/** All texts of an access line are ASCII: names by the config's rules, ids by our own, method and path by the grammar of HTTP. */
function writeText(bytes: Buffer, at: number, text: string): number {
  bytes[at] = text.length & 0xff;
  bytes[at + 1] = text.length >> 8;
  // Short as they are, a call into native code would take longer than to copy them here.
  for (let i = 0; i < text.length; i++) bytes[at + 2 + i] = text.charCodeAt(i);
  return at + 2 + text.length;
}

/** The line that packed itself into `bytes`. */
export function unpackAccessLine(bytes: Buffer): LogEntry {
  let at = NUMBERS_BYTES;
  const text = (): string => {
    const begin = at + 2;
    at = begin + bytes.readUInt16LE(at);
    return bytes.toString('latin1', begin, at);
  };
  const component = text();
  const requestId = text();
  const method = text();
  const path = text();
  const instance = text();
  const revision = text();
  return new AccessLine({
    atMs: bytes.readDoubleLE(0),
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
