import { isFieldValue, isToken } from '../http1/grammar.ts';
import { bad, headersTooLarge } from '../http1/refusals.ts';
import { MAX_METHOD_CHARS, targetEnd } from '../http1/request-head.ts';
import { readFields } from '../request-fields.ts';
import type { Head, ReaderLimits } from '../http1/request-reader.ts';

/** Fields that say something of one connection, which HTTP/2 says by itself (RFC 9113, 8.2.2). */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A request's head as HTTP/2 carries it, read as strictly as one of HTTP/1.1 and into the same form, so that nothing behind it can tell
 * one from the other. Throws `bad-request` or `headers-too-large`.
 *
 * @param raw name, value, …, pseudo-fields first, as nghttp2 has already checked.
 * @param isWhole whether nothing follows.
 */
export function readStreamHead(raw: readonly string[], isWhole: boolean, limits: ReaderLimits): Head {
  const pseudo: Record<string, string> = Object.create(null) as Record<string, string>;
  const fields: string[] = [];
  let cookieAt = -1;
  // As many as they would be in HTTP/1.1: each field with its colon, space and line's end.
  let bytes = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    bytes += name.length + value.length + 4;
    if (name.startsWith(':')) {
      pseudo[name] = value;
    } else if (!isToken(name) || !isFieldValue(value)) {
      throw bad(`The field ${JSON.stringify(name.slice(0, 100))} holds what no field may hold.`);
    } else if (FORBIDDEN.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers')) {
      throw bad(`HTTP/2 has no field ${name}.`);
    } else if (name === 'cookie' && cookieAt !== -1) {
      // RFC 9113, 8.2.3: it may come in pieces, and goes on as one.
      fields[cookieAt] += `; ${value}`;
    } else {
      if (name === 'cookie') cookieAt = fields.length + 1;
      fields.push(name, value);
    }
  }
  if (bytes > limits.headerBytes) {
    throw headersTooLarge(`A request's header may have ${limits.headerBytes} bytes at most.`);
  }
  if (fields.length > limits.headerCount * 2) {
    throw headersTooLarge(`A request may have ${limits.headerCount} header fields at most.`);
  }
  const method = methodOf(pseudo[':method']);
  const target = method === 'CONNECT' ? '' : targetOf(pseudo[':path'], pseudo[':scheme']);
  const read = readFields(withHost(fields, pseudo[':authority']));
  return { method, target, minor: 1, fields: read, bodyBytes: bodyBytesOf(read, isWhole), keepsAlive: true };
}

function methodOf(method: string | undefined): string {
  if (method === undefined || !isToken(method) || method.length > MAX_METHOD_CHARS) {
    throw bad('The pseudo-field :method holds no method.');
  }
  return method;
}

function targetOf(path: string | undefined, scheme: string | undefined): string {
  if (scheme !== 'https') throw bad('The pseudo-field :scheme does not say https, which is spoken here.');
  if (path === undefined || !(path.startsWith('/') || path === '*') || targetEnd(path, 0) !== path.length) {
    throw bad('The pseudo-field :path holds no path.');
  }
  return path;
}

/** RFC 9113, 8.3.1: `:authority` stands for `Host`. Where both are there and differ, two readers would see two hosts. */
function withHost(fields: readonly string[], authority: string | undefined): readonly string[] {
  if (authority === undefined) return fields;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'host') continue;
    if (fields[i + 1]!.toLowerCase() === authority.toLowerCase()) return fields;
    throw bad('The pseudo-field :authority and the Host field name two different hosts.');
  }
  return ['host', authority, ...fields];
}

function bodyBytesOf({ contentLength, contentLengths }: Head['fields'], isWhole: boolean): number | null {
  if (contentLengths > 1) throw bad('A request has one Content-Length field, not several.');
  if (contentLength !== null && !/^\d{1,15}$/.test(contentLength)) {
    throw bad('The Content-Length field holds no length.');
  }
  if (isWhole) return 0;
  return contentLength === null ? null : Number(contentLength);
}
