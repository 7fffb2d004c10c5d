import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientFields, Judged, passedOn, readAnswers, seenTarget } from './judge.ts';
import { readConnection } from './reference-parser.ts';
import { randomConnection, randomCuts, seeded } from './request-grammar.ts';
import type { Answer, Seen } from './judge.ts';
import type { ReferenceReading } from './reference-parser.ts';

const CASES = process.env['FULCRUM_FULL'] === undefined ? 2_000 : 100_000;
const SEED = Number(process.env['FULCRUM_SEED'] ?? 1);
const AT_A_TIME = 16;

test(`the gateway and the reference read the same bytes alike, ${CASES} connections from seed ${SEED}`, async (t) => {
  const judged = new Judged();
  await judged.open();
  t.after(() => judged.fixture.gateway.close(0));
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < CASES) await compare(judged, SEED * 1_000_003 + next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
});

async function compare(judged: Judged, seed: number): Promise<void> {
  const random = seeded(seed);
  const name = `case-${seed}`;
  const bytes = Buffer.from(randomConnection(random, name), 'latin1');
  const reading = readConnection(bytes);
  const raw = await judged.send(randomCuts(random, bytes));
  const answers = readAnswers(
    raw,
    reading.requests.map(({ method }) => method),
  );
  const why = `seed ${seed}: ${JSON.stringify(bytes.toString('latin1'))}\n${JSON.stringify(reading.end)}\n`;
  checkAnswers(reading, answers, why);
  checkSeen(name, reading, judged.take(name), why);
}

function checkAnswers({ requests, end }: ReferenceReading, answers: readonly Answer[], why: string): void {
  const expected: (readonly number[])[] = requests.map(({ ownAnswer }) => ownAnswer ?? [200]);
  if (typeof end === 'object') expected.push(end);
  assert.equal(
    answers.length,
    expected.length,
    `${why}answers: ${answers.map(({ status }) => status).join()}`,
  );
  for (const [i, { status, head }] of answers.entries()) {
    assert.ok(expected[i]!.includes(status), `${why}answer ${i} is ${status}, not ${expected[i]!.join()}`);
    const isLast = i === answers.length - 1 && end !== 'open';
    assert.equal(/^Connection: close$/m.test(head), isLast, `${why}answer ${i}: closing`);
  }
}

/** Of requests whose mark was hurt nobody knows whose they are. */
function checkSeen(name: string, { requests }: ReferenceReading, seen: readonly Seen[], why: string): void {
  const expected = requests.filter(
    ({ ownAnswer, fields }) =>
      ownAnswer === null && fields.find(([field]) => field === 'x-case')?.[1] === name,
  );
  assert.equal(seen.length, expected.length, `${why}requests that reached the component`);
  for (const [i, request] of expected.entries()) {
    const got = seen[i]!;
    assert.equal(got.method, request.method, why);
    assert.equal(got.target, seenTarget(request.target), why);
    assert.deepEqual(got.body, request.body, why);
    assert.deepEqual(clientFields(got.headers), passedOn(request), why);
  }
}
