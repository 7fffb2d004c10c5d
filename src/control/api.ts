import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';
import { isAppId } from '../base/app-id.ts';
import type { Clock } from '../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import type { Auditor } from './auditor.ts';
import { hasScope, mayAskAbout, type Caller } from './caller.ts';
import { tooMany } from './doorkeeper.ts';
import { FailureLimit } from './failure-limit.ts';
import type { HostPort } from './host-port.ts';
import { parseInput } from './input.ts';
import { problemResponse } from './problem.ts';
import { readBytes, readJson, streamBody } from './request-body.ts';
import { Later, type LineStream, type Route, type RouteRequest } from './route.ts';
import { noSuchApp } from './routes/parts.ts';

/** Over the Unix socket, whose file's mode and folder guard it, nothing more is asked. */
export type Transport = 'http' | 'socket';

export interface SiteEnv {
  Bindings: HttpBindings & { transport: Transport };
  Variables: { caller: Caller };
}

export interface ApiOptions {
  readonly host: Pick<HostPort, 'apps'>;
  readonly auditor: Auditor;
  readonly clock: Clock;
}

/**
 * Answers `routes` on `app`, below its own path. What holds for all of them is done here and nowhere else, in this order: whether the
 * caller may (of which `caller` tells who it is), what comes in, what the handler does, and the entry in the log of changes.
 */
export function mountRoutes(app: Hono<SiteEnv>, routes: readonly Route[], options: ApiOptions): void {
  const { host, auditor, clock } = options;
  const refusals = new FailureLimit(clock);

  const answer = async (c: Context<SiteEnv>, route: Route): Promise<Response> => {
    if (c.req.method !== route.method && route.answer.kind === 'lines') {
      // A HEAD is answered by its GET whose body is dropped, unread and not cancelled: a stream would never learn that it has ended.
      const error = new FulcrumError(
        'method-not-allowed',
        `${c.req.path} takes ${route.method}, not ${c.req.method}.`,
      );
      return problemResponse(error, { allow: route.method });
    }
    const caller = route.scope === 'open' ? NOBODY : c.get('caller');
    const appId = c.req.param('app') ?? '';
    const named = isAppId(appId) ? appId : null;
    const refusal = await refusalOf(route, caller, appId, host);
    if (refusal !== null) {
      await refused(route, caller, named, refusal);
      throw refusal;
    }
    // What could not be read is told without what was in it.
    const request: { read: RouteRequest | null } = { read: null };
    const record = (
      outcome: 'ok' | 'failed',
      more: Record<string, unknown>,
      result: unknown,
    ): Promise<void> => {
      if (route.audit === null) return Promise.resolve();
      if (request.read !== null && route.audit.looked?.(request.read) === true) return Promise.resolve();
      const details = request.read === null ? {} : route.audit.details?.(request.read, result);
      return auditor.record({
        actor: caller.actor,
        action: route.audit.action,
        app: named,
        outcome,
        details: { ...details, ...more },
      });
    };
    const failed = (error: unknown): Promise<void> =>
      record('failed', { error: asFulcrumError(error).code }, null);
    try {
      request.read = await requestOf(c, route, appId, caller, clock);
      const result = await route.handle(request.read);
      if (route.answer.kind === 'lines') {
        const { body, done } = result as LineStream;
        // Its end is what is written down, and it may come long after the client has gone.
        void done.then((last) => record('ok', {}, last), failed);
        return c.body(body, 200, { 'content-type': 'application/x-ndjson' });
      }
      await record('ok', {}, result);
      if (result instanceof Later) return c.json(result.value as object, 202);
      return c.json(result as object, route.answer.status);
    } catch (error) {
      await failed(error);
      throw error;
    }
  };

  const refused = async (
    route: Route,
    caller: Caller,
    named: string | null,
    refusal: FulcrumError,
  ): Promise<void> => {
    if (route.audit === null) return;
    // The log of changes is kept for ever: nobody may fill it with what they may not do.
    const waitMs = refusals.waitMs(caller.actor);
    if (waitMs > 0) throw tooMany('This token asked for what it may not do', waitMs);
    refusals.failed(caller.actor);
    await auditor.record({
      actor: caller.actor,
      action: route.audit.action,
      app: named,
      outcome: 'refused',
      details: { error: refusal.code },
    });
  };

  for (const route of routes) {
    app.on(route.method, route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => answer(c, route));
  }
}

const NOBODY: Caller = { actor: 'nobody', scope: 'read', apps: [] };

/** Why `caller` may not use `route`; null where they may. */
async function refusalOf(
  route: Route,
  caller: Caller,
  app: string,
  host: Pick<HostPort, 'apps'>,
): Promise<FulcrumError | null> {
  if (route.scope === 'open') return null;
  const aboutApp = route.reach === 'app' || route.reach === 'new-app';
  // First of all, so that a token of other apps is told the same of every app and every route.
  if (aboutApp && !mayAskAbout(caller, app)) return new FulcrumError('not-found', noSuchApp(app));
  if (!hasScope(caller, route.scope)) {
    return new FulcrumError(
      'forbidden',
      `This needs a token of scope '${route.scope}', and this one's is '${caller.scope}'.`,
    );
  }
  if (route.reach === 'server' && caller.apps !== null) {
    return new FulcrumError(
      'forbidden',
      `This concerns the server as a whole, and this token is limited to ${caller.apps.join(', ')}.`,
    );
  }
  if (aboutApp && !isAppId(app)) {
    return new FulcrumError(
      'not-found',
      `'${app}' cannot be an app's id: those are like shop, or shop@staging.`,
    );
  }
  if (route.reach === 'app' && !(await host.apps()).some(({ id }) => id === app)) {
    return new FulcrumError('not-found', noSuchApp(app));
  }
  return null;
}

async function requestOf(
  c: Context<SiteEnv>,
  route: Route,
  app: string,
  caller: Caller,
  clock: Clock,
): Promise<RouteRequest> {
  const { app: _, session: __, ...params } = c.req.param() as Record<string, string>;
  return {
    app,
    params: route.params === undefined ? {} : parseInput(route.params, params),
    query: route.query === undefined ? {} : parseInput(route.query, c.req.query()),
    body: await bodyOf(c, route, clock),
    caller,
    signal: goneSignal(c.env.outgoing),
  };
}

async function bodyOf(c: Context<SiteEnv>, { body }: Route, clock: Clock): Promise<unknown> {
  const { incoming } = c.env;
  if (body === undefined) return undefined;
  if (body.kind === 'json') return parseInput(body.schema, await readJson(incoming, body.maxBytes, clock));
  if (body.kind === 'event') {
    const fields = incoming.rawHeaders;
    if (!isCloudEvents(c)) {
      return { kind: 'json', value: parseInput(body.schema, await readJson(incoming, body.maxBytes, clock)) };
    }
    return { kind: 'cloud', request: { fields, body: await readBytes(incoming, body.maxBytes, clock) } };
  }
  if (!/^application\/x-tar\b/i.test(c.req.header('content-type') ?? '')) {
    throw new FulcrumError('bad-request', 'Send a tar, with `Content-Type: application/x-tar`.');
  }
  return streamBody(incoming, body.maxBytes, clock);
}

/** In structured or batched mode the type says so, in binary mode a field: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md */
function isCloudEvents(c: Context<SiteEnv>): boolean {
  const type = c.req.header('content-type') ?? '';
  return /^application\/cloudevents/i.test(type) || c.req.header('ce-specversion') !== undefined;
}

/** Aborts when the client goes before it has its answer. (The signal of Hono's request would have the body read by somebody else.) */
function goneSignal(outgoing: HttpBindings['outgoing']): AbortSignal {
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}
