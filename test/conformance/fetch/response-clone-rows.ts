import { bodies } from './response-body-rows.ts';
import { any, each, head, pairs, type Row, streamOf } from './row.ts';

/** Response: its clones. */
export const responseCloneRows: readonly Row[] = [
  {
    name: 'response clone: shows the same',
    run: ({ Response }) =>
      each(bodies(), async (body) => {
        const response = new Response(any(body), {
          status: 201,
          statusText: 'Made',
          headers: { a: '1', 'set-cookie': 'c' },
        });
        const clone = response.clone();
        return [
          head(response),
          head(clone),
          await clone.text(),
          clone.bodyUsed,
          response.bodyUsed,
          await response.text(),
        ];
      }),
  },
  {
    name: 'response clone: has headers of its own',
    run: ({ Response }) => {
      const response = new Response('x', { headers: { a: '1' } });
      const clone = response.clone();
      clone.headers.set('a', '2');
      response.headers.set('b', '3');
      return [pairs(response), pairs(clone), response.headers === clone.headers];
    },
  },
  {
    name: 'response clone: with the headers as they are now',
    run: ({ Response }) =>
      each(['x', streamOf('x')], (body) => {
        const response = new Response(body);
        response.headers.set('x-a', '1');
        return pairs(response.clone());
      }),
  },
  {
    name: 'response clone: after it was read',
    run: ({ Response }) =>
      each(['x', '', null, streamOf('x')], async (body) => {
        const response = new Response(body);
        await response.text();
        return head(response.clone());
      }),
  },
  {
    name: 'response clone: after its stream was taken but not read',
    run: async ({ Response }) => {
      const response = new Response('x');
      const stream = response.body;
      const clone = response.clone();
      return [await clone.text(), await response.text(), stream?.locked];
    },
  },
  {
    name: 'response clone: of a clone',
    run: async ({ Response }) => {
      const first = new Response(streamOf('a', 'b'));
      const second = first.clone();
      const third = second.clone();
      return [await third.text(), await first.text(), await second.text()];
    },
  },
  {
    name: 'response clone: of json, a redirect and an error',
    run: async ({ Response }) => {
      const json = Response.json({ a: 1 }, { status: 201 }).clone();
      return [
        head(json),
        await json.json(),
        head(Response.redirect('http://a.test/').clone()),
        head(Response.error().clone()),
      ];
    },
  },
  {
    name: 'response clone: none of its parts read the other',
    run: async ({ Response }) => {
      const response = new Response(Uint8Array.of(1, 2, 3));
      const clone = response.clone();
      const bytes = await response.bytes();
      bytes.fill(0);
      return [await clone.bytes(), clone.bodyUsed];
    },
  },
];
