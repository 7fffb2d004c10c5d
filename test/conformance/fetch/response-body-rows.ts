import {
  any,
  drained,
  each,
  type FetchSide,
  fields,
  head,
  joined,
  pairs,
  type Row,
  streamOf,
} from './row.ts';

const READS = ['text', 'json', 'arrayBuffer', 'bytes', 'blob', 'formData'] as const;
const BOM = '\ufeff';

function buffer(): ArrayBuffer {
  return Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer;
}

/** One of each kind of body. */
export function bodies(): unknown[] {
  const form = new URLSearchParams([
    ['a', 'b c'],
    ['é', '&'],
  ]);
  return ['é{}', '', null, form, new Blob(['"b"']), new Uint8Array([0x31, 0x32]), streamOf('[', '1]'), 12];
}

async function readAs(response: Response, how: (typeof READS)[number]): Promise<unknown> {
  const result: unknown = await response[how]();
  if (result instanceof FormData) return fields(result);
  if (result instanceof Blob) return [result.type, result.size, await result.text()];
  return result;
}

/** Response: its body, in every way that it is given and read. */
export const responseBodyRows: readonly Row[] = [
  ...READS.map((how) => ({
    name: `response body: each kind as ${how}`,
    run: ({ Response }: FetchSide): unknown => each(bodies(), (body) => readAs(new Response(any(body)), how)),
  })),
  ...READS.map((how) => ({
    name: `response body: read again after ${how}`,
    run: ({ Response }: FetchSide): unknown =>
      each(READS, async (again) => {
        const response = new Response('{}', {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
        const before = response.bodyUsed;
        const reading = response[how]();
        const used = [before, response.bodyUsed];
        await reading;
        return [used, await each([again], (name) => readAs(response, name)), response.bodyUsed];
      }),
  })),
  {
    name: 'response body: none can be read again and again',
    run: ({ Response }) =>
      each(READS, async (how) => {
        const response = new Response(null);
        const first = await each([how, how], (name) => readAs(response, name));
        return [first, response.bodyUsed, response.body];
      }),
  },
  {
    name: 'response body: an empty text can be read once',
    run: async ({ Response }) => {
      const response = new Response('');
      return [
        await response.text(),
        response.bodyUsed,
        await each(['text'] as const, (how) => response[how]()),
      ];
    },
  },
  {
    name: 'response body: views of a part of a buffer',
    run: ({ Response }) =>
      each(
        [
          new Uint8Array(buffer(), 2, 3),
          new Uint16Array(buffer(), 2, 2),
          new DataView(buffer(), 1, 4),
          new Float64Array(buffer()),
          new BigInt64Array(buffer()),
          Buffer.from('pooled').subarray(2),
          new Uint8Array(0),
          buffer(),
          new ArrayBuffer(0),
        ],
        async (body) => {
          const response = new Response(any(body));
          return [
            await response.clone().bytes(),
            await response.clone().arrayBuffer(),
            (await response.blob()).size,
          ];
        },
      ),
  },
  {
    name: 'response body: buffers that are shared, resizable or gone',
    run: ({ Response }) => {
      const gone = new ArrayBuffer(4);
      structuredClone(gone, { transfer: [gone] });
      return each(
        [
          new SharedArrayBuffer(2),
          new ArrayBuffer(2, { maxByteLength: 4 }),
          new Uint8Array(new ArrayBuffer(2, { maxByteLength: 4 })),
          gone,
        ],
        async (body) => new Response(any(body)).text(),
      );
    },
  },
  {
    name: 'response body: a view of a buffer that is gone',
    run: ({ Response }) => {
      const view = new Uint8Array(4);
      structuredClone(view.buffer, { transfer: [view.buffer] });
      return new Response(view).bytes();
    },
  },
  {
    name: 'response body: what its bytes become afterwards does not show',
    run: async ({ Response }) => {
      const bytes = Uint8Array.of(1, 2, 3);
      const [one, two] = [new Response(bytes), new Response(bytes.buffer)];
      bytes.fill(9);
      return [await one.bytes(), await two.bytes()];
    },
  },
  {
    name: 'response body: what was read of it is a copy',
    run: async ({ Response }) => {
      const response = new Response(Uint8Array.of(1, 2, 3));
      const clone = response.clone();
      (await response.bytes()).fill(9);
      return clone.bytes();
    },
  },
  {
    name: 'response body: bytes are a plain array in a buffer of their own',
    run: async ({ Response }) => {
      const bytes = await new Response('abc').bytes();
      const { byteLength } = await new Response('abc').arrayBuffer();
      return [bytes.constructor === Uint8Array, bytes.byteOffset, bytes.buffer.byteLength, byteLength];
    },
  },
  {
    name: 'response body: byte order marks',
    run: ({ Response }) =>
      each(
        [`${BOM}a`, `a${BOM}`, BOM, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), Uint8Array.of(0xef, 0xbb)],
        async (body) => [
          await new Response(body).text(),
          await new Response(body).bytes(),
          await new Response(new Blob([body])).text(),
        ],
      ),
  },
  {
    name: 'response body: two byte order marks',
    run: ({ Response }) => new Response(`${BOM}${BOM}a`).text(),
    differs: 'the standard takes one away, Node takes two',
    ours: `${BOM}a`,
  },
  {
    name: 'response body: a view of memory that is shared',
    run: ({ Response }) => new Response(any(new Uint8Array(new SharedArrayBuffer(2)))).bytes(),
    differs: 'Node sends the numbers as text, which nobody means; the standard refuses; ours sends the bytes',
    ours: new Uint8Array(2),
  },
  {
    name: 'response body: json after a byte order mark',
    run: ({ Response }) => each([`${BOM}{"a":1}`, `a${BOM}`], (body) => new Response(body).json()),
  },
  {
    name: 'response body: lone surrogates and bytes that are no text',
    run: ({ Response }) =>
      each(
        [
          '\ud800',
          'a\udc00b',
          '\ud83d\ude00',
          Uint8Array.of(0xff, 0x61),
          Uint8Array.of(0xe2, 0x98),
          Uint8Array.of(0xed, 0xa0, 0x80),
        ],
        async (body) => [
          await new Response(body).text(),
          await new Response(body).bytes(),
          await new Response(new Blob([body])).text(),
        ],
      ),
  },
  {
    name: 'response body: json that is none',
    run: ({ Response }) =>
      each(['', '{', 'undefined', "{'a':1}", '1 2', '\xa01', 'NaN'], (body) => new Response(body).json()),
  },
  {
    name: 'response body: json that is some',
    run: ({ Response }) =>
      each([' 1 ', '"é"', '{"__proto__":1}', '[1,[2]]', 'null'], (body) => new Response(body).json()),
  },
  {
    name: 'response body: the type of its blob',
    run: ({ Response }) =>
      each(
        ['text/html', 'TEXT/HTML; Charset=UTF-8', 'nonsense', '', 'a/b; c="d e"', 'text/plain, text/html'],
        async (type) => {
          const named = new Response('x', { headers: { 'content-type': type } });
          return [(await named.blob()).type, (await new Response('x').blob()).type];
        },
      ),
  },
  {
    name: 'response body: the type of its blob after that was set or deleted',
    run: async ({ Response }) => {
      const [changed, deleted, stream] = [new Response('x'), new Response('x'), new Response(streamOf('x'))];
      changed.headers.set('content-type', 'a/b');
      deleted.headers.delete('content-type');
      stream.headers.set('content-type', 'c/d');
      const types = [changed, deleted, stream].map(async (response) => (await response.blob()).type);
      return Promise.all(types);
    },
  },
  {
    name: 'response body: a type that was deleted stays so in a clone and after the body was taken',
    run: ({ Response }) => {
      const response = new Response('x');
      response.headers.delete('content-type');
      const clone = response.clone();
      void response.body;
      return [pairs(response), pairs(clone), pairs(response.clone())];
    },
  },
  {
    name: 'response body: a form in each way it is sent',
    run: ({ Response }) => {
      const multipart = [
        '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n',
        '--b\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\ncontent-type: text/x\r\n\r\nhello\r\n--b--\r\n',
      ].join('');
      return each(
        [
          ['a=1&b=%20+&a=', 'application/x-www-form-urlencoded'],
          ['', 'application/x-www-form-urlencoded'],
          ['a=1', 'application/x-www-form-urlencoded; charset=utf-8'],
          [multipart, 'multipart/form-data; boundary=b'],
          [multipart, 'multipart/form-data; boundary=c'],
          [multipart, 'multipart/form-data'],
          ['a=1', 'text/plain'],
          ['a=1', ''],
        ] as const,
        async ([body, type]) =>
          fields(await new Response(body, { headers: { 'content-type': type } }).formData()),
      );
    },
  },
  {
    name: 'response body: a form through and back',
    run: async ({ Response }) => {
      const form = new FormData();
      form.append('a', 'é\r\n"');
      form.append('f', new File(['x'], 'n.txt', { type: 'text/x' }));
      return fields(await new Response(form).formData());
    },
  },
  {
    name: 'response body: as a stream',
    run: ({ Response }) =>
      each(bodies(), async (body) => {
        const response = new Response(any(body));
        const stream = response.body;
        const same = stream === response.body;
        const used = response.bodyUsed;
        const text = await drained(stream);
        return [same, used, text, response.bodyUsed, stream?.locked];
      }),
  },
  {
    name: 'response body: the stream gives plain arrays',
    run: async ({ Response }) => {
      const reader = new Response('abc').body!.getReader();
      const { value } = await reader.read();
      return [value?.constructor === Uint8Array, value];
    },
  },
  {
    name: 'response body: read by bytes into a buffer of the reader',
    run: async ({ Response }) => {
      const { value } = await new Response('abc').body!.getReader({ mode: 'byob' }).read(new Uint8Array(8));
      return value;
    },
  },
  {
    name: 'response body: the stream after it was read',
    run: async ({ Response }) => {
      const response = new Response('x');
      await response.text();
      return [response.body !== null, response.bodyUsed, response.body?.locked];
    },
  },
  {
    name: 'response body: locked, it cannot be read or cloned',
    run: ({ Response }) => {
      const response = new Response('x');
      response.body?.getReader();
      return each(
        [
          () => response.text(),
          () => response.blob(),
          () => response.clone(),
          () => response.bodyUsed,
          () => new Response(response.body),
        ],
        (run) => run(),
      );
    },
  },
  {
    name: 'response body: cancelled, it counts as used',
    run: async ({ Response }) => {
      const response = new Response('x');
      await response.body?.cancel();
      return [response.bodyUsed, await each([0], () => response.text())];
    },
  },
  {
    name: 'response body: a stream with chunks that are no bytes',
    run: ({ Response }) =>
      each(['text', 1, null, [1]], (chunk) =>
        new Response(ReadableStream.from([chunk]) as ReadableStream).text(),
      ),
  },
  {
    name: 'response body: a stream that fails',
    run: ({ Response }) =>
      each(READS, (how) => {
        const failing = new ReadableStream({
          start: (controller) => controller.error(new RangeError('broken')),
        });
        return new Response(failing, { headers: { 'content-type': 'multipart/form-data; boundary=b' } })[
          how
        ]();
      }),
  },
  {
    name: 'response body: a stream that is used or locked already',
    run: async ({ Response }) => {
      const [used, locked] = [streamOf('x'), streamOf('x')];
      await drained(used);
      locked.getReader();
      return each([used, locked], (stream) => head(new Response(stream)));
    },
  },
  {
    name: 'response body: what can be iterated asynchronously',
    run: ({ Response }) =>
      new Response(
        any(
          (async function* () {
            yield new TextEncoder().encode('a');
            yield new TextEncoder().encode('b');
          })(),
        ),
      ).text(),
  },
  {
    name: 'response body: a stream of text',
    run: ({ Response }) =>
      each(['é', `${BOM}a`, '', null, streamOf('a', 'b'), Uint8Array.of(0xff)], async (body) => {
        const response = new Response(body);
        const stream = response.textStream();
        const used = response.bodyUsed;
        return [used, await joined(stream), response.bodyUsed];
      }),
  },
  {
    name: 'response body: a stream of text after it was read',
    run: async ({ Response }) => {
      const response = new Response('a');
      await response.text();
      return response.textStream();
    },
  },
];
