import { FulcrumError } from '../base/errors.ts';

/**
 * What is kept of a piece of work beside its columns, as one JSON object: CloudEvents extension attributes by their names, and what the
 * platform adds under names that begin with `$`, which no extension's does.
 */
export interface WorkAttributes {
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
  /** The CloudEvents `id` that it came with; null: its own. */
  readonly givenId: string | null;
  /** Stands in the logs of each attempt; null: each has its own. */
  readonly requestId: string | null;
  /** Of an asynchronous request. */
  readonly request: KeptRequest | null;
  /** Of an asynchronous `scheduled`: what its handler is told. */
  readonly scheduled: { readonly cron: string | null; readonly atMs: number | null } | null;
}

interface KeptRequest {
  readonly method: string;
  readonly url: string;
  readonly target: string;
  /** Name, value, … */
  readonly fields: readonly string[];
}

const NO_ATTRIBUTES: WorkAttributes = {
  extensions: {},
  givenId: null,
  requestId: null,
  request: null,
  scheduled: null,
};

export function writeAttributes(given: Partial<WorkAttributes>): string {
  const { extensions = {}, givenId, requestId, request, scheduled } = given;
  const all: Record<string, unknown> = { ...extensions };
  if (givenId) all['$id'] = givenId;
  if (requestId) all['$requestId'] = requestId;
  if (request) all['$request'] = request;
  if (scheduled) all['$scheduled'] = scheduled;
  return JSON.stringify(all);
}

/** Throws `internal` where the text is none that was written here. */
export function readAttributes(text: string): WorkAttributes {
  if (text === '{}' || text === '') return NO_ATTRIBUTES;
  let all: Record<string, unknown>;
  try {
    all = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new FulcrumError('internal', 'What is kept of an event cannot be read.', { cause: error });
  }
  const extensions: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(all)) {
    if (name.startsWith('$')) continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      extensions[name] = value;
  }
  return {
    extensions,
    givenId: (all['$id'] as string | undefined) ?? null,
    requestId: (all['$requestId'] as string | undefined) ?? null,
    request: (all['$request'] as KeptRequest | undefined) ?? null,
    scheduled: (all['$scheduled'] as WorkAttributes['scheduled'] | undefined) ?? null,
  };
}

/**
 * The trace that a piece of work belongs to: the event's own (CloudEvents extension "Distributed Tracing"), or that of the request that was
 * kept; null: it names none.
 */
export function traceOf({ extensions, request }: WorkAttributes): string | null {
  const named = extensions['traceparent'] ?? fieldOf(request?.fields ?? [], 'traceparent');
  return typeof named === 'string' && TRACEPARENT.test(named) ? named : null;
}

/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function fieldOf(fields: readonly string[], lower: string): string | null {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (fields[i]!.toLowerCase() === lower) return fields[i + 1]!;
  return null;
}
