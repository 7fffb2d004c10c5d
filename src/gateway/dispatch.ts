import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { admit, announcedBytesOf, fieldsOf, headOf, withoutPrefix } from './admission.ts';
import { RequestBody, tooLarge } from './request-body.ts';
import type { Admission } from './admission.ts';
import type { Exchange } from './exchange.ts';
import type { HostNames } from './host-names.ts';
import type { GatewayParts } from './parts.ts';
import type { ServedApp } from './served-app.ts';
import type { StaticSite } from './static/site.ts';
import type { Connection } from './connection.ts';

/** One request from its head to its end: read, routed, and answered by an instance, a file, or the gateway itself. */
export function dispatch(
  parts: GatewayParts,
  app: ServedApp,
  hosts: HostNames,
  connection: Connection,
  exchange: Exchange,
  expectsContinue: boolean,
): void {
  const admission = read(parts, app, hosts, connection, exchange);
  if (admission === null) return;
  const { target } = admission;
  if (target === null) return refuse(exchange, noRoute(admission));
  if (isPreflight(exchange, admission)) return answerPreflight(exchange);
  if (target.kind === 'static') {
    void serveFile(parts, exchange, admission, target.site, withoutPrefix(admission.path, target));
    return;
  }
  const { bodyLimitBytes } = target.route;
  const { announcedBytes } = exchange;
  if (announcedBytes !== null && announcedBytes > bodyLimitBytes) {
    return refuse(exchange, tooLarge(bodyLimitBytes));
  }
  void runOnInstance(parts, exchange, admission, bodyLimitBytes, expectsContinue);
}

/** Null where the request has been refused: it cannot be told where it ends, so that the connection must. */
function read(
  parts: GatewayParts,
  app: ServedApp,
  hosts: HostNames,
  connection: Connection,
  exchange: Exchange,
): Admission | null {
  try {
    return readSound(parts, app, hosts, connection, exchange);
  } catch (error) {
    if (!(error instanceof FulcrumError)) {
      parts.logger.error({ err: error, requestId: exchange.requestId }, 'a request could not be read');
    }
    connection.close();
    refuse(exchange, asFulcrumError(error));
    return null;
  }
}

function readSound(
  parts: GatewayParts,
  app: ServedApp,
  hosts: HostNames,
  connection: Connection,
  exchange: Exchange,
): Admission {
  const { request } = exchange;
  const fields = fieldsOf(request, parts.limits.headerCount);
  exchange.announcedBytes = announcedBytesOf(request, fields);
  if (connection.inFlight > parts.limits.maxPipelined) {
    throw new FulcrumError('overloaded', 'Too many requests are in flight on this connection.');
  }
  const admission = admit(app, hosts, request, fields, connection.peer);
  exchange.path = admission.path;
  if (admission.target !== null) {
    exchange.component = admission.target.component;
    exchange.cors = admission.target.cors;
    exchange.origin = fields.origin;
  }
  return admission;
}

async function runOnInstance(
  parts: GatewayParts,
  exchange: Exchange,
  admission: Admission,
  bodyLimitBytes: number,
  expectsContinue: boolean,
): Promise<void> {
  const { request, caller } = exchange;
  const head = headOf(admission, request.method ?? 'GET', exchange.requestId, false);
  if (exchange.announcedBytes !== 0) {
    exchange.body = new RequestBody({
      request,
      lengthBytes: exchange.announcedBytes,
      limitBytes: bodyLimitBytes,
      idleMs: parts.limits.bodyIdleMs,
      clock: parts.clock,
      wanted: () => {
        if (expectsContinue && exchange.state === 'open') exchange.response.writeContinue();
      },
      failed: (error) => exchange.bodyFailed(error),
    });
  }
  const seed = {
    requestId: exchange.requestId,
    traceparent: admission.traceparent,
    trigger: 'route' as const,
    get signal() {
      return caller.signal;
    },
    deadlineMs: null,
  };
  try {
    const end = await parts.dispatcher.run(exchange.component, seed, async (slot, context, control) => {
      exchange.given(slot, control);
      const { body } = exchange;
      const end = exchange.settle(await slot.instance.http({ context, head, body, response: exchange }));
      control.status(exchange.status);
      return end;
    });
    // Where no slot was to be had nobody has answered yet; where one was, this does nothing.
    if (end.error !== null) exchange.refuse(end.error);
  } catch (error) {
    parts.logger.error({ err: error, requestId: exchange.requestId }, 'the dispatcher failed');
  }
  if (exchange.state === 'open' || exchange.state === 'streaming') {
    exchange.refuse(new FulcrumError('internal', 'The request was not answered.'));
  }
  exchange.release();
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
        method: request.method ?? 'GET',
        path: relativePath,
        fullPath: admission.path,
        query: admission.query,
        headers: request.headers,
      },
      exchange,
      caller.signal,
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
  exchange.preflight();
  exchange.release();
}

function refuse(exchange: Exchange, error: FulcrumError): void {
  exchange.refuse(error);
  exchange.release();
}

function noRoute({ path }: Admission): FulcrumError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new FulcrumError('route-not-found', `No component has a route for ${shown}.`);
}

function hasField(fields: readonly string[], lower: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]!.toLowerCase() === lower) return true;
  return false;
}
