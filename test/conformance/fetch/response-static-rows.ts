import { inspect } from 'node:util';
import { any, each, head, type Row, streamOf } from './row.ts';

/** Response: json, redirect and error, and those made of others. */
export const responseStaticRows: readonly Row[] = [
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
    name: 'response: told of a redirect and an error',
    run: ({ Response }) => [inspect(Response.redirect('http://a.test/')), inspect(Response.error())],
  },
];
