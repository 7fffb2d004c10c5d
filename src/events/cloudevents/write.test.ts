import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import type { EventOrder } from '../../model/event.ts';
import type { CloudEventMode } from '../../model/work-settings.ts';
import { readCloudEvents } from './read.ts';
import { writtenEvent } from './testing/written-event.ts';
import { writeCloudEvents, type WrittenEvent, type WrittenMessage } from './write.ts';

const MODES: readonly CloudEventMode[] = ['binary', 'structured', 'batched'];
const RUNS = process.env['FULCRUM_FULL'] === '1' ? 5_000 : 250;

/** By the SDK of the CloudEvents project, as a program would read it. */
function readBySdk({ fields, body }: WrittenMessage): CloudEvent<unknown>[] {
  const headers: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) headers[fields[i]!.toLowerCase()] = fields[i + 1]!;
  const read = HTTP.toEvent<unknown>({ headers, body: Buffer.from(body).toString('utf8') });
  return (Array.isArray(read) ? read : [read]) as CloudEvent<unknown>[];
}

function readBack({ fields, body }: WrittenMessage): readonly EventOrder[] {
  const at = fields.indexOf('Content-Type');
  return readCloudEvents(fields[at + 1]!, fields, body);
}

for (const mode of MODES) {
  test(`the SDK reads what is written: ${mode}`, () => {
    const event = writtenEvent({
      subject: 'order-7',
      key: 'customer-3',
      attributes: '{"sequence":"00042","urgent":true,"tries":3}',
    });
    const [read] = readBySdk(writeCloudEvents(mode, [event]));
    assert.equal(read!.id, 'e-1');
    assert.equal(read!.type, 'order.paid');
    assert.equal(read!.source, '/components/checkout');
    assert.equal(read!.subject, 'order-7');
    assert.equal(read!['partitionkey'], 'customer-3');
    assert.equal(read!['sequence'], '00042');
    assert.equal(String(read!['urgent']), 'true');
    assert.equal(String(read!['tries']), '3');
    assert.equal(new Date(read!.time!).toISOString(), '2026-11-27T18:30:00.125Z');
    assert.equal(read!.datacontenttype, 'application/json');
    assert.deepEqual(read!.data, { total: 42 });
  });
}

test('the SDK reads a batch, in its order', () => {
  const events = ['a', 'b', 'c'].map((id) => writtenEvent({ id }));
  assert.deepEqual(
    readBySdk(writeCloudEvents('batched', events)).map(({ id }) => id),
    ['a', 'b', 'c'],
  );
});

test('what the SDK sends is taken: binary and structured, with and without data, text and bytes', () => {
  const base = { id: 'A-1', source: '/sdk', type: 'order.paid', partitionkey: 'k', urgent: true };
  const cases: readonly [CloudEvent<unknown>, string, string][] = [
    [new CloudEvent({ ...base, data: { total: 42 } }), 'application/json', '{"total":42}'],
    [new CloudEvent({ ...base }), 'application/json', 'null'],
    [new CloudEvent({ ...base, datacontenttype: 'text/plain', data: 'hello' }), 'text/plain', 'hello'],
  ];
  for (const [event, contentType, data] of cases) {
    for (const mode of ['binary', 'structured'] as const) {
      const { headers, body } = HTTP[mode](event);
      const fields = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
      const type = headers['content-type'] ?? headers['Content-Type'];
      const [order] = readCloudEvents(
        typeof type === 'string' ? type : null,
        fields,
        Buffer.from((body as string | undefined) ?? ''),
      );
      assert.equal(order!.id, 'A-1');
      assert.equal(order!.key, 'k');
      assert.equal(order!.timeMs, Date.parse(event.time!));
      assert.equal(order!.contentType.split(';')[0], contentType);
      assert.equal(Buffer.from(order!.data).toString(), data);
    }
  }
});

test('a batch that the SDK’s events make is taken, and bytes are bytes', () => {
  const data = new Uint8Array([0, 1, 255]);
  const event = new CloudEvent({ id: 'A-1', source: '/sdk', type: 'a', datacontenttype: 'image/png', data });
  const body = Buffer.from(JSON.stringify([event, event]));
  const orders = readCloudEvents('application/cloudevents-batch+json', [], body);
  assert.deepEqual(
    orders.map((order) => Buffer.from(order.data).toString('hex')),
    ['0001ff', '0001ff'],
  );
});

test('JSON goes out as it came in, and what is no JSON cannot end its envelope', () => {
  const text = (event: WrittenEvent): string =>
    Buffer.from(writeCloudEvents('structured', [event]).body).toString();
  assert.match(text(writtenEvent({ data: Buffer.from('{ "n": 1.0 }') })), /"data":\{ "n": 1\.0 \}\}$/);
  const broken = text(writtenEvent({ data: Buffer.from('1,"id":"other"') }));
  assert.equal((JSON.parse(broken) as { id: string }).id, 'e-1');
  assert.match(broken, /"data_base64":/);
});

test('an event that came with an id of its own goes out with it', () => {
  const [order] = readBack(writeCloudEvents('binary', [writtenEvent({ attributes: '{"$id":"A-1"}' })]));
  assert.equal(order!.id, 'A-1');
});

test('what is kept beside an event for other ends is not written', () => {
  const attributes = JSON.stringify({ ok: 'x', id: 'other', data: 1, Bad: 1, list: [1], none: null });
  for (const mode of MODES) {
    const [order] = readBack(writeCloudEvents(mode, [writtenEvent({ attributes })]));
    assert.deepEqual(order!.extensions, { ok: 'x' });
    assert.equal(order!.id, 'e-1');
  }
});

const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((value) => value.isWellFormed() && !/[\p{Control}\p{Noncharacter_Code_Point}]/u.test(value));
const someText = text.filter((value) => value.trim() === value && value !== '');
const events: fc.Arbitrary<WrittenEvent> = fc
  .record({
    id: someText,
    type: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,20}[A-Za-z0-9]$/),
    source: fc.webUrl({ withFragments: true, withQueryParameters: true }).filter((url) => url.length < 200),
    subject: fc.option(someText),
    key: fc.option(someText),
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    attributes: fc
      .dictionary(
        fc.stringMatching(/^x[a-z0-9]{1,10}$/),
        fc.oneof(someText, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
        { maxKeys: 5, noNullPrototype: true },
      )
      .map((extensions) => JSON.stringify(extensions)),
    content: fc.oneof(
      fc
        .json({ maxDepth: 4 })
        .map((json) => ({ contentType: 'application/json', data: new TextEncoder().encode(json) })),
      text.map((plain) => ({
        contentType: 'text/plain; charset=utf-8',
        data: new TextEncoder().encode(plain),
      })),
      fc.uint8Array({ maxLength: 50 }).map((data) => ({ contentType: 'image/png', data })),
    ),
  })
  .map(({ content, ...rest }) => ({ ...rest, ...content }));

test('what is written is read as it was, in each mode', () => {
  fc.assert(
    fc.property(events, fc.constantFrom(...MODES), (event, mode) => {
      const [order] = readBack(writeCloudEvents(mode, [event]));
      for (const name of ['id', 'type', 'source', 'subject', 'key', 'timeMs', 'contentType'] as const)
        assert.equal(order![name], event[name], name);
      assert.deepEqual(Buffer.from(order!.data), Buffer.from(event.data));
      const extensions = JSON.parse(event.attributes) as Record<string, unknown>;
      // A header has text only.
      const wanted = Object.entries(extensions).map(([name, value]): [string, unknown] => [
        name,
        mode === 'binary' ? String(value) : value,
      ]);
      assert.deepEqual(new Map(Object.entries(order!.extensions)), new Map(wanted));
    }),
    { seed: 11, numRuns: RUNS },
  );
});
