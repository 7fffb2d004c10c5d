import { FulcrumError } from '../base/errors.ts';
import { chooseRelease, choiceLine } from './app-table.ts';
import { ComponentHead } from './component-head.ts';
import { clientView } from './forwarded.ts';
import { readTarget } from './request-target.ts';
import { continuedTrace, newTrace } from './trace.ts';
import type { AppTable, ServedApp } from './app-table.ts';
import type { ClientView } from './forwarded.ts';
import type { Head } from './http1/request-reader.ts';
import type { HostNames } from './host-names.ts';
import type { GatewayParts } from './parts.ts';
import type { RequestFields } from './request-fields.ts';
import type { RequestTarget } from './request-target.ts';
import type { GatewayTarget, ServedRelease } from './served-release.ts';
import type { RequestHead } from '../model/http.ts';

/** How we call ourselves where a message says who has passed it on, behind the version in which it came. */
const VIA = ['1.0 fulcrum', '1.1 fulcrum'] as const;

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  /** What is spoken with it. */
  readonly proto: 'http' | 'https';
  /** Host and port of our own end. */
  readonly local: string;
  /** What was last told of it: a client that is no proxy of ours asks for one host, over and over. */
  view: ClientView | null;
}

/** A request that is well formed: what it is for, and what is to be told about it. */
export interface Admission {
  /** Null where no app answers under the host and path. */
  readonly app: ServedApp | null;
  /** Of that app; null where there is none. */
  readonly release: ServedRelease | null;
  /** A field line for the answer, with its end: the client is to keep the canary's cookie. Empty for none. */
  readonly cookieLine: string;
  /** Null where no component has the route. */
  readonly target: GatewayTarget | null;
  readonly fields: RequestFields;
  readonly minor: 0 | 1;
  /** What the component gets as `Host`. */
  readonly host: string;
  readonly path: string;
  /** The same without the app's prefix. */
  readonly innerPath: string;
  readonly query: string;
  readonly view: ClientView;
  readonly traceparent: string;
  /** Null where the trace begins here: it has no history of the client's. */
  readonly tracestate: string | null;
}

/**
 * Finds out whom a request is for and who sent it. Throws `bad-request`.
 *
 * The app is found by what the machine's own trusted proxies say of the host; what is told to the app, and its routes, by what its own
 * say too. So no app can have another's requests sent to it by trusting somebody.
 *
 * @param peer the other end of what it came on.
 */
export function admit(parts: GatewayParts, apps: AppTable, request: Head, peer: Peer): Admission {
  const { fields } = request;
  const { hosts } = parts;
  const target = request.target === '*' ? serverWide(request) : readTarget(request.target);
  if (target === null) throw bad('The request target is neither a path nor an http URL.');
  const { path, query } = target;
  const host = hostOf(request, target, peer, hosts);
  const trace = fields.traceparent === null ? null : continuedTrace(fields.traceparent);
  let view = viewOf(parts.proxies.trusts(peer.address), fields, peer, host, hosts);
  const app = apps.match(hosts.read(view.host)!, path);
  let release: ServedRelease | null = null;
  let bucket: number | null = null;
  if (app !== null) {
    if (app.canary === null) release = app.serving;
    else ({ release, newBucket: bucket } = chooseRelease(app, app.canary, fields.cookie));
    if (release.proxies.trusts(peer.address)) view = viewOf(true, fields, peer, host, hosts);
  }
  const innerPath = app === null || app.prefix === '' ? path : path.slice(app.prefix.length) || '/';
  return {
    app,
    release,
    cookieLine: bucket === null ? '' : choiceLine(app!, bucket, view.proto === 'https'),
    target: release === null ? null : release.router.match(hosts.read(view.host)!, innerPath),
    fields,
    minor: request.minor,
    host,
    path,
    innerPath,
    query,
    view,
    traceparent: trace ?? newTrace(),
    tracestate: trace === null ? null : fields.tracestate,
  };
}

function viewOf(
  trusted: boolean,
  fields: RequestFields,
  peer: Peer,
  host: string,
  hosts: HostNames,
): ClientView {
  if (trusted) return clientView(fields, peer.address, peer.proto, true, host, hosts);
  if (peer.view?.host === host) return peer.view;
  return (peer.view = clientView(fields, peer.address, peer.proto, false, host, hosts));
}

/** RFC 9112, 3.2.4: `*` stands for the server as a whole, and only OPTIONS asks about that. */
function serverWide({ method }: Head): RequestTarget | null {
  return method === 'OPTIONS' ? { authority: null, path: '*', query: '' } : null;
}

/** RFC 9112, 3.2: exactly one Host, and a valid one, even where an absolute target counts instead. */
function hostOf({ fields, minor }: Head, target: RequestTarget, peer: Peer, hosts: HostNames): string {
  if (fields.hosts > 1) throw bad('A request has one Host field, not several.');
  if (fields.host === null && minor === 1) throw bad('A request of HTTP/1.1 needs a Host field.');
  if (fields.host !== null && hosts.read(fields.host) === null) throw bad('The Host field holds no host.');
  const host = target.authority ?? fields.host ?? peer.local;
  if (hosts.read(host) === null) throw bad('The request target names no host.');
  return host;
}

/** The head as the component sees it. An upgrade keeps the two fields that say to what: they are part of the question. */
export function headOf(
  admission: Admission,
  method: string,
  requestId: string,
  upgrade: boolean,
): RequestHead {
  const { app, fields, minor, view, path, innerPath, query, target } = admission;
  let text = `Host\0${admission.host}`;
  if (fields.passed.length > 0) text += `\0${fields.passedText}`;
  if (upgrade) text += `\0Connection\0Upgrade\0Upgrade\0${fields.upgrade ?? ''}`;
  // RFC 9110, 7.6.3: whoever passes a request on says so.
  const via = fields.via === null ? VIA[minor] : `${fields.via}, ${VIA[minor]}`;
  text += `\0X-Request-Id\0${requestId}\0${view.text}\0Via\0${via}\0traceparent\0${admission.traceparent}`;
  if (app !== null && app.prefix !== '') text += `\0X-Forwarded-Prefix\0${app.prefix}`;
  if (admission.tracestate !== null) text += `\0tracestate\0${admission.tracestate}`;
  if (fields.maxForwards !== null) text += `\0Max-Forwards\0${forwardsLeft(method, fields.maxForwards)}`;
  const seen =
    target !== null && target.route.stripPrefix ? withoutPrefix(innerPath, target) || '/' : innerPath;
  const url = `${view.proto}://${view.host}${path}${query}`;
  return new ComponentHead(method, url, seen + query, text);
}

/** What follows the route's prefix: empty, or beginning with a slash. An exact route has no prefix. */
export function withoutPrefix(innerPath: string, target: GatewayTarget): string {
  return innerPath.slice(target.prefix.length);
}

/** What is left of `Max-Forwards` (RFC 9110, 7.6.2). It binds those who pass on OPTIONS; for other methods it says nothing. */
function forwardsLeft(method: string, said: string): string {
  return method === 'OPTIONS' ? String(Number(said) - 1) : said;
}

function bad(message: string): FulcrumError {
  return new FulcrumError('bad-request', message);
}
