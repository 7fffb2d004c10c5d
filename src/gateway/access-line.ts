import type { FulcrumError } from '../base/errors.ts';
import type { LogEntry } from '../model/log.ts';

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
  const { error, status } = access;
  const path = access.path.length > MAX_PATH_CHARS ? `${access.path.slice(0, MAX_PATH_CHARS)}…` : access.path;
  const what = `${access.method} ${path} ${status} ${access.durationMs.toFixed(1)}ms`;
  return {
    atMs: Math.round(access.atMs),
    component: access.component,
    stream: 'platform',
    level: status >= 500 || (error !== null && error.fault !== 'caller') ? 'error' : 'info',
    text: error === null ? what : `${what} ${error.code}: ${error.message}`,
    instance: access.instance,
    revision: access.revision,
    requestId: access.requestId,
    fields: {
      method: access.method,
      path,
      status,
      waitedMs: rounded(access.waitedMs),
      durationMs: rounded(access.durationMs),
      cold: access.cold,
      bytesOut: access.bytesOut,
      ...(error === null ? {} : { error: error.code }),
    },
  };
}

/** To the microsecond: more digits are noise that a log pays for. */
function rounded(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}
