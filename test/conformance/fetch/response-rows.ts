import { inspect } from 'node:util';
import { any, each, head, pairs, type Row, streamOf } from './row.ts';

const STATUSES = [
  199, 200, 204, 205, 206, 299, 300, 304, 399, 404, 500, 599, 600, 101, 103, 100, 0, -1, 1000, 65736,
  4294967496,
];
const ODD_STATUSES = [
  '201',
  '',
  'x',
  NaN,
  Infinity,
  200.9,
  599.5,
  null,
  undefined,
  true,
  [202],
  {},
  200n,
  Symbol('a'),
];
const REASONS = [
  '',
  'OK',
  'a b',
  '\t',
  'é',
  '\xff',
  '\n',
  '\r',
  '\0',
  '\x7f',
  '☃',
  'ÿ\x80',
  null,
  undefined,
  1,
  {},
  Symbol('a'),
];

/** Response: how it is made, and what it shows but for its body. */
export const responseRows: readonly Row[] = [
  {
    name: 'response: of nothing',
    run: ({ Response }) => [head(new Response()), head(new Response(undefined, undefined))],
  },
  {
    name: 'response: each status, with and without body',
    run: ({ Response }) => each(STATUSES, (status) => [head(new Response(null, { status })), status]),
  },
  {
    name: 'response: each status with a body',
    run: ({ Response }) => each(STATUSES, (status) => head(new Response('x', { status }))),
  },
  {
    name: 'response: each status with an empty body',
    run: ({ Response }) => each([200, 204, 205, 304, 101], (status) => head(new Response('', { status }))),
  },
  {
    name: 'response: no body for a status that has none, in every kind of it',
    run: ({ Response }) =>
      each([undefined, new Uint8Array(0), new URLSearchParams(), new Blob([])], (body) =>
        head(new Response(body, { status: 204 })),
      ),
  },
  {
    name: 'response: a status that is no whole number',
    run: ({ Response }) => each(ODD_STATUSES, (status) => new Response('x', { status: any(status) }).status),
  },
  {
    name: 'response: each status text',
    run: ({ Response }) =>
      each(REASONS, (statusText) => new Response('x', { statusText: any(statusText) }).statusText),
  },
  {
    name: 'response: an init that is none',
    run: ({ Response }) =>
      each([null, undefined, 1, 'x', true, [], () => 1, Symbol('a')], (init) =>
        head(new Response('x', any(init))),
      ),
  },
  {
    name: 'response: an init that inherits, or reads when asked',
    run: ({ Response }) => {
      class Init {
        get status(): number {
          return 201;
        }
        get headers(): object {
          return { a: 'b' };
        }
      }
      return [
        head(new Response('x', any(new Init()))),
        head(new Response('x', any(Object.create({ status: 202 })))),
      ];
    },
  },
  {
    name: 'response: headers of every kind',
    run: ({ Response, Headers }) =>
      each(
        [
          { A: '1' },
          [['a', '1']],
          new Headers({ a: '1' }),
          new Map([['a', '1']]),
          {},
          null,
          1,
          'ab',
          [['a']],
        ],
        (headers) => head(new Response('x', { headers: any(headers) })),
      ),
  },
  {
    name: 'response: headers that are none',
    run: ({ Response }) =>
      each([{ 'a b': 'c' }, { a: 'b\nc' }, { a: '☃' }], (headers) => head(new Response('x', { headers }))),
  },
  {
    name: 'response: its headers are its own, and the same each time',
    run: ({ Response, Headers }) => {
      const headers = new Headers({ a: '1' });
      const response = new Response(null, { headers });
      headers.set('a', '2');
      response.headers.append('b', '3');
      return [pairs(headers), pairs(response), response.headers === response.headers];
    },
  },
  {
    name: 'response: several cookies',
    run: ({ Response }) => {
      const response = new Response(null, { headers: { 'set-cookie': 'a=1' } });
      response.headers.append('set-cookie', 'b=2');
      return [response.headers.getSetCookie(), pairs(response)];
    },
  },
  {
    name: 'response: the type of each kind of body',
    run: ({ Response }) =>
      each(
        [
          '',
          'x',
          new URLSearchParams('a=b'),
          new Blob(['x']),
          new Blob(['x'], { type: 'Image/PNG' }),
          new ArrayBuffer(1),
          new Uint8Array(1),
          new DataView(new ArrayBuffer(1)),
          streamOf('x'),
          null,
          undefined,
          1,
          {},
          true,
          ['a', 'b'],
          new Date(NaN),
          new String('x'),
        ],
        (body) => head(new Response(any(body))),
      ),
  },
  {
    name: 'response: the type of a form',
    run: ({ Response }) => {
      const form = new FormData();
      form.set('a', 'b');
      const type = new Response(form).headers.get('content-type') ?? '';
      return /^multipart\/form-data; boundary=[-\w]+$/.test(type);
    },
  },
  {
    name: 'response: a type that is named wins over that of the body',
    run: ({ Response }) =>
      each([{ 'content-type': 'a/b' }, { 'CONTENT-TYPE': '' }, { 'Content-Type': ' c/d ' }], (headers) =>
        [new Response('x', { headers }), new Response(new Blob(['x'], { type: 'e/f' }), { headers })].map(
          pairs,
        ),
      ),
  },
  { name: 'response: of a symbol', run: ({ Response }) => new Response(any(Symbol('a'))) },
  {
    name: 'response: what is ok',
    run: ({ Response }) =>
      [200, 204, 299, 300, 304, 400, 500].map((status) => new Response(null, { status }).ok),
  },
  {
    name: 'response: its members cannot be set',
    run: ({ Response }) =>
      each(['status', 'ok', 'headers', 'body', 'bodyUsed', 'type', 'url'] as const, (name) => {
        Reflect.set(new Response('x'), name, 1);
        (new Response('x') as unknown as Record<string, unknown>)[name] = 1;
      }),
  },
  {
    name: 'response: its tag and how it is told',
    run: ({ Response }) => {
      const response = new Response('x', { status: 201, statusText: 'Made', headers: { a: '1' } });
      return [
        Object.prototype.toString.call(response),
        String(any(response)),
        inspect(response),
        inspect([response], { depth: 0 }),
      ];
    },
  },
  {
    name: 'response: told without body',
    run: ({ Response }) => inspect({ a: new Response(null, { status: 204 }) }, { depth: 5 }),
  },
  {
    name: 'response: the class itself',
    run: ({ Response }) => {
      const listed: string[] = [];
      for (const name in new Response()) listed.push(name);
      const members = [Object.keys(Response.prototype), Object.keys(Response), listed].map((names) =>
        names.toSorted(),
      );
      return [Response.name, Response.length, members, new Response().constructor.name];
    },
  },
  {
    name: 'response: the lengths of the methods',
    run: ({ Response }) => [
      Response.json.length,
      Response.redirect.length,
      Response.error.length,
      ...(['text', 'json', 'clone', 'bytes', 'formData'] as const).map(
        (name) => Response.prototype[name].length,
      ),
    ],
  },
  {
    name: 'response: members of others, and the class without new',
    run: ({ Response }) => {
      const status = Object.getOwnPropertyDescriptor(Response.prototype, 'status')!.get!;
      return each(
        [
          () => status.call({}),
          () => Response.prototype.status,
          () => Response.prototype.text.call(any({})),
          () => Response.prototype.clone.call(any({})),
          () => (Response as unknown as () => void)(),
        ],
        (run) => run(),
      );
    },
  },
  {
    name: 'response: instanceof for what is and what is not',
    run: ({ Response }) =>
      [new Response(), Response.json(1), Response.error(), {}, null].map(
        (value) => value instanceof Response,
      ),
  },
  {
    name: 'response: a subclass',
    run: async ({ Response }) => {
      class Mine extends Response {
        mine = 1;
      }
      Object.defineProperty(Mine.prototype, 'ok', { get: () => 'overridden' });
      const mine = new Mine('x', { status: 201 });
      const told = [
        mine.status,
        mine.ok,
        mine.mine,
        await mine.text(),
        mine instanceof Response,
        mine instanceof Mine,
      ];
      return [...told, new Response() instanceof Mine, typeof mine.clone, Mine.json(1) instanceof Mine];
    },
  },
  {
    name: 'response: the clone of one of a subclass',
    run: ({ Response }) => {
      class Mine extends Response {}
      return new Mine('x').clone() instanceof Mine;
    },
  },
  {
    name: 'response: cannot be cloned by structure',
    run: ({ Response }) => structuredClone(new Response('x')),
  },
  {
    name: 'response: to plain data',
    run: ({ Response }) => [
      JSON.stringify(new Response('x')),
      Object.keys(new Response('x')),
      Reflect.ownKeys(Response.error()),
    ],
  },
  {
    name: 'response: WebAssembly takes it',
    run: async ({ Response }) => {
      const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
      const { WebAssembly } = globalThis as unknown as {
        WebAssembly: { compileStreaming(source: unknown): Promise<object> };
      };
      return each(['application/wasm', 'text/plain'], async (type) => {
        const response = new Response(wasm, { headers: { 'content-type': type } });
        return Object.prototype.toString.call(await WebAssembly.compileStreaming(response));
      });
    },
  },
];
