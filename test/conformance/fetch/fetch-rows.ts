import { any, each, pairs, type Row } from './row.ts';

function shown(request: Request): object {
  return {
    method: request.method,
    url: request.url,
    headers: pairs(request),
    hasBody: request.body !== null,
  };
}

/** Request and fetch, as authors call them, with what they were given too. */
export const fetchRows: readonly Row[] = [
  {
    name: 'request: the class itself',
    run: ({ Request, incoming }) => [
      Request.name,
      Request.length,
      Object.keys(Request.prototype).toSorted(),
      new Request('http://a.test/') instanceof Request,
      incoming() instanceof Request,
      ({} as unknown) instanceof Request,
      Object.prototype.toString.call(Request),
    ],
  },
  {
    name: 'request: without new, or of nothing',
    run: ({ Request }) =>
      each(
        [() => (Request as unknown as () => void)(), () => new (Request as unknown as new () => object)()],
        (run) => run(),
      ),
  },
  {
    name: 'request: one that an author makes',
    run: async ({ Request, Headers }) => {
      const request = new Request('http://A.test/a/../b', {
        method: 'post',
        body: 'é',
        headers: new Headers({ a: '1' }),
      });
      return [shown(request), await request.text()];
    },
  },
  {
    name: 'request: places and inits that are none',
    run: ({ Request }) =>
      each<readonly unknown[]>(
        [
          ['/relative'],
          [''],
          [null],
          ['http://u:p@a.test/'],
          ['http://a.test/', { method: 'TRACE' }],
          ['http://a.test/', { method: 'a b' }],
          ['http://a.test/', { body: 'x' }],
          ['http://a.test/', 1],
          ['http://a.test/', { headers: null }],
        ],
        ([url, init]) => shown(new Request(any(url), any(init))),
      ),
  },
  { name: 'fetch: the function itself', run: ({ fetch }) => [fetch.name, fetch.length, typeof fetch] },
  {
    name: 'fetch: nowhere rejects',
    run: ({ fetch }) =>
      each(['', 'nonsense:', '/relative', 'http://u:p@a.test/'], (url) => {
        const answer = fetch(url);
        return answer;
      }),
  },
  {
    name: 'fetch: what cannot be sent rejects and does not throw',
    run: async ({ fetch, incoming }) => {
      const request = incoming({ method: 'POST', body: 'x' });
      await request.text();
      let thrown = false;
      let answer: Promise<Response> | null = null;
      try {
        answer = fetch(request);
      } catch {
        thrown = true;
      }
      return [thrown, await each([answer], (pending) => pending)];
    },
  },
  {
    name: 'fetch: an incoming request passed on',
    run: async ({ fetch, incoming, echoUrl }) => {
      const request = incoming({
        method: 'POST',
        url: echoUrl,
        headers: [
          ['X-A', '1'],
          ['content-type', 'a/b'],
        ],
        body: 'hello',
      });
      const answer = await fetch(request);
      return [await answer.json(), request.bodyUsed];
    },
  },
  {
    name: 'fetch: one without body passed on',
    run: async ({ fetch, incoming, echoUrl }) =>
      (await fetch(incoming({ method: 'DELETE', url: echoUrl, headers: [['x-a', '1']] }))).json(),
  },
  {
    name: 'fetch: one with changed headers passed on',
    run: async ({ fetch, incoming, echoUrl }) => {
      const request = incoming({
        url: echoUrl,
        headers: [
          ['x-a', '1'],
          ['x-b', '2'],
        ],
      });
      request.headers.set('x-a', 'new');
      request.headers.delete('x-b');
      request.headers.append('x-c', '3');
      return (await fetch(request)).json();
    },
  },
  {
    name: 'fetch: one with an init',
    run: async ({ fetch, incoming, echoUrl, Headers }) => {
      const request = incoming({ method: 'POST', url: echoUrl, headers: [['x-a', '1']], body: 'old' });
      return (
        await fetch(request, { method: 'PUT', body: 'new', headers: new Headers({ 'x-b': '2' }) })
      ).json();
    },
  },
  {
    name: 'fetch: elsewhere, with one as the init',
    run: async ({ fetch, incoming, echoUrl }) =>
      (await fetch(echoUrl, incoming({ method: 'POST', headers: [['x-a', '1']], body: 'hello' }))).json(),
  },
  {
    name: 'fetch: with the body of a response',
    run: async ({ fetch, Response, echoUrl }) => {
      const { body } = new Response('hello');
      return (await fetch(echoUrl, { method: 'POST', body, duplex: 'half' })).json();
    },
  },
  {
    name: 'fetch: what it answers is a response with headers',
    run: async ({ fetch, Response, Headers, echoUrl }) => {
      const answer = await fetch(echoUrl);
      const told = [
        answer instanceof Response,
        answer.headers instanceof Headers,
        answer.constructor.name,
        answer.headers.get('content-type'),
      ];
      const made = new Response(answer.body, answer);
      return [told, made.status, made.headers.get('content-type'), made.url, await made.json()];
    },
  },
  {
    name: 'fetch: what it answers given an init of more',
    run: async ({ fetch, Response, Headers, echoUrl }) => {
      const answer = await fetch(echoUrl);
      const headers = new Headers(answer.headers);
      headers.set('x-a', '1');
      const made = new Response(answer.body, { status: 203, headers });
      return [made.status, made.headers.get('x-a'), made.headers.get('content-type'), await made.json()];
    },
  },
];
