import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  ask,
  FastBody,
  TestInvocation,
  TRACEPARENT,
  type Answer,
  type AskOptions,
  type CreateRuntime,
} from './bench.ts';
import { Bound, type Arrangement } from './bound.ts';

const MB = 1024 * 1024;

interface Told {
  answered?: {
    status: number;
    url: string;
    type: string;
    isResponse: boolean;
    headers: [string, string][];
    hasBody: boolean;
    text: string;
  };
  caught?: { name: string; message: string; code?: string; cause?: string[] };
}

interface Seen {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

/** Requests from one component to another through its service binding: the same whether a process holds both or one. */
export function bindingConformance(create: CreateRuntime): void {
  for (const arrangement of ['apart', 'joined'] as const) bindingsOf(create, arrangement);
}

function bindingsOf(create: CreateRuntime, arrangement: Arrangement): void {
  describe(`service bindings, components ${arrangement}`, () => {
    let bound: Bound;
    let close = async (): Promise<void> => {};
    before(async () => {
      bound = await Bound.open({ after: (work) => void (close = work) }, create, arrangement);
    });
    after(() => close());

    const of = (requestId = 'r_test'): TestInvocation => new TestInvocation(requestId, 60_000, 'shop');
    const send = (path: string, options: AskOptions = {}): Answer =>
      ask(bound.caller, path, { invocation: of(), ...options });
    const get = async (path: string, invocation = of()): Promise<unknown> =>
      send(path, { invocation }).json();
    const told = async (input: string, to = 'catalog'): Promise<Told> =>
      (await get(`/ask?input=${input}&to=${to}`)) as Told;
    const seen = async (input: string): Promise<Seen & { length: string | undefined }> => {
      const { answered, caught } = await told(input);
      assert.equal(caught, undefined, input);
      const request = JSON.parse(answered!.text) as Seen;
      return { ...request, length: new Map(request.headers).get('content-length') };
    };

    test('an environment has the components that may be called, which are no variables of it', async () => {
      assert.deepEqual(await get('/env'), {
        listed: ['cart'],
        json: '{"cart":"a variable"}',
        catalog: ['function', true],
        variable: 'a variable',
        own: 'undefined',
        unlisted: 'undefined',
        events: 'function',
      });
    });

    test('what is asked for is what the Fetch standard makes of a string, a URL and a Request', async () => {
      const expected: [string, string, string, string, string | undefined][] = [
        ['relative', 'GET', 'http://catalog/echo?q=1', '', undefined],
        ['relativeNoSlash', 'GET', 'http://catalog/echo', '', undefined],
        ['string', 'GET', 'https://shop.example:8443/echo?q=%20', '', undefined],
        ['url', 'GET', 'http://other.example/echo', '', undefined],
        ['request', 'GET', 'http://other.example/echo', '', undefined],
        ['requestAndInit', 'POST', 'http://other.example/echo', 'new', '3'],
        ['stringBody', 'POST', 'http://catalog/echo', 'grüße', '7'],
        ['bytesBody', 'PUT', 'http://catalog/echo', 'bytes', '5'],
        ['bufferBody', 'PUT', 'http://catalog/echo', 'buffer', '6'],
        ['paramsBody', 'POST', 'http://catalog/echo', 'a=1+2', '5'],
        ['blobBody', 'POST', 'http://catalog/echo', 'blob', '4'],
        ['streamBody', 'POST', 'http://catalog/echo', 'ab', undefined],
        ['emptyPost', 'POST', 'http://catalog/echo', '', '0'],
      ];
      for (const [input, ...rest] of expected) {
        const { method, url, body, length } = await seen(input);
        assert.deepEqual([input, method, url, body, length], [input, ...rest]);
      }
      const { headers } = await seen('requestAndInit');
      assert.deepEqual(
        headers.filter(([name]) => name.startsWith('x-') && name !== 'x-request-id'),
        [['x-two', '2']],
      );
      assert.equal(new Map((await seen('blobBody')).headers).get('content-type'), 'text/x');
    });

    test('the fields of one connection are dropped, and what the platform says of a request it says itself', async () => {
      const asking = (await get('/ask?input=dropped', of('r_asks'))) as Told;
      const { headers } = JSON.parse(asking.answered!.text) as Seen;
      const traceparent = new Map(headers).get('traceparent')!;
      assert.deepEqual(headers, [
        ['content-length', '3'],
        ['content-type', 'text/plain;charset=UTF-8'],
        ['cookie', 'a=1'],
        ['host', 'catalog'],
        ['traceparent', traceparent],
        ['x-forwarded-for', '10.1.1.1'],
        ['x-latin', 'caf\u00e9'],
        ['x-request-id', 'r_asks'],
      ]);
      assert.match(traceparent, new RegExp(`^${TRACEPARENT.slice(0, 36)}[0-9a-f]{16}-01$`));
      assert.notEqual(traceparent, TRACEPARENT);
      const expectedWay = arrangement === 'apart' ? 'wire' : 'in-process';
      const { span, parentSpan, requestId, from, to, way, depth, outcome } = bound.records.at(-1)!;
      assert.deepEqual(
        [span, parentSpan, requestId, from, to, way, depth, outcome],
        [
          traceparent.slice(36, 52),
          TRACEPARENT.slice(36, 52),
          'r_asks',
          'shop',
          'catalog',
          expectedWay,
          1,
          'ok',
        ],
      );
    });

    test('an answer is a Response as it was given', async () => {
      const teapot = (await told('teapot')).answered!;
      assert.deepEqual(teapot, {
        status: 418,
        url: 'http://catalog/teapot',
        type: '[object Response]',
        isResponse: true,
        headers: [
          ['content-type', 'text/plain;charset=UTF-8'],
          ['x-pot', 'yes'],
        ],
        hasBody: true,
        text: 'short and stout',
      });
      assert.deepEqual((await told('cookies')).answered!.headers, [
        ['content-type', 'text/html'],
        ['set-cookie', 'a=1; Path=/'],
        ['set-cookie', 'b=2'],
      ]);
      const head = (await told('head')).answered!;
      assert.deepEqual([head.status, head.hasBody, head.text], [418, false, '']);
      for (const [input, status] of [
        ['noContent', 204],
        ['notModified', 304],
        ['serverError', 503],
      ] as const) {
        const { answered } = await told(input);
        assert.deepEqual([answered!.status, answered!.text], [status, ''], input);
        if (status !== 503) assert.equal(answered!.hasBody, false, input);
      }
      assert.equal((await told('long')).answered!.text.length, 300_000);
      assert.deepEqual(await get('/bytes'), [0, 255, 128]);
      assert.deepEqual(await get('/clones'), [
        'short and stout',
        'short and stout',
        'http://catalog/teapot',
        418,
        true,
      ]);
    });

    test('a redirect is an answer, unless the caller takes none', async () => {
      for (const input of ['redirect', 'redirectFollow']) {
        const { status, headers, text } = (await told(input)).answered!;
        assert.deepEqual([status, new Map(headers).get('location'), text], [302, '/elsewhere', 'there']);
      }
      const { caught } = await told('redirectError');
      assert.deepEqual([caught!.name, /redirect/.test(caught!.message)], ['TypeError', true]);
    });

    test('forms and files arrive', async () => {
      assert.deepEqual(await get('/form'), { name: 'Zoë', file: ['a.txt', 'text/plain', 'content'] });
    });

    test('a Request is used once', async () => {
      const [status, used, again] = (await get('/usedTwice')) as [number, boolean, Told];
      assert.deepEqual([status, used, again.caught!.name], [200, true, 'TypeError']);
    });

    test('what is no request that could be sent rejects before it is', async () => {
      const count = bound.records.length;
      const expected: Record<string, [string, string | undefined, RegExp]> = {
        getWithBody: ['TypeError', undefined, /body/],
        noUrl: ['TypeError', undefined, /URL/],
        ftp: ['TypeError', undefined, /http: or https:/],
        credentials: ['TypeError', undefined, /credentials/],
        connect: ['TypeError', undefined, /CONNECT/],
        badHeader: ['TypeError', undefined, /header/],
        custom: ['TypeError', undefined, /x-ü/],
        aborted: ['RangeError', undefined, /too late/],
        control: [
          'FulcrumError',
          'bad-request',
          /"catalog" cannot be passed on \(request r_test\): its header "x-a"/,
        ],
        tooLarge: ['FulcrumError', 'call-too-large', /"catalog" take \d+ bytes; 262144/],
      };
      for (const [input, [name, code, message]] of Object.entries(expected)) {
        const { caught } = await told(input);
        assert.deepEqual([input, caught?.name, caught?.code], [input, name, code]);
        assert.match(caught!.message, message);
      }
      assert.equal(bound.records.length, count);
    });

    test('whoever cannot be asked is not, and the error names both and the request', async () => {
      for (const [to, code, message] of [
        ['gone', 'call-unknown-component', /"shop" calls "gone".*r_test/],
        ['files', 'call-unknown-component', /"files".*folder of files/],
      ] as const) {
        const { caught } = await told('relative', to);
        assert.deepEqual([to, caught!.name, caught!.code], [to, 'FulcrumError', code]);
        assert.match(caught!.message, message);
      }
    });

    test('what the callee throws before it answers is thrown; what goes wrong afterwards breaks the body off', async () => {
      const thrown = {
        name: 'StockError',
        message: 'none left',
        code: 'E_STOCK',
        cause: ['RangeError', 'below zero'],
      };
      assert.deepEqual((await told('throws')).caught, thrown);
      const record = bound.records.at(-1)!;
      assert.deepEqual([record.outcome, record.code], ['handler-error', 'handler-error']);
      const late = (await told('late')).caught!;
      assert.deepEqual([late.name, late.message, late.code], ['StockError', 'broken off', 'E_STOCK']);
      const nothing = (await told('nothing')).caught!;
      assert.deepEqual([nothing.name, nothing.code], ['FulcrumError', 'bad-response']);
      assert.match(nothing.message, /"catalog" failed when "shop" called it \(request r_test\)/);
      assert.equal(bound.bench.log.entries.filter(({ text }) => /StockError/.test(text)).length, 0);
    });

    test('a request’s body that breaks off, or yields what is no bytes, rejects', async () => {
      const broken = (await told('bodyBreaks')).caught!;
      assert.deepEqual([broken.name, broken.message], ['RangeError', 'no more']);
      const text = (await told('notStreamed')).caught!;
      assert.deepEqual([text.name, /Uint8Array/.test(text.message)], ['TypeError', true]);
    });

    test('an abort rejects with its reason, before the answer and within it, and reaches the callee', async () => {
      for (const [path, id] of [
        ['/abortBefore', 'before'],
        ['/abortLate', 'late'],
      ] as const) {
        const asking = get(path);
        await bound.bench.log.until(new RegExp(`^hangs \\?${id}$`));
        await get('/letGo');
        const result = await asking;
        const { caught } = (id === 'before' ? result : (result as [number, Told])[1]) as Told;
        assert.deepEqual([id, caught!.name, caught!.message], [id, 'RangeError', 'enough']);
        await bound.bench.log.until(new RegExp(`^let go \\?${id}$`));
      }
      assert.equal(await get('/cancels'), 'begun');
      await bound.bench.log.until(/^let go \?cancelled$/);
    });

    test('a caller that has gone takes what it asks for with it', async () => {
      const invocation = of('r_gone');
      const answer = send('/hangs', { invocation });
      await bound.bench.log.until(/^hangs \?gone$/);
      invocation.abort('client-gone');
      assert.equal((await answer.outcome).outcome, 'cancelled');
      await bound.bench.log.until(/^let go \?gone$/);
    });

    test('the request that a handler was given may be passed on, and its answer back', async () => {
      const body = Buffer.from('x'.repeat(100_000));
      const headers = ['Content-Type', 'text/plain', 'Content-Length', '100000', 'X-One', '1', 'X-One', '2'];
      const answer = send('/echo', { method: 'PUT', headers, body });
      const told = (await answer.json()) as Seen;
      assert.deepEqual(
        [told.method, told.url, told.body.length],
        ['PUT', 'http://shop.example/echo', 100_000],
      );
      const fields = new Map(told.headers);
      assert.deepEqual(
        [fields.get('content-length'), fields.get('x-one'), fields.get('host')],
        ['100000', '1, 2', 'shop.example'],
      );
    });

    test('a body that is not as long as was said is broken off, and nothing of it is taken for another request', async () => {
      const headers = ['Content-Length', '10'];
      const short = send('/sink', { headers, body: Buffer.from('abc') });
      assert.notEqual((await short.outcome).outcome, 'ok');
      const long = send('/sink', { headers, body: Buffer.from('abcdefghijklmnop') });
      assert.notEqual((await long.outcome).outcome, 'ok');
    });

    test('large bodies are streamed both ways, no faster than they are taken', async () => {
      assert.deepEqual(await get(`/upload?bytes=${16 * MB}`), { bytes: 16 * MB });
      const download = send(`/download?bytes=${16 * MB}`);
      download.full = true;
      await download.until(({ bytes }) => bytes > 0);
      // The callee and all on the way are asked for something else meanwhile: nothing more than the windows has come.
      await told('teapot');
      assert.ok(download.bytes <= MB, `${download.bytes}`);
      download.drain();
      await download.outcome;
      assert.equal(download.bytes, 16 * MB);

      let paused = 0;
      const upload = new FastBody(8 * MB, () => void paused++);
      const piped = send('/pipe', { method: 'POST', body: upload });
      assert.equal((await piped.outcome).outcome, 'ok');
      assert.deepEqual([piped.status, piped.bytes], [200, 8 * MB]);
      assert.ok(paused > 0);
    });

    test('a request’s body that nobody reads is given up', async () => {
      assert.equal((await told('ignores')).answered!.text, 'not read');
    });

    test('an answer that nobody reads keeps nobody waiting', async () => {
      assert.equal(await get('/unread'), 200);
    });

    test('whoever takes longer than its own time allows is given up', async () => {
      const { caught } = await told('hangs', 'hasty');
      assert.deepEqual([caught!.name, caught!.code], ['FulcrumError', 'timeout']);
      assert.match(
        caught!.message,
        /^Component "hasty" failed when "shop" called it \(request r_test\): Component "hasty" did not answer within 40 ms/,
      );
      await bound.bench.log.until(/^let go \?hasty$/);
      const record = bound.records.at(-1)!;
      assert.deepEqual([record.to, record.outcome, record.code], ['hasty', 'timeout', 'timeout']);
    });

    test('more may be under way than the wire takes at a time', async () => {
      assert.equal(await get('/many?count=600'), 600);
    });

    test('nothing is held when all is over', async () => {
      await bound.whenFree();
    });

    const apart = { skip: arrangement === 'joined' };
    test(
      'a callee that ends before it answers rejects; one that does so within its answer breaks that off',
      apart,
      async () => {
        for (const input of ['dies', 'diesLate']) {
          const { caught } = await told(input);
          assert.deepEqual([input, caught?.name, caught?.code], [input, 'FulcrumError', 'instance-crashed']);
          assert.match(caught!.message, /"catalog" failed when "shop" called it \(request r_test\)/);
          await bound.revive('catalog');
        }
      },
    );

    test('a component without a fetch handler says so', async () => {
      const { caught } = await told('relative', 'functions');
      assert.deepEqual([caught!.name, caught!.code], ['FulcrumError', 'handler-missing']);
      assert.match(
        caught!.message,
        /"functions" failed when "shop" called it \(request r_test\).*no `fetch` handler/,
      );
    });
  });
}
