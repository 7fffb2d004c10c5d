import { Hono, type Context } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { randomText, secretToken } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import { checkSession, checkSite, type AccessHeaders, type SessionCookie } from './access.ts';
import { mountRoutes, type ApiOptions, type SiteEnv } from './api.ts';
import { LINK_CALLER, SOCKET_CALLER } from './caller.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import { NOT_OPEN_PAGE, PAGE, PAGE_CSP } from './page.ts';
import type { PageLinks } from './page-links.ts';
import { problemResponse } from './problem.ts';
import type { Route } from './route.ts';
import { sameSecret } from './secret.ts';

export interface SiteOptions extends ApiOptions {
  readonly routes: readonly Route[];
  readonly doorkeeper: Doorkeeper;
  readonly logger: Logger;
  readonly links: PageLinks;
  /** The token of this start, which begins a browser's session as `links` do; null: there is none. */
  readonly ownToken: string | null;
  /** The `Host` values that mean this server; asked per request, for the port is known only once it listens. */
  authorities(): ReadonlySet<string>;
}

/**
 * Everything the admin server answers.
 *
 *   /v1/…            the API; over HTTP with a bearer token (but for the routes that are open)
 *   /?token=…        begins a browser's session and leads to its page
 *   /s/<session>/    the page, and below it `v1/…` once more for the page's own use, with the session's cookie
 *
 * Browsers send a cookie to every port of a host, and on the next port runs the gateway with the app's own code, which must
 * not get hold of it. So the cookie is bound to a path that nobody can guess, and it is not the token.
 */
export function buildSite(options: SiteOptions): Hono<SiteEnv> {
  const { ownToken, logger, routes, links } = options;
  const sessionId = randomText(26);
  const sessionPath = `/s/${sessionId}/`;
  const session: SessionCookie = { name: 'fulcrum_admin', value: secretToken() };
  const site = new Hono<SiteEnv>();

  site.onError((thrown) => {
    const error = asFulcrumError(thrown);
    if (error.code === 'internal') logger.error({ err: thrown }, 'the admin API failed');
    return problemResponse(error);
  });
  site.notFound(() => problemResponse(new FulcrumError('not-found', 'The admin API has no such path.')));

  site.use('*', async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('X-Frame-Options', 'DENY');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('Content-Security-Policy', PAGE_CSP);
  });
  site.use('*', async (c, next) => {
    if (c.env.transport === 'http') refuse(checkSite(headersOf(c), options.authorities()));
    if (['GET', 'HEAD'].includes(c.req.method) && hasBody(c)) {
      // Nobody would read it, and its client could take its time.
      c.header('Connection', 'close');
      throw new FulcrumError('bad-request', 'A request that only looks takes no body.');
    }
    await next();
  });
  site.use(
    '*',
    methodNotAllowed({
      app: site,
      onMethodNotAllowed: (c, methods) => {
        const allow = methods.join(', ');
        const error = new FulcrumError(
          'method-not-allowed',
          `${c.req.path} takes ${allow}, not ${c.req.method}.`,
        );
        return problemResponse(error, { allow });
      },
    }),
  );

  const open = routes.filter(({ scope }) => scope === 'open');
  const guarded = routes.filter(({ scope }) => scope !== 'open');
  const apiOf = (some: readonly Route[]): Hono<SiteEnv> => {
    const api = new Hono<SiteEnv>();
    mountRoutes(api, some, options);
    return api;
  };
  site.route('/v1', apiOf(open));
  site.use('/v1/*', async (c, next) => {
    const { transport, incoming } = c.env;
    c.set(
      'caller',
      transport === 'socket'
        ? SOCKET_CALLER
        : await options.doorkeeper.admit(
            c.req.header('authorization') ?? null,
            incoming.socket.remoteAddress ?? '',
          ),
    );
    await next();
  });
  site.use('/s/:session/*', async (c, next) => {
    if (!sameSecret(c.req.param('session'), sessionId)) {
      return c.html(NOT_OPEN_PAGE, 401);
    }
    return next();
  });
  site.use('/s/:session/v1/*', async (c, next) => {
    refuse(checkSession(headersOf(c), c.req.method, session));
    c.set('caller', LINK_CALLER);
    await next();
  });
  const api = apiOf(guarded);
  site.route('/v1', api);
  site.route('/s/:session/v1', api);

  site.get('/', (c) => {
    const given = c.req.query('token') ?? '';
    const opens = (ownToken !== null && sameSecret(given, ownToken)) || links.take(given);
    if (!opens) return c.html(NOT_OPEN_PAGE, 401);
    c.header(
      'Set-Cookie',
      `${session.name}=${session.value}; Path=${sessionPath}; HttpOnly; SameSite=Strict`,
    );
    return c.redirect(sessionPath, 303);
  });
  // The page itself holds nothing worth guarding; what it shows comes from the API, which asks for the cookie. (A link that is
  // followed from another site arrives without a strict cookie; the page's own requests then carry it.)
  site.get('/s/:session/', (c) => c.html(PAGE));

  return site;
}

function refuse(error: FulcrumError | null): void {
  if (error !== null) throw error;
}

function hasBody(c: Context): boolean {
  const length = c.req.header('content-length');
  return (length !== undefined && length !== '0') || c.req.header('transfer-encoding') !== undefined;
}

function headersOf(c: Context): AccessHeaders {
  const header = (name: string): string | null => c.req.header(name) ?? null;
  return {
    host: header('host'),
    origin: header('origin'),
    fetchSite: header('sec-fetch-site'),
    cookie: header('cookie'),
  };
}
