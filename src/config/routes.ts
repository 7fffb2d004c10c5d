import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { Route } from '../model/app.ts';
import { size } from './quantities.ts';
import { type Reading, refine, text } from './reading.ts';

const DEFAULT_BODY_LIMIT_BYTES = 10 * 1024 ** 2;
const EXPECTED_PATH = "a path such as '/api/catalog' or '/api/*'";
const EXPECTED_ROUTE = `${EXPECTED_PATH}, a host before it if need be ('shop.example.com/api/*')`;
const EXPECTED_HOST = "a host such as 'shop.example.com' or '*.example.com'";

/** A path of its own: no route of a component, and read as theirs are. */
export const exactPath = text("a path such as '/events'", (written): Reading<string> =>
  written.includes('*') ? { problem: 'an exact path, without *' } : readPath(written),
);

/** Likewise a host. */
export const exactHost = text("a host such as 'events.example.com'", (written): Reading<string> =>
  written.includes('*') ? { problem: 'an exact host, without *' } : readHost(written),
);

const routeText = text(EXPECTED_ROUTE, readRoute);

const routeObject = refine(
  z.strictObject(
    {
      path: text(EXPECTED_PATH, readPath),
      host: text(EXPECTED_HOST, readHost).optional(),
      stripPrefix: z.boolean({ error: 'true or false' }).optional(),
      bodyLimit: size('0B', '100GB', '10MB').optional(),
    },
    { error: 'an object such as { path, stripPrefix }' },
  ),
  "a path that ends in '/*' where its prefix is to be stripped",
  (given): Reading<Route> => {
    const stripPrefix = given.stripPrefix ?? false;
    if (stripPrefix && !given.path.endsWith('/*')) return { problem: 'there is no prefix to strip' };
    return {
      value: {
        host: given.host ?? null,
        path: given.path,
        stripPrefix,
        bodyLimitBytes: given.bodyLimit ?? DEFAULT_BODY_LIMIT_BYTES,
      },
    };
  },
);

/** A list of routes, each as text or as an object; see `RouteConfig` in the sdk. */
export const routesSchema = z
  .array(z.union([routeText, routeObject]), { error: `a list of routes, such as ['/api/*']` })
  .readonly();

/** Reads `/exact`, `/prefix/*`, or either with a host before it. */
function readRoute(written: string): Reading<Route> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) return { problem: 'a route has no scheme' };
  const slash = written.indexOf('/');
  if (slash === -1) return { problem: 'a route has a path, which begins with /' };
  const host = slash === 0 ? null : readHost(written.slice(0, slash));
  if (host !== null && 'problem' in host) return { problem: host.problem };
  const path = readPath(written.slice(slash));
  if ('problem' in path) return { problem: path.problem };
  return {
    value: {
      host: host?.value ?? null,
      path: path.value,
      stripPrefix: false,
      bodyLimitBytes: DEFAULT_BODY_LIMIT_BYTES,
    },
  };
}

/** @returns the path as a URL carries it: percent-encoded where it must be. */
function readPath(written: string): Reading<string> {
  if (!written.startsWith('/')) return { problem: 'a path begins with /' };
  if (/[?#]/.test(written)) return { problem: 'a path has no ? or #' };
  if (/[\s\\\p{Cc}]/u.test(written)) return { problem: 'a path has no white space and no backslash' };
  if (written.includes('//')) return { problem: 'a path has no empty segment (//)' };
  const wildcard = written.endsWith('/*');
  const fixed = wildcard ? written.slice(0, -1) : written;
  if (fixed.includes('*')) return { problem: '* can only be the whole of the last segment' };
  if (/%(?![0-9a-f]{2})/i.test(fixed)) return { problem: '% begins no character code' };
  // A URL parser takes such segments away, written plainly or encoded, so a route with one could never match.
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(fixed)) return { problem: 'a path has no segment . or ..' };
  const { pathname } = new URL(`http://host${fixed}`);
  return { value: wildcard ? `${pathname}*` : pathname };
}

/** @returns the host in lower case, international names in their ASCII form. */
function readHost(written: string): Reading<string> {
  const wildcard = written.startsWith('*.');
  const name = wildcard ? written.slice(2) : written;
  if (name.includes('*')) return { problem: '* can only be the whole of the first label' };
  if (/:\d*$/.test(name)) return { problem: 'a host has no port here' };
  const ascii = domainToASCII(name);
  const labels = ascii.split('.');
  const valid =
    ascii.length <= 253 && labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (!valid) return { problem: 'not a host name' };
  return { value: wildcard ? `*.${ascii}` : ascii };
}
