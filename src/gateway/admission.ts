import type { IncomingMessage } from 'node:http';
import { FulcrumError } from '../base/errors.ts';
import { clientView } from './forwarded.ts';
import { readFields } from './request-fields.ts';
import { readTarget } from './request-target.ts';
import { continuedTrace, newTrace } from './trace.ts';
import { plainAddress } from './trusted-proxies.ts';
import type { ClientView } from './forwarded.ts';
import type { HostNames } from './host-names.ts';
import type { RequestFields } from './request-fields.ts';
import type { RequestTarget } from './request-target.ts';
import type { GatewayTarget, ServedApp } from './served-app.ts';
import type { RequestHead } from '../model/http.ts';

/** A request that is well formed: what it is for, and what is to be told about it. */
export interface Admission {
  /** Null where no component has the route. */
  readonly target: GatewayTarget | null;
  readonly fields: RequestFields;
  /** What the component gets as `Host`. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly view: ClientView;
  readonly traceparent: string;
  /** Null where the trace begins here: it has no history of the client's. */
  readonly tracestate: string | null;
}

/**
 * Reads a request's head and finds its component. Throws `bad-request` or `headers-too-large`.
 * @param peer the address at the other end of the connection.
 */
export function admit(
  app: ServedApp,
  hosts: HostNames,
  request: IncomingMessage,
  fields: RequestFields,
  peer: string,
): Admission {
  const target = readTarget(request.url ?? '');
  if (target === null) throw bad('The request target is neither a path nor an http URL.');
  const host = hostOf(request, fields, target);
  if (hosts.read(host) === null) throw bad('The Host field holds no host.');
  const view = clientView(fields, peer, app.proxies.trusts(peer), host, hosts);
  const trace = fields.traceparent === null ? null : continuedTrace(fields.traceparent);
  return {
    target: app.router.match(hosts.read(view.host)!, target.path),
    fields,
    host,
    path: target.path,
    query: target.query,
    view,
    traceparent: trace ?? newTrace(),
    tracestate: trace === null ? null : fields.tracestate,
  };
}

function hostOf(request: IncomingMessage, fields: RequestFields, target: RequestTarget): string {
  if (fields.hosts > 1) throw bad('A request has one Host field, not several.');
  if (target.authority !== null) return target.authority;
  if (fields.host !== null) return fields.host;
  if (request.httpVersionMinor !== 0) throw bad('A request of HTTP/1.1 needs a Host field.');
  const { localAddress = '127.0.0.1', localPort = 80 } = request.socket;
  const address = plainAddress(localAddress);
  return address.includes(':') ? `[${address}]:${localPort}` : `${address}:${localPort}`;
}

/** The fields of `request`. Throws `headers-too-large` where there are more than `maxFields`. */
export function fieldsOf(request: IncomingMessage, maxFields: number): RequestFields {
  if (request.rawHeaders.length > maxFields * 2) {
    throw new FulcrumError('headers-too-large', `A request may have ${maxFields} header fields at most.`);
  }
  return readFields(request.rawHeaders);
}

/**
 * Bytes of body that the request announces: 0 where it has none, null where their number is not known beforehand.
 * Throws `bad-request` for a framing that two parties could read in two ways, the door of request smuggling (RFC 9112, 11.2).
 */
export function announcedBytesOf(request: IncomingMessage, fields: RequestFields): number | null {
  if (fields.transferEncoding === null) {
    return fields.contentLength === null ? 0 : Number(fields.contentLength);
  }
  if (fields.transferEncoding.trim().toLowerCase() !== 'chunked') {
    throw bad('The only transfer coding that is understood here is chunked.');
  }
  if (request.httpVersionMinor === 0) throw bad('HTTP/1.0 has no Transfer-Encoding.');
  if (fields.contentLength !== null)
    throw bad('A request has Content-Length or Transfer-Encoding, never both.');
  return null;
}

/** The head as the component sees it. An upgrade keeps the two fields that say to what: they are part of the question. */
export function headOf(
  admission: Admission,
  method: string,
  requestId: string,
  upgrade: boolean,
): RequestHead {
  const { fields, view, path, query, target } = admission;
  const headers = ['Host', admission.host, ...fields.passed];
  if (upgrade) headers.push('Connection', 'Upgrade', 'Upgrade', fields.upgrade ?? '');
  headers.push(
    'X-Request-Id',
    requestId,
    'X-Forwarded-For',
    view.chain,
    'X-Forwarded-Host',
    view.host,
    'X-Forwarded-Proto',
    view.proto,
    'Forwarded',
    view.forwarded,
    'traceparent',
    admission.traceparent,
  );
  if (admission.tracestate !== null) headers.push('tracestate', admission.tracestate);
  const seen = target !== null && target.route.stripPrefix ? withoutPrefix(path, target) || '/' : path;
  return {
    method,
    url: `${view.proto}://${view.host}${path}${query}`,
    target: seen + query,
    headers,
  };
}

/** What follows the route's prefix: empty, or beginning with a slash. An exact route has no prefix. */
export function withoutPrefix(path: string, target: GatewayTarget): string {
  return path.slice(target.prefix.length);
}

function bad(message: string): FulcrumError {
  return new FulcrumError('bad-request', message);
}
