import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { randomText, secretToken } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import { checkBearer, checkSession, checkSite, type AccessHeaders, type SessionCookie } from './access.ts';
import { buildApi, type ApiOptions } from './api.ts';
import { NOT_OPEN_PAGE, PAGE, PAGE_CSP } from './page.ts';
import { problemResponse } from './problem.ts';
import { sameSecret } from './secret.ts';

export interface SiteOptions extends ApiOptions {
  readonly logger: Logger;
  readonly token: string;
  /** The `Host` values that mean this server; asked per request, for the port is known only once it listens. */
  authorities(): ReadonlySet<string>;
}

/** Over the Unix socket, whose file's mode and folder guard it, nothing more is asked. */
export type Transport = 'http' | 'socket';

interface SiteEnv {
  Bindings: HttpBindings & { transport: Transport };
}

/**
 * Everything the admin server answers.
 *
 *   /v1/…            the API; over HTTP with a bearer token (health without)
 *   /?token=…        begins a browser's session and leads to its page
 *   /s/<session>/    the page, and below it `v1/…` once more for the page's own use, with the session's cookie
 *
 * Browsers send a cookie to every port of a host, and on the next port runs the gateway with the app's own code, which must
 * not get hold of it. So the cookie is bound to a path that nobody can guess, and it is not the token.
 */
export function buildSite(options: SiteOptions): Hono<SiteEnv> {
  const { token, logger } = options;
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

  site.get('/v1/health', (c) => c.json({ ok: true }));
  site.use('/v1/*', async (c, next) => {
    if (c.env.transport === 'http') refuse(checkBearer(headersOf(c), token));
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
    await next();
  });

  const api = buildApi(options);
  site.route('/v1', api);
  site.route('/s/:session/v1', api);

  site.get('/', (c) => {
    const given = c.req.query('token');
    if (given === undefined || !sameSecret(given, token)) return c.html(NOT_OPEN_PAGE, 401);
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

function headersOf(c: Context): AccessHeaders {
  const header = (name: string): string | null => c.req.header(name) ?? null;
  return {
    host: header('host'),
    origin: header('origin'),
    fetchSite: header('sec-fetch-site'),
    authorization: header('authorization'),
    cookie: header('cookie'),
  };
}
