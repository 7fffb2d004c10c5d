import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { MemoryTokens } from './fixtures/memory-stores.ts';
import { TokenBook, type TokenOrder } from './token-book.ts';
import { newToken } from './token-form.ts';

const OWN = 'own-token';
const DAY_MS = 86_400_000;

describe('who comes in', () => {
  let clock: FakeClock;
  let store: MemoryTokens;
  let book: TokenBook;
  let door: Doorkeeper;

  beforeEach(() => {
    clock = new FakeClock();
    store = new MemoryTokens();
    book = new TokenBook({ store, clock, logger: silentLogger });
    door = new Doorkeeper({ ownToken: OWN, tokens: book, clock });
  });

  const order = (part: Partial<TokenOrder> = {}): TokenOrder => ({
    name: 'ci',
    scope: 'deploy',
    apps: ['shop'],
    expiresInMs: null,
    ...part,
  });
  const admit = (token: string, address = '192.0.2.1') => door.admit(`Bearer ${token}`, address);

  const HEADERS: [string | null, boolean][] = [
    [`Bearer ${OWN}`, true],
    [`bearer   ${OWN} `, true],
    [`Bearer ${OWN.slice(1)}`, false],
    [`Bearer ${OWN}x`, false],
    ['Bearer', false],
    ['Bearer ', false],
    [`Bearer ${OWN} ${OWN}`, false],
    [`Basic ${OWN}`, false],
    [OWN, false],
    [null, false],
  ];
  for (const [header, admitted] of HEADERS) {
    test(`Authorization ${header} is ${admitted ? 'let in' : 'refused'}`, async () => {
      const asked = door.admit(header, '');
      if (admitted) assert.equal((await asked).actor, 'link');
      else await assert.rejects(asked, { code: 'unauthorized' });
    });
  }

  test('a kept token brings its name, scope and apps; what is kept is not the token', async () => {
    const { token, kept } = await book.create(order({ apps: ['shop', 'blog', 'shop'] }));
    assert.deepEqual(await admit(token), {
      actor: `ci (${kept.id})`,
      scope: 'deploy',
      apps: ['blog', 'shop'],
    });
    assert.ok(!JSON.stringify([...store.kept.values()]).includes(token));
    await book.remove(kept.id);
    await assert.rejects(admit(token), { code: 'unauthorized' });
  });

  test('an expired one is told so, with its name and when; a wrong one is not', async () => {
    const { token } = await book.create(order({ expiresInMs: DAY_MS }));
    await clock.advance(DAY_MS - 1);
    await admit(token);
    await clock.advance(1);
    await assert.rejects(admit(token), {
      code: 'unauthorized',
      message: /\('ci'\) expired today\. Have a new one/,
    });
    await clock.advance(3 * DAY_MS);
    await assert.rejects(admit(token), { message: /expired 3 days ago/ });
    await assert.rejects(admit(newToken()), (error: Error) => !error.message.includes('expired'));
  });

  test('what has not a token’s form never reaches the store', async () => {
    await assert.rejects(admit('hunter2'), { code: 'unauthorized' });
    await assert.rejects(admit(`${newToken()}x`), { code: 'unauthorized' });
    assert.equal(store.lookUps, 0);
  });

  test('the last use is kept to the minute, and written once for each', async () => {
    const { token, kept } = await book.create(order());
    let writes = 0;
    const used = store.used.bind(store);
    store.used = (id, atMs) => {
      writes += 1;
      return used(id, atMs);
    };
    await clock.advance(60_000 - (clock.nowMs() % 60_000));
    const minuteMs = clock.nowMs();
    await admit(token);
    await clock.advance(59_000);
    await admit(token);
    assert.equal(writes, 1);
    assert.equal(store.kept.get(kept.id)!.lastUsedAtMs, minuteMs);
    await clock.advance(1_000);
    await admit(token);
    assert.equal(writes, 2);
    store.used = () => Promise.reject(new Error('disk full'));
    await clock.advance(60_000);
    await admit(token);
  });

  test('an address that shows wrong tokens is slowed down; whoever has a right one is not', async () => {
    const { token } = await book.create(order());
    const { token: later } = await book.create(order());
    await admit(token);
    for (let i = 0; i < 10; i++) await assert.rejects(admit(newToken()), { code: 'unauthorized' });
    await assert.rejects(admit(newToken()), { code: 'rate-limited', status: 429, retryAfterS: 6 });
    const looked = store.lookUps;
    await assert.rejects(admit('hunter2'), { code: 'rate-limited' });
    assert.equal(store.lookUps, looked, 'what has not a token’s form is not looked up');
    await admit(later);
    await admit(token);
    await admit(OWN);
    await admit(later, '192.0.2.2');
    await clock.advance(6_000);
    await assert.rejects(admit(newToken()), { code: 'unauthorized' });
    await clock.advance(60_000);
    await admit(later);
  });

  test('requests without any token are refused, and slow nobody down', async () => {
    for (let i = 0; i < 50; i++)
      await assert.rejects(door.admit(null, '192.0.2.1'), { code: 'unauthorized' });
    const { token } = await book.create(order());
    await admit(token);
  });

  test('a revoked token that was right before counts as wrong from then on', async () => {
    const { token, kept } = await book.create(order());
    await admit(token);
    await book.remove(kept.id);
    for (let i = 0; i < 10; i++) await assert.rejects(admit(token), { code: 'unauthorized' });
    await assert.rejects(admit(token), { code: 'rate-limited' });
  });

  test('a store that finds a token by a likeness of its hash lets nobody in', async () => {
    const { kept } = await book.create(order());
    store.byHash = () => Promise.resolve(kept);
    await assert.rejects(admit(newToken()), { code: 'unauthorized' });
  });

  test('there is a bound of tokens', async () => {
    for (let i = 0; i < 1_000; i++) await book.create(order());
    await assert.rejects(book.create(order()), { code: 'conflict', message: /1000 tokens already/ });
  });
});
