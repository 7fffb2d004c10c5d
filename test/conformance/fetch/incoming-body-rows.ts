import { drained, each, fields, joined, pairs, type FetchSide, type Row } from './row.ts';

const READS = ['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData'] as const;
const FORM = [['content-type', 'application/x-www-form-urlencoded']] as const;
const MULTIPART = [['Content-Type', 'multipart/form-data; boundary="b"']] as const;
const PARTS = [
  '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n',
  '--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\nContent-Type: text/x\r\n\r\nhello\r\n--b--\r\n',
].join('');

function post(
  side: FetchSide,
  body: string | Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
): Request {
  return side.incoming({ method: 'POST', body, headers });
}

async function readAs(request: Request, how: (typeof READS)[number]): Promise<unknown> {
  const result: unknown = await request[how]();
  if (result instanceof FormData) return fields(result);
  if (result instanceof Blob) return [result.type, result.size, await result.text()];
  return result;
}

/** The body of the request that a handler is given. */
export const incomingBodyRows: readonly Row[] = [
  ...READS.map((how) => ({
    name: `incoming body: as ${how}`,
    run: (side: FetchSide): unknown =>
      each(['a=1&b=é', '{"a":[1]}', '\ufeff1', Uint8Array.of(0xff, 0, 0xe2), ''], (body) =>
        readAs(post(side, body, FORM), how),
      ),
  })),
  ...READS.map((how) => ({
    name: `incoming body: none, as ${how}`,
    run: ({ incoming }: FetchSide): unknown =>
      each(['GET', 'HEAD', 'POST', 'DELETE'], async (method) => {
        const request = incoming({ method });
        const first = await each([how, how], (name) => readAs(request, name));
        return [first, request.bodyUsed, request.body];
      }),
  })),
  ...READS.map((how) => ({
    name: `incoming body: read again after ${how}`,
    run: (side: FetchSide): unknown =>
      each(READS, async (again) => {
        const request = post(side, '1', FORM);
        const before = request.bodyUsed;
        const reading = request[how]();
        const used = request.bodyUsed;
        await reading;
        return [before, used, await each([again], (name) => readAs(request, name)), request.bodyUsed];
      }),
  })),
  {
    name: 'incoming body: one that GET and HEAD may not have',
    run: ({ incoming }) =>
      each(['GET', 'HEAD'], async (method) => {
        const request = incoming({ method, body: 'x' });
        return [request.body, await request.text(), request.bodyUsed];
      }),
  },
  {
    name: 'incoming body: of each method that has one',
    run: ({ incoming }) =>
      each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'], (method) =>
        incoming({ method, body: 'x' }).text(),
      ),
  },
  {
    name: 'incoming body: json that is none',
    run: (side) => each(['', '{', 'undefined', '1 2'], (body) => post(side, body).json()),
  },
  {
    name: 'incoming body: two byte order marks',
    run: (side) => post(side, '\ufeff\ufeffa').text(),
    differs: 'the standard takes one away, Node takes two',
    ours: '\ufeffa',
  },
  {
    name: 'incoming body: after json failed',
    run: async (side) => {
      const request = post(side, '{');
      return [await each([0], () => request.json()), request.bodyUsed, await each([0], () => request.text())];
    },
  },
  {
    name: 'incoming body: bytes that are no text, and marks',
    run: (side) =>
      each(
        [
          Uint8Array.of(0xef, 0xbb, 0xbf, 0x61),
          Uint8Array.of(0xef, 0xbb),
          Uint8Array.of(0xed, 0xa0, 0x80),
          Uint8Array.of(0xf0, 0x9f, 0x98, 0x80),
        ],
        (body) => post(side, body).text(),
      ),
  },
  {
    name: 'incoming body: bytes are a plain array in a buffer of their own',
    run: async (side) => {
      const bytes = await post(side, 'abc').bytes();
      const { byteLength } = await post(side, 'abc').arrayBuffer();
      return [bytes.constructor === Uint8Array, bytes.byteOffset, bytes.buffer.byteLength, byteLength];
    },
  },
  {
    name: 'incoming body: the type of its blob',
    run: (side) =>
      each(
        ['a/b', 'TEXT/HTML;charset=x', 'nonsense'],
        async (type) => (await post(side, 'x', [['content-type', type]]).blob()).type,
      ),
  },
  {
    name: 'incoming body: the type of its blob after that was changed',
    run: async (side) => {
      const [changed, deleted] = [post(side, 'x', FORM), post(side, 'x', FORM)];
      changed.headers.set('content-type', 'a/b');
      deleted.headers.delete('content-type');
      return [(await changed.blob()).type, (await deleted.blob()).type];
    },
  },
  {
    name: 'incoming body: a form in parts',
    run: (side) =>
      each([PARTS, PARTS.slice(0, -6), '', 'nonsense'], (body) =>
        readAs(post(side, body, MULTIPART), 'formData'),
      ),
  },
  {
    name: 'incoming body: a form without or with a wrong type',
    run: (side) =>
      each(
        [[], [['content-type', 'text/plain']], [['content-type', 'multipart/form-data']]] as const,
        (headers) => readAs(post(side, 'a=1', headers), 'formData'),
      ),
  },
  {
    name: 'incoming body: a form after its type was changed',
    run: (side) => {
      const request = post(side, 'a=1&a=2', [['content-type', 'text/plain']]);
      request.headers.set('content-type', FORM[0][1]);
      return readAs(request, 'formData');
    },
  },
  {
    name: 'incoming body: as a stream',
    run: async (side) => {
      const request = post(side, 'hello');
      const { body } = request;
      const before = [request.bodyUsed, body === request.body, body?.locked];
      return [before, await drained(body), request.bodyUsed, await each([0], () => request.text())];
    },
  },
  {
    name: 'incoming body: a stream that was begun',
    run: async (side) => {
      const request = post(side, 'hello');
      const reader = request.body!.getReader();
      await reader.read();
      reader.releaseLock();
      return [
        request.bodyUsed,
        request.body?.locked,
        await each(READS, (how) => request[how]()),
        await each([0], () => request.clone()),
      ];
    },
  },
  {
    name: 'incoming body: a stream that is locked',
    run: (side) => {
      const request = post(side, 'hello');
      request.body?.getReader();
      return each(
        [
          () => request.text(),
          () => request.clone(),
          () => new side.Request(request),
          () => request.bodyUsed,
        ],
        (run) => run(),
      );
    },
  },
  {
    name: 'incoming body: a stream that is cancelled',
    run: async (side) => {
      const request = post(side, 'hello');
      await request.body?.cancel();
      return [request.bodyUsed, await each([0], () => request.text())];
    },
  },
  {
    name: 'incoming body: the stream after it was read',
    run: async (side) => {
      const request = post(side, 'hello');
      await request.text();
      return [request.body !== null, request.bodyUsed, request.body?.locked, pairs(request)];
    },
  },
  {
    name: 'incoming body: taken, then read whole',
    run: async (side) => {
      const request = post(side, 'hello');
      const { body } = request;
      return [await request.text(), body?.locked, request.bodyUsed];
    },
  },
  {
    name: 'incoming body: a stream of text',
    run: (side) =>
      each(['hé', '\ufeffa', ''], async (body) => {
        const request = post(side, body);
        const text = await joined(request.textStream());
        return [text, request.bodyUsed];
      }),
  },
  {
    name: 'incoming body: a stream of text where there is none',
    run: async ({ incoming }) => await joined(incoming().textStream()),
  },
  {
    name: 'incoming body: a stream of text after it was read',
    run: async (side) => {
      const request = post(side, 'a');
      await request.text();
      return request.textStream();
    },
  },
  {
    name: 'incoming body: as the body of a response',
    run: async (side) => {
      const request = post(side, 'hello');
      const response = new side.Response(request.body, { headers: request.headers });
      return [pairs(response), await response.text(), request.bodyUsed];
    },
  },
  {
    name: 'incoming clone: both can be read',
    run: async (side) => {
      const request = post(side, 'hello', FORM);
      const clone = request.clone();
      const used = [request.bodyUsed, clone.bodyUsed];
      return [
        used,
        pairs(clone),
        await clone.text(),
        request.bodyUsed,
        await request.bytes(),
        clone instanceof side.Request,
      ];
    },
  },
  {
    name: 'incoming clone: after it was read',
    run: async (side) => {
      const request = post(side, 'hello');
      await request.arrayBuffer();
      return request.clone();
    },
  },
  {
    name: 'incoming clone: of one without body',
    run: async ({ incoming }) => {
      const request = incoming();
      await request.text();
      const clone = request.clone();
      return [clone.body, await clone.text(), clone.method];
    },
  },
  {
    name: 'incoming clone: of a clone',
    run: async (side) => {
      const request = post(side, 'hello');
      const second = request.clone();
      const third = second.clone();
      return [await third.text(), await second.text(), await request.text()];
    },
  },
  {
    name: 'incoming clone: after its stream was taken',
    run: async (side) => {
      const request = post(side, 'hello');
      const { body } = request;
      const clone = request.clone();
      return [await clone.text(), await request.text(), body?.locked];
    },
  },
  {
    name: 'incoming body: gone over to another request',
    run: async (side) => {
      const request = post(side, 'hello', FORM);
      const other = new side.Request(request);
      const told = [request.bodyUsed, other.bodyUsed, await other.text(), other.bodyUsed];
      return [told, await each([0], () => request.text())];
    },
  },
  {
    name: 'incoming body: stays where another request is given its own',
    run: async (side) => {
      const request = post(side, 'hello');
      const other = new side.Request(request, { body: 'other' });
      return [await other.text(), request.bodyUsed, await each([0], () => request.text())];
    },
  },
  {
    name: 'incoming body: read, it cannot go over to another request',
    run: async (side) => {
      const request = post(side, 'hello');
      await request.text();
      return new side.Request(request);
    },
  },
  {
    name: 'incoming body: read, and yet another request with its own body',
    run: async (side) => {
      const request = post(side, 'hello', FORM);
      await request.text();
      const other = new side.Request(request, { body: 'other' });
      return [await other.text(), pairs(other)];
    },
  },
  {
    name: 'incoming body: methods of others',
    run: ({ Request }) => each(READS, (how) => Request.prototype[how].call({} as Request)),
  },
  {
    name: 'incoming body: a long one',
    run: async (side) => {
      const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
      return (await post(side, bytes).bytes()).every((byte, i) => byte === i % 251);
    },
  },
];
