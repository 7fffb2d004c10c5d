import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { MemorySecretStore } from './fixtures/memory-secret-store.ts';
import { KeyFile } from './key-file.ts';
import type { KeyHolder } from './keys.ts';
import { newSealKey, type SealKey } from './seal.ts';
import { keyHolder, Vault } from './vault.ts';

const MARKER = 'm4rk3r-v4lu3';

interface Stage {
  store: MemorySecretStore;
  path: string;
  open(env?: NodeJS.ProcessEnv): Promise<Vault>;
}

async function stage(t: TestContext): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'fulcrum-vault-'));
  t.after(() => rm(directory, { recursive: true }));
  const store = new MemorySecretStore();
  const path = join(directory, 'key');
  return {
    store,
    path,
    open: (env = {}) =>
      Vault.open({
        store,
        holder: keyHolder(env, path),
        clock: systemClock,
        logger: silentLogger,
        mayMakeKey: true,
      }),
  };
}

const base64 = (key: SealKey): string => key.bytes.toString('base64');

test('a value comes out for whoever names it, app by app, and lies sealed meanwhile', async (t) => {
  const { store, open } = await stage(t);
  const vault = await open();
  await vault.set('shop', 'PAYMENT_KEY', MARKER);
  await vault.set('shop', 'UNUSED', 'x');
  await vault.set('shop@staging', 'PAYMENT_KEY', 'other');
  assert.deepEqual([...(await vault.values('shop', ['PAYMENT_KEY', 'MISSING']))], [['PAYMENT_KEY', MARKER]]);
  assert.equal((await vault.values('blog', ['PAYMENT_KEY'])).size, 0);
  for (const { sealed } of store.kept.values()) assert.ok(!Buffer.from(sealed).includes(MARKER));
  const again = await open();
  assert.equal((await again.values('shop@staging', ['PAYMENT_KEY'])).get('PAYMENT_KEY'), 'other');
  assert.equal(await vault.remove('shop', 'PAYMENT_KEY'), true);
  assert.equal(await vault.remove('shop', 'PAYMENT_KEY'), false);
});

test('a list tells names and times, sorted, and nothing of values', async (t) => {
  const { store, path } = await stage(t);
  const clock = new FakeClock();
  const vault = await Vault.open({
    store,
    holder: new KeyFile(path),
    clock,
    logger: silentLogger,
    mayMakeKey: true,
  });
  await vault.set('shop', 'B', MARKER);
  await clock.advance(1_000);
  await vault.set('shop', 'A', MARKER);
  const list = await vault.list('shop');
  assert.deepEqual(
    list.map(({ name }) => name),
    ['A', 'B'],
  );
  assert.equal(list[0]!.updatedAtMs - list[1]!.updatedAtMs, 1_000);
  assert.deepEqual(Object.keys(list[0]!), ['name', 'updatedAtMs']);
});

test('names and values that no environment variable can have are refused, and the value is not told', async (t) => {
  const vault = await (await stage(t)).open();
  const CASES: [string, string, RegExp][] = [
    ['1A', MARKER, /'1A' cannot be a secret's name/],
    ['A-B', MARKER, /cannot be a secret's name/],
    ['', MARKER, /cannot be a secret's name/],
    ['A'.repeat(201), MARKER, /at most 200/],
    ['A', `${MARKER}\0`, /NUL/],
    ['A', `${MARKER}\uD800`, /Unicode/],
    ['A', MARKER.padEnd(64 * 1024 + 1), /longer than 64 KB/],
    ['A', '€'.repeat(22_000), /longer than 64 KB/],
  ];
  for (const [name, value, message] of CASES) {
    await assert.rejects(vault.set('shop', name, value), (error: Error & { code: string }) => {
      assert.equal(error.code, 'bad-request');
      assert.match(error.message, message);
      assert.ok(!error.message.includes(MARKER));
      return true;
    });
  }
  await vault.set('shop', '_a1', 'x'.repeat(64 * 1024));
  await vault.set('shop', 'EMPTY', '');
  assert.equal((await vault.values('shop', ['EMPTY'])).get('EMPTY'), '');
});

test('an app has a bound of secrets; what is there can still be changed', async (t) => {
  const vault = await (await stage(t)).open();
  for (let i = 0; i < 500; i++) await vault.set('shop', `S${i}`, 'v');
  await assert.rejects(vault.set('shop', 'ONE_MORE', 'v'), /may have 500 secrets/);
  await vault.set('shop', 'S0', 'w');
  await vault.set('blog', 'S0', 'v');
});

describe('a wrong key', () => {
  test('fails what needs the secret, with its name, the key that is needed and the one that is there', async (t) => {
    const { store, path, open } = await stage(t);
    await (await open()).set('shop', 'A', 'v');
    const needed = [...store.kept.values()][0]!.keyId;
    const lost = await readFile(path, 'utf8');
    const other = newSealKey();
    await writeFile(path, base64(other));
    const vault = await open();
    await vault.set('blog', 'B', 'w');
    assert.equal((await vault.values('blog', ['B'])).get('B'), 'w', 'other apps do not mind');
    await assert.rejects(vault.values('shop', ['A']), {
      code: 'secret-key-invalid',
      message: `The secret A of 'shop' was sealed with the key ${needed}, and the one in the key file ${path} is ${other.id}. Give the server that key too, as a further line of the file, or set the secret again with \`fulcrum secrets set A --app shop\`.`,
    });
    await assert.rejects((await open({ FULCRUM_KEY: base64(other) })).values('shop', ['A']), {
      message: new RegExp(
        `with the key ${needed}, and the one in FULCRUM_KEY is ${other.id}\\. .*in FULCRUM_PREVIOUS_KEY`,
      ),
    });
    // As it says: a further line.
    await writeFile(path, `${base64(other)}\n${lost.split('\n').findLast((line) => line !== '')!}\n`);
    assert.equal((await (await open()).values('shop', ['A'])).get('A'), 'v');
    assert.equal(store.kept.get('shop A')!.keyId, other.id, 'and it is sealed with the key of now');
  });

  test('is told at the start for the log, by the names of what does not open', async (t) => {
    const { store, path, open } = await stage(t);
    const vault = await open();
    for (let i = 0; i < 25; i++) await vault.set('shop', `S${i}`, 'v');
    await writeFile(path, base64(newSealKey()));
    const told: string[] = [];
    const logger = { ...silentLogger, error: (_: object, text: string) => void told.push(text) };
    await Vault.open({ store, holder: new KeyFile(path), clock: systemClock, logger, mayMakeKey: true });
    assert.equal(told.length, 1);
    assert.match(told[0]!, /apps cannot start: S0 of 'shop', .* and 5 more$/);
  });

  test('none is made where other servers may share the store, unless that is wanted', async (t) => {
    const { store, path, open } = await stage(t);
    const shared = (env: NodeJS.ProcessEnv) =>
      Vault.open({
        store,
        holder: keyHolder(env, path),
        clock: systemClock,
        logger: silentLogger,
        mayMakeKey: false,
      });
    await assert.rejects(shared({}), {
      code: 'secret-key-invalid',
      message: /^With DATABASE_URL every server .* the same key .* FULCRUM_KEY .*--make-key/,
    });
    await assert.rejects(readFile(path), { code: 'ENOENT' });
    await shared({ FULCRUM_KEY: base64(newSealKey()) });
    await open();
    await shared({});
  });

  test('a lost key file is not replaced while there are secrets', async (t) => {
    const { path, open } = await stage(t);
    await (await open()).set('shop', 'A', 'v');
    await rm(path);
    await assert.rejects(open(), { code: 'secret-key-invalid', message: /the key file .* is not there\./ });
    await assert.rejects(readFile(path), { code: 'ENOENT' });
  });

  test('a secret that was changed or moved is told by its name', async (t) => {
    const { store, open } = await stage(t);
    const vault = await open();
    await vault.set('shop', 'A', 'v');
    await vault.set('blog', 'A', 'w');
    store.kept.set('shop A', { ...store.kept.get('blog A')!, app: 'shop' });
    await assert.rejects(vault.values('shop', ['A']), {
      code: 'secret-damaged',
      message: /^The secret A of 'shop' is not what was sealed for it.*fulcrum secrets set A --app shop/,
    });
    assert.equal((await vault.values('blog', ['A'])).get('A'), 'w');
  });
});

describe('rotation', () => {
  const SECRETS = 250;

  async function fill(vault: Vault): Promise<void> {
    for (let i = 0; i < SECRETS; i++)
      await vault.set(i % 2 === 0 ? 'shop' : 'blog', `S${i}`, `${MARKER} ${i}`);
  }

  async function assertWhole(vault: Vault, { store, path }: Stage): Promise<void> {
    const names = Array.from({ length: SECRETS }, (_, i) => `S${i}`);
    const [shop, blog] = await Promise.all([vault.values('shop', names), vault.values('blog', names)]);
    for (let i = 0; i < SECRETS; i++) {
      assert.equal((i % 2 === 0 ? shop : blog).get(`S${i}`), `${MARKER} ${i}`);
    }
    const keys = (await new KeyFile(path).read())!;
    assert.deepEqual([...new Set([...store.kept.values()].map(({ keyId }) => keyId))], [keys.current.id]);
  }

  test('seals everything with a new key; the old one stays for what is older', async (t) => {
    const here = await stage(t);
    const vault = await here.open();
    await fill(vault);
    const before = (await new KeyFile(here.path).read())!.current.id;
    const { keyId, resealed } = await vault.rotate();
    assert.notEqual(keyId, before);
    assert.equal(resealed, SECRETS);
    assert.deepEqual(
      (await new KeyFile(here.path).read())!.retired.map(({ id }) => id),
      [before],
    );
    await assertWhole(vault, here);
    await assertWhole(await here.open(), here);
  });

  test('a set, a removal and a reading while it runs lose nothing', async (t) => {
    const here = await stage(t);
    const vault = await here.open();
    await fill(vault);
    const [, , , seen] = await Promise.all([
      vault.rotate(),
      vault.set('shop', 'S0', `${MARKER} 0`),
      vault.set('new', 'N', 'n'),
      vault.values('shop', ['S2']),
      vault.rotate(),
      vault.values('shop', ['S4']),
    ]);
    assert.equal(seen.get('S2'), `${MARKER} 2`);
    await assertWhole(await here.open(), here);
  });

  /** A key holder and a store whose process is killed at one of their writes: before it, or when it has been done. */
  class Killed extends Error {}
  for (let step = 0; step < 8; step++) {
    test(`killed at its step ${step}, it is ended at the next start`, async (t) => {
      const here = await stage(t);
      await fill(await here.open());
      let left = step;
      const mayDie = (): void => {
        if (left-- <= 0) throw new Killed();
      };
      const file = new KeyFile(here.path);
      const holder: KeyHolder = {
        label: file.label,
        read: () => file.read(),
        create: (key) => file.create(key),
        async change(change) {
          mayDie();
          const keys = await file.change(change);
          mayDie();
          return keys;
        },
      };
      const { store } = here;
      const dying = await Vault.open({
        store,
        holder,
        clock: systemClock,
        logger: silentLogger,
        mayMakeKey: true,
      });
      const replace = store.replace.bind(store);
      store.replace = async (pairs) => {
        mayDie();
        const replaced = await replace(pairs);
        mayDie();
        return replaced;
      };
      // Key, three batches: each may die before and after.
      await assert.rejects(dying.rotate(), Killed);
      store.replace = replace;
      const next = await here.open();
      await assertWhole(next, here);
      await next.rotate();
      await assertWhole(next, here);
    });
  }

  test('one damaged secret is told, and the others get the new key', async (t) => {
    const here = await stage(t);
    const vault = await here.open();
    await vault.set('shop', 'A', 'a');
    await vault.set('shop', 'B', 'b');
    const good = here.store.kept.get('shop A')!;
    here.store.kept.set('shop A', { ...good, sealed: good.sealed.slice(0, -1) });
    const { keyId, resealed, unopened } = await vault.rotate();
    assert.deepEqual([resealed, unopened], [1, ["A of 'shop'"]]);
    const next = await here.open();
    assert.equal((await next.values('shop', ['B'])).get('B'), 'b');
    await assert.rejects(next.values('shop', ['A']), { code: 'secret-damaged' });
    assert.deepEqual(await next.forgetKeys(), { keyId, forgotten: [], kept: [good.keyId] });
    await next.set('shop', 'A', 'a again');
    assert.deepEqual(await next.forgetKeys(), { keyId, forgotten: [good.keyId], kept: [] });
    assert.equal((await next.values('shop', ['A'])).get('A'), 'a again');
  });

  test('what was backed up before it can be restored, until its key is forgotten', async (t) => {
    const here = await stage(t);
    const vault = await here.open();
    await vault.set('shop', 'A', MARKER);
    const backup = new Map(here.store.kept);
    await vault.rotate();
    await vault.rotate();
    const restore = (): void => {
      here.store.kept.clear();
      for (const [key, secret] of backup) here.store.kept.set(key, secret);
    };
    restore();
    const restored = await here.open();
    assert.equal((await restored.values('shop', ['A'])).get('A'), MARKER);
    const { current } = (await new KeyFile(here.path).read())!;
    assert.equal(here.store.kept.get('shop A')!.keyId, current.id, 'it is sealed with the key of now');

    assert.equal((await restored.forgetKeys()).forgotten.length, 2);
    assert.deepEqual((await new KeyFile(here.path).read())!.retired, []);
    await restored.set('shop', 'B', 'b');
    restore();
    await assert.rejects((await here.open()).values('shop', ['A']), { code: 'secret-key-invalid' });
  });

  for (const forgets of [false, true]) {
    const also = forgets ? ' and forgets its key' : '';
    test(`a set, while another server rotates${also}, is sealed with the key of now`, async (t) => {
      const here = await stage(t);
      const [one, other] = [await here.open(), await here.open()];
      await other.set('shop', 'B', 'b');
      const put = here.store.put.bind(here.store);
      let first = true;
      here.store.put = async (secret) => {
        if (first) {
          first = false;
          await other.rotate();
          if (forgets) await other.forgetKeys();
        }
        return put(secret);
      };
      await one.set('shop', 'A', MARKER);
      const { current } = (await new KeyFile(here.path).read())!;
      for (const { keyId } of here.store.kept.values()) assert.equal(keyId, current.id);
      assert.equal((await (await here.open()).values('shop', ['A'])).get('A'), MARKER);
    });
  }

  test('where two servers rotate at once, both keys are kept, and all is sealed with one of them', async (t) => {
    const here = await stage(t);
    const [one, other] = [await here.open(), await here.open()];
    await fill(one);
    await Promise.all([one.rotate(), other.rotate()]);
    assert.equal((await new KeyFile(here.path).read())!.retired.length, 2);
    await assertWhole(await here.open(), here);
  });

  test('where the key is FULCRUM_KEY it is changed by a start with both', async (t) => {
    const { store, open } = await stage(t);
    const [first, second] = [newSealKey(), newSealKey()];
    const vault = await open({ FULCRUM_KEY: base64(first) });
    await vault.set('shop', 'A', MARKER);
    await assert.rejects(vault.rotate(), {
      code: 'conflict',
      message: /^The key comes from FULCRUM_KEY: .*FULCRUM_PREVIOUS_KEY/,
    });
    const both = { FULCRUM_KEY: base64(second), FULCRUM_PREVIOUS_KEY: base64(first) };
    assert.equal((await (await open(both)).values('shop', ['A'])).get('A'), MARKER);
    assert.equal(store.kept.get('shop A')!.keyId, second.id);
    await assert.rejects((await open(both)).rotate(), { code: 'conflict' });
    await assert.rejects((await open(both)).forgetKeys(), { code: 'conflict' });
    const after = await open({ FULCRUM_KEY: base64(second) });
    assert.equal((await after.values('shop', ['A'])).get('A'), MARKER);
  });

  test('another server of the machine changes the key: this one reads it again, and seals with it', async (t) => {
    const { open } = await stage(t);
    const [one, other] = [await open(), await open()];
    await one.set('shop', 'A', MARKER);
    await other.rotate();
    assert.equal((await one.values('shop', ['A'])).get('A'), MARKER);
    await other.rotate();
    await one.set('shop', 'B', MARKER);
    assert.equal((await (await open()).values('shop', ['B'])).get('B'), MARKER, 'sealed with the key of now');
    await one.rotate();
    await other.set('shop', 'C', MARKER);
    assert.equal((await (await open()).values('shop', ['C'])).get('C'), MARKER);
  });
});
