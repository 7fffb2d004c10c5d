import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readDotEnv } from './dot-env.ts';
import { appFolder, failure } from './testing/configs.ts';

describe('readDotEnv', () => {
  it('reads .env, and .env.local over it', async (t) => {
    const directory = await appFolder(t);
    await writeFile(join(directory, '.env'), '\uFEFFA=1\nB="two\nlines"\n# C=3\nexport D=4\n');
    await writeFile(join(directory, '.env.local'), 'A=local\nE=\n');
    assert.deepEqual(
      [...(await readDotEnv(directory))],
      [
        ['A', 'local'],
        ['B', 'two\nlines'],
        ['D', '4'],
        ['E', ''],
      ],
    );
  });

  it('needs neither file, takes nothing from the process and gives it nothing', async (t) => {
    const directory = await appFolder(t);
    assert.equal((await readDotEnv(directory)).size, 0);
    await writeFile(join(directory, '.env'), 'FULCRUM_TEST_DOT_ENV=1\n');
    assert.deepEqual([...(await readDotEnv(directory)).keys()], ['FULCRUM_TEST_DOT_ENV']);
    assert.equal(process.env['FULCRUM_TEST_DOT_ENV'], undefined);
  });

  it('says which file it cannot read', async (t) => {
    const directory = await appFolder(t);
    await mkdir(join(directory, '.env'));
    const folder = await failure(readDotEnv(directory));
    assert.ok(folder.message.startsWith(`${join(directory, '.env')} could not be read`), folder.message);
    const other = await appFolder(t);
    await writeFile(join(other, '.env.local'), `A=${'x'.repeat(1024 ** 2)}`);
    const large = await failure(readDotEnv(other));
    assert.equal(large.code, 'config-invalid');
    assert.match(large.message, /\.env\.local could not be read: it is larger than 1 MB/);
  });
});
