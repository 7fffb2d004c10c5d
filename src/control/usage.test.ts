import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { UsageLine } from '../model/usage-export.ts';
import { ApiWorld } from './fixtures/api-world.ts';
import { ask, type Answer } from './fixtures/ask.ts';
import type { FakePort } from './fixtures/fake-port.ts';
import { usageLines } from './fixtures/usage-lines.ts';
import { UNREAD_MS, usageStream } from './usage-stream.ts';

const DAY_MS = 86_400_000;
const SPAN = { fromMs: 0, toMs: 30 * DAY_MS, component: null, facts: false };

describe('GET /v1/apps/{app}/usage', () => {
  let world: ApiWorld;
  let port: FakePort;
  let authorization: string;

  before(async () => {
    world = await ApiWorld.start();
    port = world.host.ports.get('shop') as FakePort;
    authorization = `Bearer ${await world.token({ id: 't_reader', name: 'reader', scope: 'read', apps: ['shop'] })}`;
  });
  after(() => world.end());
  beforeEach(() => {
    port.asked.length = 0;
    port.usageLines = null;
  });

  const get = (path: string): Promise<Answer> =>
    ask(world.http, `/v1${path}`, { headers: { authorization } });

  test('tells every line, the last of which says how many there were', async () => {
    const { status, text } = await get(`/apps/shop/usage?from=0&to=${30 * DAY_MS}`);
    assert.equal(status, 200);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as UsageLine);
    assert.deepEqual(lines, usageLines(SPAN));
    assert.deepEqual(lines.at(-1), { kind: 'end', lines: lines.length - 1 });
  });

  test('is of the last thirty days, all components and no facts where nothing else is asked', async () => {
    const nowMs = world.clock.nowMs();
    await get('/apps/shop/usage');
    await get('/apps/shop/usage?from=5&to=6&component=catalog&facts=true');
    assert.deepEqual(port.asked, [
      { usage: { fromMs: nowMs - 30 * DAY_MS, toMs: nowMs, component: null, facts: false } },
      { usage: { fromMs: 5, toMs: 6, component: 'catalog', facts: true } },
    ]);
  });

  test('is for who may read this app', async () => {
    assert.equal((await ask(world.http, '/v1/apps/shop/usage')).status, 401);
    assert.equal((await get('/apps/blog/usage')).status, 404);
  });

  test('refuses what is no stretch of time, and what else is asked', async () => {
    for (const query of [
      'from=x',
      'from=-1',
      'to=1.5',
      'from=6&to=6',
      'from=7&to=6',
      'facts=yes',
      'days=3',
    ]) {
      const answer = await get(`/apps/shop/usage?${query}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'bad-request'], query);
    }
    assert.deepEqual(port.asked, []);
  });

  test('tells what fails at once as a problem, and breaks off where it fails later', async () => {
    port.usageLines = [new FulcrumError('store-failed', 'The disk is gone.')];
    const answer = await get('/apps/shop/usage');
    assert.deepEqual([answer.status, answer.json['code']], [503, 'store-failed']);
    const lines = usageLines(SPAN);
    port.usageLines = [...lines.slice(0, 3), new FulcrumError('store-failed', 'The disk is gone.')];
    const told = await get('/apps/shop/usage').then(
      ({ text }) => text,
      () => '',
    );
    assert.ok(!told.includes('"kind":"end"'));
  });

  test('lets each caller read four at a time, and more once those have gone', async () => {
    const held = Promise.withResolvers<void>();
    const four = Promise.withResolvers<void>();
    const { usage } = port;
    let begun = 0;
    port.usage = async function* (span) {
      if (++begun === 4) four.resolve();
      yield usageLines(span)[0]!;
      await held.promise;
    };
    const waiting = [1, 2, 3, 4].map(() => get('/apps/shop/usage'));
    await four.promise;
    const fifth = await get('/apps/shop/usage');
    assert.deepEqual([fifth.status, fifth.json['code']], [503, 'too-many-readers']);
    assert.match(fifth.json['detail'] as string, /^4 readers read usage with this access already/);
    assert.equal(fifth.headers['retry-after'], '10');
    held.resolve();
    await Promise.all(waiting);
    port.usage = usage;
    assert.equal((await get('/apps/shop/usage')).status, 200);
  });
});

describe('a stream of usage', () => {
  const options = { clock: new FakeClock(), signal: new AbortController().signal, onEnd: () => undefined };

  function endless(): { lines: AsyncGenerator<UsageLine>; taken: () => number; returned: () => boolean } {
    let taken = 0;
    let returned = false;
    async function* lines(): AsyncGenerator<UsageLine> {
      try {
        for (;;) {
          taken++;
          yield { kind: 'gap', fromMs: taken, toMs: taken };
        }
      } finally {
        returned = true;
      }
    }
    return { lines: lines(), taken: () => taken, returned: () => returned };
  }

  test('takes no more of the lines than are read', async () => {
    const { lines, taken, returned } = endless();
    const reader = usageStream({ ...options, lines }).getReader();
    await reader.read();
    const after = taken();
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(taken() - after <= after, `${taken()} lines were taken for one chunk that was read`);
    await reader.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(returned());
  });

  test('lets others have their turn between two chunks', async () => {
    const { lines } = endless();
    const reader = usageStream({ ...options, lines }).getReader();
    let turns = 0;
    const turn = (): void => {
      turns++;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    for (let i = 0; i < 10; i++) await reader.read();
    clearImmediate(timer);
    await reader.cancel();
    assert.ok(turns >= 9, `${turns} turns while ten chunks were told`);
  });

  test('is broken off where nobody reads for a minute, and where the server goes', async () => {
    for (const how of ['unread', 'closing']) {
      const clock = new FakeClock();
      const closing = new AbortController();
      let ended = 0;
      const { lines } = endless();
      const stream = usageStream({ lines, clock, signal: closing.signal, onEnd: () => void ended++ });
      const reader = stream.getReader();
      await reader.read();
      await new Promise((resolve) => setImmediate(resolve));
      if (how === 'closing') closing.abort();
      else await clock.advance(UNREAD_MS);
      await assert.rejects(
        (async () => {
          for (;;) if ((await reader.read()).done) return;
        })(),
        { code: how === 'closing' ? 'shutting-down' : 'client-gone' },
      );
      assert.equal(ended, 1);
      assert.equal(clock.pending, 0);
    }
  });
});
