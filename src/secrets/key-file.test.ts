import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { KeyFile } from './key-file.ts';
import { keyOf, KeyVariable } from './key-variable.ts';
import { newSealKey } from './seal.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fulcrum-key-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('a key file is made for its owner alone, and read again', async (t) => {
  const path = join(await folder(t), 'key');
  const file = new KeyFile(path);
  assert.equal(await file.read(), null);
  const key = newSealKey();
  assert.equal((await file.create(key)).current.id, key.id);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const next = newSealKey();
  await file.change(({ current }) => ({ current: next, retired: [current] }));
  const read = await new KeyFile(path).read();
  assert.deepEqual([read?.current.id, ...read!.retired.map(({ id: retired }) => retired)], [next.id, key.id]);
  assert.deepEqual(read?.current.bytes, next.bytes);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(path, '..')), ['key'], 'nothing half written is left');
});

test('of two servers that make the key at once both have the same one', async (t) => {
  const path = join(await folder(t), 'key');
  const made = await Promise.all([1, 2, 3, 4].map(() => new KeyFile(path).create(newSealKey())));
  assert.equal(new Set(made.map(({ current }) => current.id)).size, 1);
  const late = await new KeyFile(path).create(newSealKey());
  assert.equal(late.current.id, made[0]!.current.id, 'whoever comes late takes the one that is there');
});

test('of two servers that change the keys at once neither takes the other’s away', async (t) => {
  const path = join(await folder(t), 'key');
  await new KeyFile(path).create(newSealKey());
  const added = Array.from({ length: 8 }, () => newSealKey());
  await Promise.all(
    added.map((key) =>
      new KeyFile(path).change(({ current, retired }) => ({ current: key, retired: [current, ...retired] })),
    ),
  );
  const { current, retired } = (await new KeyFile(path).read())!;
  const ids = new Set([current, ...retired].map(({ id }) => id));
  for (const { id } of added) assert.ok(ids.has(id));
  assert.equal(ids.size, 9);
});

test('the lock of a server that was killed is in nobody’s way', async (t) => {
  const path = join(await folder(t), 'key');
  const file = new KeyFile(path);
  await file.create(newSealKey());
  await writeFile(`${path}.lock`, '');
  await utimes(`${path}.lock`, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
  const next = newSealKey();
  await file.change(({ current }) => ({ current: next, retired: [current] }));
  assert.equal((await file.read())!.current.id, next.id);
  assert.deepEqual(await readdir(join(path, '..')), ['key']);
});

test('a file with too many keys takes no more, and says what to do', async (t) => {
  const path = join(await folder(t), 'key');
  const file = new KeyFile(path);
  await file.create(newSealKey());
  const retired = Array.from({ length: 49 }, newSealKey);
  await file.change(({ current }) => ({ current, retired }));
  await assert.rejects(
    file.change((keys) => ({ current: newSealKey(), retired: [keys.current, ...keys.retired] })),
    { code: 'conflict', message: /50 keys already.*fulcrum secrets forget-keys/ },
  );
  assert.equal((await file.read())!.retired.length, 49);
});

test('a key file that others can read, that is none or that was damaged is refused, with what is wrong', async (t) => {
  const directory = await folder(t);
  const path = join(directory, 'key');
  const { id, bytes } = newSealKey();
  const text = bytes.toString('base64');
  const CASES: [string, number, RegExp][] = [
    [`${id} ${text}\n`, 0o640, /can be read by others; run `chmod 600`/],
    [`${id} ${text}\n`, 0o604, /can be read by others/],
    [`${id} ${text}\n`, 0o620, /can be read by others/],
    ['', 0o600, /has to hold one key/],
    [`${text}\n`.repeat(51), 0o600, /has to hold one key, or up to 50/],
    [`0123456789ab ${text}\n`, 0o600, /says that its key is 0123456789ab, and what it holds is /],
    [`${id} ${text.slice(4)}\n`, 0o600, /is no key: it has to be 32 bytes in base64/],
    ['x'.repeat(5_000), 0o600, /is too long/],
  ];
  for (const [content, mode, message] of CASES) {
    await writeFile(path, content);
    await chmod(path, mode);
    await assert.rejects(new KeyFile(path).read(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'secret-key-invalid');
      assert.match(error.message, message);
      assert.ok(!error.message.includes(text.slice(4)), 'the key itself is not told');
      return true;
    });
  }
  await assert.rejects(new KeyFile(directory).read(), /secret-key-invalid|is no file|cannot be read/);
});

test('a file with nothing but a key, and one that a link leads to, are taken', async (t) => {
  const directory = await folder(t);
  const key = newSealKey();
  await writeFile(join(directory, 'real'), `${key.bytes.toString('base64url')}\n`, { mode: 0o600 });
  await symlink('real', join(directory, 'key'));
  assert.equal((await new KeyFile(join(directory, 'key')).read())?.current.id, key.id);
});

test('what is written says how to keep it', async (t) => {
  const path = join(await folder(t), 'key');
  await new KeyFile(path).create(newSealKey());
  assert.match(await readFile(path, 'utf8'), /^# The key for Fulcrum's secrets.*\n# Keep it from others/);
});

test('FULCRUM_KEY has to be 32 bytes in base64, and is not told where it is not', () => {
  const { bytes, id } = newSealKey();
  assert.equal(keyOf(` ${bytes.toString('base64')}\n`, 'x').id, id);
  assert.equal(keyOf(bytes.toString('base64url'), 'x').id, id);
  for (const wrong of [
    '',
    'hunter2',
    bytes.toString('hex'),
    bytes.toString('base64').slice(1),
    `${'A'.repeat(42)}!=`,
  ]) {
    assert.throws(
      () => new KeyVariable(wrong, null),
      (error: Error & { code: string }) =>
        error.code === 'secret-key-invalid' &&
        error.message.startsWith('FULCRUM_KEY is no key') &&
        (wrong === '' || !error.message.includes(wrong)),
    );
  }
  assert.throws(
    () => new KeyVariable(bytes.toString('base64'), 'x'),
    /^FulcrumError: FULCRUM_PREVIOUS_KEY is no key/,
  );
});
