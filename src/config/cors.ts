import { z } from 'zod';
import type { CorsSettings } from '../model/app.ts';
import { duration } from './quantities.ts';
import { type Reading, refine, text } from './reading.ts';

const EXPECTED_ORIGIN = "an origin such as 'https://shop.example.com'";
const EXPECTED_METHOD = "a method in capitals, such as 'PUT'";
const EXPECTED_HEADER = "the name of a header, such as 'X-Total'";

const OPEN: CorsSettings = {
  origins: '*',
  methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
  // `*` does not stand for Authorization: https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
  headers: ['*', 'Authorization'],
  exposedHeaders: [],
  credentials: false,
  maxAgeS: 600,
};
/** With credentials `*` is a header's name like any other: https://fetch.spec.whatwg.org/#http-access-control-allow-headers */
const HEADERS_WITH_CREDENTIALS = ['Authorization', 'Content-Type'];

const corsObject = refine(
  z.strictObject(
    {
      origins: z
        .union([
          z.literal('*', { error: "'*'" }),
          list(text(EXPECTED_ORIGIN, readOrigin), "a list of origins such as ['https://shop.example.com']"),
        ])
        .optional(),
      methods: list(text(EXPECTED_METHOD, readMethod), "a list of methods such as ['GET', 'PUT']").optional(),
      headers: list(text(EXPECTED_HEADER, readHeader), "a list of headers such as ['X-Cart']").optional(),
      exposedHeaders: list(
        text(EXPECTED_HEADER, readHeader),
        "a list of headers such as ['X-Total']",
      ).optional(),
      credentials: z.boolean({ error: 'true or false' }).optional(),
      maxAge: duration('0s', '24h', '10m').optional(),
    },
    { error: 'an object such as { origins, credentials }' },
  ),
  "origins by name, such as ['https://shop.example.com'], where credentials are allowed",
  (given): Reading<CorsSettings> => {
    const origins = given.origins ?? OPEN.origins;
    const credentials = given.credentials ?? OPEN.credentials;
    if (credentials && origins === '*') return { problem: "credentials are never sent to the origin '*'" };
    return {
      value: {
        origins,
        methods: given.methods ?? OPEN.methods,
        headers: given.headers ?? (credentials ? HEADERS_WITH_CREDENTIALS : OPEN.headers),
        exposedHeaders: given.exposedHeaders ?? OPEN.exposedHeaders,
        credentials,
        maxAgeS: given.maxAge === undefined ? OPEN.maxAgeS : Math.floor(given.maxAge / 1_000),
      },
    };
  },
);

/** `true`, or what is allowed in particular; see `CorsConfig` in the sdk. */
export const corsSchema = z.union([
  refine(z.literal(true, { error: 'true' }), 'true', (): Reading<CorsSettings> => ({ value: OPEN })),
  corsObject,
]);

function list<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, { error: expected }).readonly();
}

function readOrigin(written: string): Reading<string> {
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol)) return { problem: 'not an origin' };
  if (url.origin === written) return { value: written };
  return { problem: 'an origin is scheme, host and port, and nothing more', expected: `'${url.origin}'` };
}

function readMethod(written: string): Reading<string> {
  return /^[A-Z][A-Z-]{0,31}$/.test(written) ? { value: written } : { problem: 'not a method' };
}

/** A token of https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
function readHeader(written: string): Reading<string> {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(written)
    ? { value: written }
    : { problem: "not a header's name" };
}
