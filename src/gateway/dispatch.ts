import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { markOf } from './affinity.ts';
import { admit, withoutPrefix } from './admission.ts';
import { bodyOf } from './arriving-body.ts';
import { asyncWish } from './async-wish.ts';
import { shortened } from './app-table.ts';
import { takeEvents } from './take-events.ts';
import { ownAnswer } from './own-answers.ts';
import { Passage } from './passage.ts';
import { tooLarge } from './request-body.ts';
import { serveLater } from './serve-later.ts';
import type { Admission } from './admission.ts';
import type { AppTable } from './app-table.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import type { GatewayTarget, ServedRelease } from './served-release.ts';
import type { StaticSite } from './static/site.ts';
import type { Redirect } from './redirect.ts';
import type { RequestStream } from './request-stream.ts';

/** One request from its head to its end: read, routed, and answered by an instance, a file, or the gateway itself. */
export function dispatch(
  parts: GatewayParts,
  apps: AppTable,
  stream: RequestStream,
  exchange: Exchange,
  redirect: Redirect | null,
): void {
  const admission = read(parts, apps, stream, exchange, redirect);
  if (admission === null) return;
  const { release, target } = admission;
  if (release === null)
    return refuse(exchange, apps.noApp(parts.hosts.read(admission.view.host)!, admission.path));
  if (target === null) return refuse(exchange, noRoute(admission));
  if (isPreflight(exchange, admission)) return answerPreflight(exchange);
  if (target.kind !== 'instances') {
    if (target.kind === 'events') return void takeEvents(parts, stream, exchange, admission, target.door);
    void serveFile(parts, exchange, admission, target.site, withoutPrefix(admission.innerPath, target));
    return;
  }
  if (target.later !== null) {
    const wish = asyncWish(exchange.request.method, admission.query, admission.fields.passed);
    if (wish !== null)
      return void serveLater(
        { parts, stream, exchange, admission, release, target, later: target.later },
        wish,
      );
  }
  const { bodyLimitBytes } = target.route;
  const { bodyBytes } = exchange.request;
  if (bodyBytes !== null && bodyBytes > bodyLimitBytes) return refuse(exchange, tooLarge(bodyLimitBytes));
  runOnInstance(parts, stream, exchange, admission, release, target);
}

/** Null where the request has been answered: it is the gateway's own business, or no sound request. */
function read(
  parts: GatewayParts,
  apps: AppTable,
  stream: RequestStream,
  exchange: Exchange,
  redirect: Redirect | null,
): Admission | null {
  try {
    const own = ownAnswer(exchange.request);
    if (own?.kind === 'refusal') {
      // What follows a CONNECT that was refused may be meant for somebody else.
      if (exchange.request.method === 'CONNECT') stream.close();
      refuse(exchange, own.error, own.fields);
      return null;
    }
    const admission = admit(parts, apps, exchange.request, stream.peer);
    if (own !== null) {
      exchange.reply(204, own.fields);
      exchange.release();
      return null;
    }
    exchange.path = admission.path;
    if (redirect !== null && redirect.answer(admission, exchange)) return null;
    exchange.servedBy = admission.release;
    exchange.traceparent = admission.traceparent;
    if (admission.cookieLine !== '') exchange.lines += admission.cookieLine;
    if (admission.target !== null) {
      exchange.component = admission.target.component;
      exchange.cors = admission.target.cors;
      exchange.origin = admission.fields.origin;
    }
    return admission;
  } catch (error) {
    if (!(error instanceof FulcrumError)) {
      parts.logger.error({ err: error, requestId: exchange.requestId }, 'a request could not be read');
    }
    stream.close();
    refuse(exchange, asFulcrumError(error));
    return null;
  }
}

function runOnInstance(
  parts: GatewayParts,
  stream: RequestStream,
  exchange: Exchange,
  admission: Admission,
  release: ServedRelease,
  { route, affinity }: GatewayTarget & { readonly kind: 'instances' },
): void {
  if (exchange.request.bodyBytes !== 0)
    exchange.body = bodyOf(parts, stream, exchange, route.bodyLimitBytes, tooLarge);
  const mark = affinity === null ? null : markOf(affinity, admission, parts);
  const passage = new Passage(parts, exchange, admission, mark);
  try {
    release.dispatcher.carry(exchange.component, passage, passage);
  } catch (error) {
    parts.logger.error({ err: error, requestId: exchange.requestId }, 'the dispatcher failed');
    passage.finished({ outcome: 'crashed', error: asFulcrumError(error), cpuMs: 0 });
  }
}

async function serveFile(
  parts: GatewayParts,
  exchange: Exchange,
  admission: Admission,
  site: StaticSite,
  relativePath: string,
): Promise<void> {
  const { request, caller } = exchange;
  try {
    const refusal = await site.serve(
      {
        method: request.method,
        path: relativePath,
        fullPath: admission.path,
        query: admission.query,
        headers: headersByName(admission.fields.passed),
      },
      exchange,
      caller,
    );
    if (refusal !== null) exchange.refuse(refusal.error, refusal.fields);
  } catch (error) {
    parts.logger.error(
      { err: error, requestId: exchange.requestId, component: exchange.component },
      'a file could not be served',
    );
    exchange.refuse(asFulcrumError(error));
  }
  exchange.release();
}

/** A question of the browser's, not of the user's: answered here, so that it starts no instance. */
function isPreflight({ request, cors, origin }: Exchange, admission: Admission): boolean {
  return (
    request.method === 'OPTIONS' &&
    cors !== null &&
    origin !== null &&
    hasField(admission.fields.passed, 'access-control-request-method')
  );
}

function answerPreflight(exchange: Exchange): void {
  exchange.reply(204, exchange.cors!.preflightFields(exchange.origin!));
  exchange.release();
}

function refuse(exchange: Exchange, error: FulcrumError, fields?: readonly string[]): void {
  exchange.refuse(error, fields);
  exchange.release();
}

/** The fields that are passed on, by their names in lower case; of repeated ones the values joined. */
function headersByName(passed: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < passed.length; i += 2) {
    const name = passed[i]!.toLowerCase();
    headers[name] = name in headers ? `${headers[name]}, ${passed[i + 1]!}` : passed[i + 1]!;
  }
  return headers;
}

function noRoute({ path }: Admission): FulcrumError {
  return new FulcrumError('route-not-found', `No component has a route for ${shortened(path)}.`);
}

function hasField(fields: readonly string[], lower: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]!.toLowerCase() === lower) return true;
  return false;
}
