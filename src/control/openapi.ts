import * as z from 'zod';
import type { Body, Route } from './route.ts';
import { problemAnswer } from './schemas.ts';

type Json = Record<string, unknown>;

const SCOPES = {
  open: 'Needs no token.',
  read: 'Needs a token of scope `read`.',
  deploy: 'Needs a token of scope `deploy`.',
  admin: 'Needs a token of scope `admin`.',
} as const;

const REACHES = {
  app: ' For a token that is limited to other apps there is no such app.',
  'new-app': ' For a token that is limited to other apps there is no such app. The app need not exist yet.',
  own: '',
  server: ' Not for tokens that are limited to apps.',
} as const;

/** The OpenAPI 3.1 document of `routes`, made of the very schemas that they validate by. */
export function openApiDocument(routes: readonly Route[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[`/v1${route.path}`] ??= {});
    path[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Fulcrum admin API',
      version: '1',
      description:
        'Errors are problem documents (RFC 9457) with a `code`; docs/errors has a page for each. Times are milliseconds since 1970.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: schemas.named,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Made by `fulcrum tokens create`.' },
      },
    },
  };
}

function operation(route: Route, schemas: Schemas): Json {
  const { answer, body, scope, reach } = route;
  return {
    operationId: route.id,
    summary: route.summary,
    description: `${SCOPES[scope]}${scope === 'open' ? '' : REACHES[reach]}`,
    security: scope === 'open' ? [] : [{ bearer: [scope] }],
    'x-reach': reach,
    parameters: [...pathParameters(route, schemas), ...queryParameters(route, schemas)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: contentOf(body, schemas),
          },
        }),
    responses: {
      [String(answer.status)]: {
        description:
          answer.kind === 'lines' ? 'Newline-delimited JSON: each line is one of these.' : 'It went well.',
        content: {
          [answer.kind === 'lines' ? 'application/x-ndjson' : 'application/json']: {
            schema: schemas.of(answer.schema, 'output'),
          },
        },
      },
      ...(answer.later === undefined
        ? {}
        : {
            '202': {
              description: 'It is kept, and will be done.',
              content: { 'application/json': { schema: schemas.of(answer.later, 'output') } },
            },
          }),
      default: {
        description: 'It did not; `code` says why.',
        content: { 'application/problem+json': { schema: schemas.of(problemAnswer, 'output') } },
      },
    },
  };
}

function contentOf(body: Body, schemas: Schemas): Json {
  if (body.kind === 'tar') return { 'application/x-tar': {} };
  const own = { 'application/json': { schema: schemas.of(body.schema, 'input') } };
  if (body.kind === 'json') return own;
  // In binary mode it is any type, with the attributes in fields `ce-…`.
  return { ...own, 'application/cloudevents+json': {}, 'application/cloudevents-batch+json': {} };
}

function pathParameters({ path, params }: Route, schemas: Schemas): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema:
      name === 'app'
        ? { type: 'string', description: "The app's id: `shop`, or `shop@staging`" }
        : schemas.of(params!.shape[name!] as z.ZodType, 'output'),
  }));
}

function queryParameters({ query }: Route, schemas: Schemas): Json[] {
  return Object.entries((query?.shape ?? {}) as Record<string, z.ZodType>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    // Numbers are read from text: what comes out is what may be written.
    schema: schemas.of(schema, 'output'),
  }));
}

/** JSON Schemas, those with a name of their own kept apart. */
class Schemas {
  readonly named: Record<string, Json> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $schema, $defs, ...made } = z.toJSONSchema(schema, { io }) as Json;
    void $schema;
    for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
      this.#keep(name, definition);
    }
    const { id, ...rest } = made;
    if (typeof id !== 'string') return referring(rest);
    this.#keep(id, rest);
    return { $ref: `#/components/schemas/${id}` };
  }

  #keep(name: string, definition: Json): void {
    const { id, ...rest } = definition;
    void id;
    const made = referring(rest, name);
    const kept = (this.named[name] ??= made);
    if (JSON.stringify(kept) !== JSON.stringify(made)) {
      throw new Error(`Two schemas are called ${name}, or one is not the same going in and coming out.`);
    }
  }
}

/** `value` with its references leading to the document's own schemas; `#` alone is the schema `self`. */
function referring<T>(value: T, self?: string): T {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => {
    if (key !== '$ref' || typeof inner !== 'string') return inner;
    if (inner === '#' && self !== undefined) return `#/components/schemas/${self}`;
    return inner.replace(/^#\/\$defs\//, '#/components/schemas/');
  }) as T;
}
