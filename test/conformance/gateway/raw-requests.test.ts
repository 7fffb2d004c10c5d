import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Judged, readAnswers, valueOf } from './judge.ts';
import { RAW_REQUESTS } from './raw-requests.ts';
import { readConnection } from './reference-parser.ts';
import type { RawRequest } from './raw-requests.ts';

/** Follows each request on its connection: is it still read there, or not? */
const NEXT = (name: string): string =>
  `GET /next HTTP/1.1\r\nHost: shop.io\r\nX-Case: ${name}\r\nConnection: close\r\n\r\n`;

describe(`${RAW_REQUESTS.length} raw requests, and the answer that each must get`, () => {
  const judged = new Judged();
  before(() => judged.open());
  after(() => judged.fixture.gateway.close(0));

  test('the table is as long as it was asked to be, and says nothing twice', () => {
    assert.ok(RAW_REQUESTS.length >= 150);
    assert.equal(new Set(RAW_REQUESTS.map(({ name }) => name)).size, RAW_REQUESTS.length);
  });

  for (const [i, request] of RAW_REQUESTS.entries()) {
    test(request.name, () => check(judged, request, `raw-${i}`));
  }

  test('the log has a line for each request that a component saw, and it says what was seen', () => {
    // Of a request whose body broke off the component saw no more than its head.
    const told = judged.fixture.lines.filter(
      ({ component, fields }) => component === 'echo' && fields!['status'] === 200,
    );
    assert.ok(told.length > 100);
    for (const line of told) {
      const seen = ledger.get(line.requestId!);
      assert.ok(seen, `${line.text}: nothing was seen`);
      ledger.delete(line.requestId!);
      const path = seen.path.length > 1_024 ? `${seen.path.slice(0, 1_024)}...` : seen.path;
      assert.deepEqual([line.fields!['method'], line.fields!['path']], [seen.method, path]);
    }
    assert.equal(ledger.size, 0, 'seen, and not told');
  });
});

/** What the component saw, by request id: the log must say the same. */
const ledger = new Map<string, { method: string; path: string }>();

async function check(judged: Judged, request: RawRequest, name: string): Promise<void> {
  // A mark behind the first line's end, where there is one, tells whose a request is that reaches the component.
  const marked = request.bytes.replace(/( HTTP\/1\.\d\r\n)/, `$1X-Case: ${name}\r\n`);
  const bytes = Buffer.from(request.seen === null ? request.bytes : marked, 'latin1');
  const raw = await judged.send([bytes, Buffer.from(NEXT(name))]);
  const seen = judged.take(name);
  for (const each of seen)
    ledger.set(each.id, { method: each.method, path: each.target.replace(/\?.*/, '') });
  const method = /^\s*([^ ]+)/.exec(request.bytes)?.[1] ?? '';
  const answers = readAnswers(raw, [method, 'GET']);
  assert.ok(request.status.includes(answers[0]?.status ?? 0), `answered with ${raw.slice(0, 200)}`);
  assert.equal(
    /^Connection: close$/m.test(answers[0]!.head),
    request.closes,
    'whether it says that it closes',
  );
  const reached = seen.filter(({ target }) => target !== '/next');
  assert.equal(seen.length - reached.length, request.closes ? 0 : 1, 'whether what follows is served');
  assert.equal(reached.length, request.seen === null ? 0 : 1, 'whether it reaches the component');
  agreesWithReference(request);
  if (request.seen === null) return;
  const got = reached[0]!;
  const { method: wanted, target, body, fields = {} } = request.seen;
  if (wanted !== undefined) assert.equal(got.method, wanted);
  if (target !== undefined) assert.equal(got.target, target);
  if (body !== undefined) assert.equal(got.body.toString('latin1'), body);
  for (const [field, value] of Object.entries(fields))
    assert.equal(valueOf(got.headers, field) ?? null, value, field);
  assert.equal(valueOf(got.headers, 'x-request-id'), got.id);
}

/** The table judges the judge, too. */
function agreesWithReference({ bytes, status, closes, seen }: RawRequest): void {
  const { requests, end, broken } = readConnection(Buffer.from(bytes, 'latin1'));
  const first = requests[0];
  const statuses = first === undefined ? (typeof end === 'object' ? end : []) : (first.ownAnswer ?? [200]);
  assert.ok(
    statuses.some((one) => status.includes(one)),
    `the reference says ${JSON.stringify({ statuses, end, broken })}`,
  );
  if (seen !== null) assert.equal(first?.persists, !closes);
}
