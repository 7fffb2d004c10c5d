import { isHopByHop, namedByConnection, withoutFields } from '../base/hop-by-hop.ts';
import type { RawHeaders } from '../model/http.ts';

/** A request's header fields, read in one pass: what the gateway itself goes by, and what is passed on. */
export interface RequestFields {
  host: string | null;
  /** How many `Host` fields there were; more than one is refused (RFC 9112, 3.2). */
  hosts: number;
  contentLength: string | null;
  contentLengths: number;
  transferEncoding: string | null;
  connection: string | null;
  upgrade: string | null;
  origin: string | null;
  cookie: string | null;
  traceparent: string | null;
  tracestate: string | null;
  forwarded: string | null;
  forwardedFor: string | null;
  forwardedHost: string | null;
  forwardedProto: string | null;
  realIp: string | null;
  expect: string | null;
  via: string | null;
  maxForwards: string | null;
  /** End-to-end fields that are the client's to set: without `Host` and all that the gateway sets itself. */
  passed: string[];
  /** The same as one text, with NUL between. */
  passedText: string;
}

/** Reads `raw` (name, value, …). Repeated list fields are joined; repeats of what is passed on are kept as they came. */
export function readFields(raw: RawHeaders): RequestFields {
  const fields: RequestFields = {
    host: null,
    hosts: 0,
    contentLength: null,
    contentLengths: 0,
    transferEncoding: null,
    connection: null,
    upgrade: null,
    origin: null,
    cookie: null,
    traceparent: null,
    tracestate: null,
    forwarded: null,
    forwardedFor: null,
    forwardedHost: null,
    forwardedProto: null,
    realIp: null,
    expect: null,
    via: null,
    maxForwards: null,
    passed: [],
    passedText: '',
  };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    if (readOne(fields, name.toLowerCase(), raw[i + 1]!)) fields.passed.push(name, raw[i + 1]!);
  }
  if (fields.connection !== null) {
    const named = namedByConnection(fields.connection);
    if (named !== null) fields.passed = withoutFields(fields.passed, named);
  }
  fields.passedText = fields.passed.join('\0');
  return fields;
}

/** @returns whether the field is passed on as it came. */
function readOne(fields: RequestFields, lower: string, value: string): boolean {
  switch (lower) {
    case 'host':
      fields.host ??= value;
      fields.hosts++;
      return false;
    case 'content-length':
      fields.contentLength = value;
      fields.contentLengths++;
      return true;
    case 'transfer-encoding':
      fields.transferEncoding = joined(fields.transferEncoding, value);
      return false;
    case 'connection':
      fields.connection = joined(fields.connection, value);
      return false;
    case 'upgrade':
      fields.upgrade = joined(fields.upgrade, value);
      return false;
    case 'origin':
      fields.origin = value;
      return true;
    case 'cookie':
      fields.cookie = fields.cookie === null ? value : `${fields.cookie}; ${value}`;
      return true;
    case 'traceparent':
      // Two of them are none: nobody can tell which is meant.
      fields.traceparent = joined(fields.traceparent, value);
      return false;
    case 'tracestate':
      fields.tracestate = joined(fields.tracestate, value);
      return false;
    case 'forwarded':
      fields.forwarded = joined(fields.forwarded, value);
      return false;
    case 'x-forwarded-for':
      fields.forwardedFor = joined(fields.forwardedFor, value);
      return false;
    case 'x-forwarded-host':
      fields.forwardedHost = joined(fields.forwardedHost, value);
      return false;
    case 'x-forwarded-proto':
      fields.forwardedProto = joined(fields.forwardedProto, value);
      return false;
    case 'x-real-ip':
      fields.realIp = value;
      return false;
    case 'expect':
      fields.expect = joined(fields.expect, value);
      return false;
    case 'via':
      fields.via = joined(fields.via, value);
      return false;
    case 'max-forwards':
      fields.maxForwards = joined(fields.maxForwards, value);
      return false;
    case 'x-request-id':
      return false;
    default:
      return !isHopByHop(lower) && !lower.startsWith('x-forwarded-');
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}
