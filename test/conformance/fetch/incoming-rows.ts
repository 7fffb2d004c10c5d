import { inspect } from 'node:util';
import { any, each, type FetchSide, pairs, type Row } from './row.ts';

const METHODS = [
  'GET',
  'get',
  'Get',
  'HEAD',
  'head',
  'POST',
  'post',
  'PUT',
  'put',
  'DELETE',
  'delete',
  'OPTIONS',
  'options',
  'PATCH',
  'patch',
  'Patch',
  'PROPFIND',
  'propfind',
  'QUERY',
  'TRACE',
  'trace',
  'TRACK',
  'CONNECT',
  'connect',
  'TRACER',
  'M-SEARCH',
];
const URLS = [
  'http://app.test',
  'http://app.test/',
  'http://APP.Test/Path',
  'http://app.test:80/',
  'http://app.test:8080/a',
  'https://app.test:443/a',
  'https://app.test:80/',
  'http://app.test/a b',
  'http://app.test/a"b',
  "http://app.test/a'b?c='d'",
  'http://app.test/%7Ea/%2f',
  'http://app.test/%',
  'http://app.test/%zz',
  'http://app.test/a/../b/./c',
  'http://app.test/a/%2e%2e/b',
  'http://app.test/..',
  'http://app.test/.a/..b',
  'http://app.test//a//b',
  'http://app.test/a\\b',
  'http://app.test/?',
  'http://app.test/?a=b&c=%20+',
  'http://app.test?a',
  'http://app.test?a=/b',
  'http://app.test?a=/b/../c',
  'http://app.test/?a=/../b',
  'http://app.test/?a=<b>',
  'http://app.test/a|b^c`d{e}',
  'http://app.test/?a|b^c`d{e}',
  'http://app.test/[a]',
  'http://app.test/a;b=c,d@e:f!$&()*+',
  'http://127.1/',
  'http://[::1]:3000/',
  'http://[0:0::1]/',
  'http://0x7f.1/a',
  'http://app.test./a',
  'http://app.test/#a',
  'http://app.test/a?b#c/d',
  'http://münchen.test/',
  'http://app.test/é',
  'http://app.test/\xe9?\xe9',
  'http://app.test/a\tb',
  'http://app.test/a%00',
  'http://app.test\\a/b',
];
/** What a request shows of itself that does not depend on what was sent. */
const DEFAULTS = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
  'isHistoryNavigation',
  'isReloadNavigation',
  'bodyUsed',
] as const;

function shown(request: Request): object {
  return {
    method: request.method,
    url: request.url,
    headers: pairs(request),
    hasBody: request.body !== null,
  };
}

function withHeaders(side: FetchSide): Request {
  const headers = [
    ['Host', 'app.test'],
    ['X-A', '1'],
    ['x-a', '2'],
    ['Cookie', 'a=1'],
    ['cookie', 'b=2'],
  ] as const;
  return side.incoming({ headers });
}

/** The request that a handler is given, but for its body. */
export const incomingRows: readonly Row[] = [
  {
    name: 'incoming: each method',
    run: ({ incoming }) => each(METHODS, (method) => incoming({ method }).method),
  },
  {
    name: 'incoming: each method, seen by a clone',
    run: ({ incoming }) => each(METHODS, (method) => incoming({ method }).clone().method),
  },
  { name: 'incoming: each url', run: ({ incoming }) => each(URLS, (url) => incoming({ url }).url) },
  {
    name: 'incoming: each url, seen by a clone',
    run: ({ incoming }) => each(URLS, (url) => incoming({ url }).clone().url),
  },
  {
    name: 'incoming: the same url twice',
    run: ({ incoming }) =>
      each(['http://A.test:80/x', 'http://A.test:80/y?z'], (url) => incoming({ url }).url),
  },
  {
    name: 'incoming: asked for its headers',
    run: (side) => {
      const { headers } = withHeaders(side);
      return [
        headers.get('X-a'),
        headers.get('cookie'),
        headers.has('HOST'),
        headers.get('none'),
        [...headers.keys()],
      ];
    },
  },
  { name: 'incoming: without headers', run: ({ incoming }) => pairs(incoming()) },
  {
    name: 'incoming: its headers are the same each time',
    run: (side) => {
      const request = withHeaders(side);
      return [request.headers === request.headers, request.headers instanceof side.Headers];
    },
  },
  {
    name: 'incoming: empty and foreign header values',
    run: ({ incoming }) =>
      pairs(
        incoming({
          headers: [
            ['a', ''],
            ['b', '\xe9\xff'],
            ['b', ''],
            ['c', 'x\ty'],
          ],
        }),
      ),
  },
  {
    name: 'incoming: several cookies set',
    run: ({ incoming }) => {
      const { headers } = incoming({
        headers: [
          ['set-cookie', 'a'],
          ['Set-Cookie', 'b'],
        ],
      });
      return [headers.getSetCookie(), [...headers]];
    },
  },
  {
    name: 'incoming: changed headers',
    run: (side) => {
      const { headers } = withHeaders(side);
      headers.delete('cookie');
      headers.append('X-A', '3');
      headers.set('content-type', 'a/b');
      return [...headers];
    },
  },
  {
    name: 'incoming: headers that others guard can be changed',
    run: ({ incoming }) => {
      const { headers } = incoming({
        headers: [
          ['host', 'a'],
          ['content-length', '0'],
        ],
      });
      for (const name of ['host', 'content-length', 'connection', 'sec-fetch-mode']) headers.set(name, 'x');
      return [...headers];
    },
  },
  { name: 'incoming: a wrong header name', run: ({ incoming }) => incoming().headers.set('a b', 'c') },
  {
    name: 'incoming: changed headers are in a clone made afterwards',
    run: (side) => {
      const request = withHeaders(side);
      const before = request.clone();
      request.headers.set('x-a', 'new');
      request.headers.append('set-cookie', 'a');
      request.headers.append('set-cookie', 'b');
      return [pairs(before), pairs(request.clone()), pairs(request)];
    },
  },
  {
    name: 'incoming: the headers of a clone are its own',
    run: (side) => {
      const request = withHeaders(side);
      const clone = request.clone();
      clone.headers.set('x-a', 'clone');
      return [pairs(request), pairs(clone)];
    },
  },
  ...DEFAULTS.map((name) => ({
    name: `incoming: its ${name}`,
    run: ({ incoming }: FetchSide): unknown => [
      incoming()[name as keyof Request],
      incoming({ method: 'POST', body: 'x' })[name as keyof Request],
    ],
  })),
  {
    name: 'incoming: its signal',
    run: ({ incoming }) => {
      const request = incoming();
      const { signal } = request;
      return [signal instanceof AbortSignal, signal === request.signal, signal.aborted];
    },
  },
  {
    name: 'incoming: the signal of a clone',
    run: ({ incoming }) => {
      const request = incoming();
      const { signal } = request.clone();
      return [signal instanceof AbortSignal, signal.aborted, signal === request.signal];
    },
  },
  {
    name: 'incoming: its members cannot be set',
    run: ({ incoming }) =>
      each(['method', 'url', 'headers', 'body', 'signal', 'cache', 'mode'] as const, (name) => {
        (incoming() as unknown as Record<string, unknown>)[name] = 1;
      }),
  },
  {
    name: 'incoming: its tag and class',
    run: ({ incoming, Request }) => {
      const request = incoming();
      const { constructor } = request;
      return [
        Object.prototype.toString.call(request),
        String(any(request)),
        constructor.name,
        request instanceof Request,
        constructor === request.clone().constructor,
      ];
    },
  },
  {
    name: 'incoming: one more made by its constructor',
    run: ({ incoming }) => {
      const request = incoming({ headers: [['a', '1']] });
      return shown(new (request.constructor as typeof Request)(request));
    },
  },
  {
    name: 'incoming: it is one of Request by its prototypes',
    run: ({ incoming, Request }) => [
      Request.prototype.isPrototypeOf(incoming()),
      Request.prototype.isPrototypeOf({}),
    ],
  },
  {
    name: 'incoming: what was added to Request is there',
    run: ({ incoming, Request }) => {
      Object.defineProperty(Request.prototype, 'added', { value: 'here', configurable: true });
      const told: unknown = Reflect.get(incoming(), 'added');
      Reflect.deleteProperty(Request.prototype, 'added');
      return told;
    },
  },
  {
    name: 'incoming: its members can be listed',
    run: ({ incoming }) => {
      const names: string[] = [];
      for (const name in incoming()) names.push(name);
      return [names.toSorted(), Object.keys(incoming()), JSON.stringify(incoming())];
    },
  },
  {
    name: 'incoming: the members of its prototype',
    run: ({ incoming }) => {
      const prototype = Object.getPrototypeOf(incoming()) as Request;
      return each(
        ['method', 'url', 'headers', 'body', 'bodyUsed', 'signal', ...DEFAULTS] as const,
        (name) => prototype[name as keyof Request],
      );
    },
  },
  {
    name: 'incoming: how it is told',
    run: ({ incoming }) => {
      const request = incoming({ method: 'POST', headers: [['x-a', '1']], body: 'x' });
      request.headers.set('x-b', '2');
      return [inspect(request), inspect([incoming()])].map((text) =>
        text.replace(/signal: AbortSignal \{[^}]*\}/, 'signal'),
      );
    },
  },
  {
    name: 'incoming: how it is told after it was read',
    run: async ({ incoming }) => {
      const request = incoming({ method: 'POST', body: 'x' });
      await request.text();
      return inspect(request).replace(/signal: AbortSignal \{[^}]*\}/, 'signal');
    },
  },
  { name: 'incoming: cannot be cloned by structure', run: ({ incoming }) => structuredClone(incoming()) },
  {
    name: 'incoming: as the start of another',
    run: ({ incoming, Request }) => {
      const request = incoming({
        method: 'post',
        url: 'http://A.test/x y',
        headers: [['X-A', '1']],
        body: 'x',
      });
      return [shown(new Request(request)), request.bodyUsed];
    },
  },
  {
    name: 'incoming: as the start of another, with changed headers',
    run: (side) => {
      const request = withHeaders(side);
      request.headers.set('x-b', '3');
      request.headers.delete('cookie');
      return shown(new side.Request(request));
    },
  },
  {
    name: 'incoming: as the start of another, with an init',
    run: ({ incoming, Request, Headers }) =>
      each<RequestInit>(
        [
          { method: 'PUT' },
          { headers: new Headers({ b: '2' }) },
          { headers: {} },
          { body: 'new' },
          { redirect: 'manual' },
          { method: 'GET' },
          { cache: any('x') },
        ],
        (init) => {
          const request = new Request(incoming({ method: 'POST', headers: [['a', '1']] }), init);
          return [shown(request), request.redirect];
        },
      ),
  },
  {
    name: 'incoming: as the init of another',
    run: async ({ incoming, Request }) => {
      const request = new Request(
        'http://b.test/',
        incoming({
          method: 'POST',
          headers: [
            ['a', '1'],
            ['a', '2'],
          ],
          body: 'x',
        }),
      );
      return [shown(request), await request.text()];
    },
  },
  {
    name: 'incoming: another with its signal',
    run: ({ incoming, Request }) => {
      const signal = AbortSignal.abort();
      return new Request(incoming(), { signal }).signal.aborted;
    },
  },
  {
    name: 'incoming: as the start of one of a subclass',
    run: ({ incoming, Request }) => {
      class Mine extends Request {
        get path(): string {
          return new URL(this.url).pathname;
        }
      }
      const mine = new Mine(incoming());
      return [
        mine.path,
        mine instanceof Mine,
        mine instanceof Request,
        incoming() instanceof Mine,
        new Request('http://a.test/') instanceof Mine,
      ];
    },
  },
];
