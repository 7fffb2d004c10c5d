import { inspect } from 'node:util';
import { any, each, head, pairs, streamOf, type Row } from './row.ts';

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
    name: 'response: json of each value',
    run: ({ Response }) =>
      each(
        [
          {},
          [],
          null,
          1,
          '',
          'é\ud800',
          true,
          { a: undefined, b: [undefined] },
          new Date(0),
          { toJSON: () => 'j' },
        ],
        async (value) => {
          const response = Response.json(value);
          return [head(response), await response.text()];
        },
      ),
  },
  {
    name: 'response: json of what is none',
    run: ({ Response }) => {
      const circle: Record<string, unknown> = {};
      circle['circle'] = circle;
      const broken = {
        toJSON(): void {
          throw new RangeError('no');
        },
      };
      return each([undefined, Symbol('a'), () => 1, 1n, circle, broken], (value) => Response.json(value));
    },
  },
  { name: 'response: json of no argument', run: ({ Response }) => (Response.json as () => unknown)() },
  {
    name: 'response: json with a status',
    run: ({ Response }) =>
      each([201, 404, 204, 205, 304, 101, 600, NaN], (status) => head(Response.json({}, { status }))),
  },
  {
    name: 'response: json with headers and status text',
    run: ({ Response, Headers }) => [
      head(
        Response.json({}, { headers: { 'Content-Type': 'application/problem+json' }, statusText: 'Well' }),
      ),
      head(Response.json({}, { headers: new Headers({ 'x-a': '1' }) })),
      head(Response.json({}, {})),
      head(Response.json({}, any(null))),
    ],
  },
  {
    name: 'response: redirect to each kind of place',
    run: ({ Response }) =>
      each(
        ['http://a.test/b c', new URL('http://a.test/é'), '/relative', '', 'http://', 'about:blank', 1],
        (url) => head(Response.redirect(any(url))),
      ),
  },
  {
    name: 'response: redirect with each status',
    run: ({ Response }) =>
      each([301, 302, 303, 307, 308, 300, 304, 200, 0, NaN, '301', undefined, null], (status) =>
        head(Response.redirect('http://a.test/', any(status))),
      ),
  },
  { name: 'response: redirect to nowhere', run: ({ Response }) => (Response.redirect as () => unknown)() },
  {
    name: 'response: the headers of a redirect cannot be changed',
    run: ({ Response }) => {
      const response = Response.redirect('http://a.test/');
      const { headers } = response;
      return each(
        [
          () => headers.set('a', 'b'),
          () => headers.append('a', 'b'),
          () => headers.delete('location'),
          () => headers.set('a b', 'c'),
          () => headers.get('location'),
          () => response.clone().headers.set('a', 'b'),
          () => Object.getOwnPropertyNames(response),
          () => response.headers === headers,
        ],
        (run) => run(),
      );
    },
  },
  {
    name: 'response: made of a redirect, the headers can be changed',
    run: ({ Response }) => {
      const redirect = Response.redirect('http://a.test/', 307);
      const response = new Response(redirect.body, redirect);
      response.headers.set('set-cookie', 'a=b');
      return head(response);
    },
  },
  {
    name: 'response: that leads elsewhere by its own headers, with a stream',
    run: ({ Response }) => {
      const response = new Response(streamOf('x'), { status: 303, headers: { location: '/a' } });
      response.headers.set('location', '/b');
      response.headers.append('x-a', '1');
      return head(response);
    },
  },
  {
    name: 'response: an error',
    run: ({ Response }) => {
      const response = Response.error();
      return each(
        [() => head(response), () => response.headers.set('a', 'b'), () => new Response('x', response)],
        (run) => run(),
      );
    },
  },
  {
    name: 'response: made of another',
    run: async ({ Response }) => {
      const first = new Response('x', { status: 201, statusText: 'Made', headers: { a: '1' } });
      const second = new Response('y', first);
      const third = new Response(first.body, first);
      return [head(second), head(third), await third.text(), first.bodyUsed];
    },
  },
  {
    name: 'response: made of another with a stream',
    run: async ({ Response }) => {
      const first = new Response(streamOf('x', 'y'), { status: 202, headers: { a: '1', 'set-cookie': 'c' } });
      first.headers.append('set-cookie', 'd');
      const second = new Response(first.body, first);
      return [head(second), await second.text(), first.bodyUsed];
    },
  },
  {
    name: 'response: its tag and how it is told',
    run: ({ Response }) => {
      const response = new Response('x', { status: 201, statusText: 'Made', headers: { a: '1' } });
      return [
        Object.prototype.toString.call(response),
        String(response),
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
    name: 'response: told of a redirect and an error',
    run: ({ Response }) => [inspect(Response.redirect('http://a.test/')), inspect(Response.error())],
  },
  {
    name: 'response: the class itself',
    run: ({ Response }) => {
      const listed: string[] = [];
      for (const name in new Response()) listed.push(name);
      const members = [Object.keys(Response.prototype), Object.keys(Response), listed].map((names) =>
        names.toSorted(),
      );
      return [Response.name, Response.length, members, Response.prototype.constructor === Response];
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
        override get status(): number {
          return super.status + 1;
        }
      }
      const mine = new Mine('x', { status: 201 });
      const told = [
        mine.status,
        mine.mine,
        await mine.text(),
        mine instanceof Response,
        mine instanceof Mine,
      ];
      return [
        ...told,
        new Response() instanceof Mine,
        mine.clone instanceof Function,
        Mine.json(1) instanceof Mine,
      ];
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
