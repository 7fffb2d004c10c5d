import type { BodySource, RawHeaders, RequestHead } from '../../model/http.ts';

/** Fields that concern one connection only (RFC 9110 §7.6.1); `Trailer` because trailers are dropped. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a `Connection` field may name without effect: the usual words, and what a message would mean another without. */
const NEVER_NAMED = new Set(['keep-alive', 'close', 'upgrade', 'host', 'content-length', '']);

/** Methods whose requests are expected to have a body, so that its absence is said (RFC 9110 §8.6). */
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** The end-to-end fields of `headers`, in order, repeats and letter case kept. */
export function endToEnd(headers: RawHeaders): string[] {
  const kept: string[] = [];
  let named: Set<string> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const lower = name.toLowerCase();
    if (lower === 'connection') named = addTokens(named, value);
    if (!HOP_BY_HOP.has(lower)) kept.push(name, value);
  }
  return named === null ? kept : without(kept, named);
}

/**
 * What the program is sent: the request's fields as they came, with the framing that the body really has. A length that
 * is not the body's own would let a client put a second request behind the first.
 */
export function requestHeaders(head: RequestHead, body: BodySource | null): string[] {
  const source = endToEnd(head.headers);
  const headers: string[] = [];
  let hasHost = false;
  let hasLength = false;
  const length = body === null ? '0' : body.lengthBytes === null ? null : String(body.lengthBytes);
  for (let i = 0; i < source.length; i += 2) {
    const lower = source[i]!.toLowerCase();
    // The gateway has answered an expectation of 100-continue itself.
    if (lower === 'expect') continue;
    if (lower === 'host') hasHost = true;
    if (lower !== 'content-length') {
      headers.push(source[i]!, source[i + 1]!);
    } else if (!hasLength && length !== null) {
      hasLength = true;
      headers.push(source[i]!, length);
    }
  }
  if (!hasHost) headers.unshift('Host', URL.parse(head.url)?.host ?? 'localhost');
  if (length === null) headers.push('Transfer-Encoding', 'chunked');
  else if (!hasLength && (body !== null || METHODS_WITH_BODY.has(head.method))) {
    headers.push('Content-Length', length);
  }
  return headers;
}

/** The first value of a field, or null. `name` in lower case. */
export function fieldOf(headers: RawHeaders, name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) return headers[i + 1]!;
  }
  return null;
}

function addTokens(tokens: Set<string> | null, value: string): Set<string> | null {
  for (const part of value.split(',')) {
    const token = part.trim().toLowerCase();
    if (!NEVER_NAMED.has(token)) (tokens ??= new Set()).add(token);
  }
  return tokens;
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
