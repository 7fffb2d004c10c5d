import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World } from '../fixtures/run-cli.ts';

describe('init', () => {
  let world: World;
  before(async () => {
    world = await World.make();
  });
  after(() => world.end());

  test('makes an app with real file names and its own name, and says what comes next', async () => {
    const ran = await world.run(['init', 'My New.App']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^Made the app my-new-app in My New\.App\. Next:$/m);
    assert.match(ran.stdout, /^ {2}cd 'My New\.App' && npm install\n {2}npm run dev$/m);
    const folder = join(world.folder, 'My New.App');
    const files = await readdir(folder);
    for (const file of ['.gitignore', 'package.json', 'fulcrum.config.ts', 'README.md']) {
      assert.ok(files.includes(file), file);
    }
    assert.ok(!files.includes('gitignore') && !files.includes('package.json.template'));
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.equal(manifest['name'], 'my-new-app');
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = await readFile(join(file.parentPath, file.name), 'utf8');
      assert.doesNotMatch(text, /__[A-Z_]+__/, file.name);
    }
    const { fulcrum } = {
      ...(manifest['dependencies'] as object),
      ...(manifest['devDependencies'] as object),
    } as {
      fulcrum: string;
    };
    assert.match(fulcrum, /^(file:\/|\^\d)/);
  });

  test('a folder with something in it is left as it is; one with only a repository is taken', async () => {
    const full = join(world.folder, 'full');
    await mkdir(full);
    await writeFile(join(full, 'precious.txt'), 'mine');
    const refused = await world.run(['init', 'full']);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /full is not empty \(precious\.txt\)\. Name a new folder; nothing was written\./,
    );
    assert.deepEqual(await readdir(full), ['precious.txt']);
    assert.match((await world.run(['init', 'full/precious.txt'])).stderr, /is a file/);

    await mkdir(join(world.folder, 'repo', '.git'), { recursive: true });
    const taken = await world.run(['init', '.', '--name', 'shop'], { cwd: join(world.folder, 'repo') });
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, /Made the app shop in this folder\. Next:\n\n {2}npm install/);
  });

  test('what cannot be a name, and a folder that was not named, are usage errors', async () => {
    const none = await world.run(['init']);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /fulcrum init DIR/);
    const odd = await world.run(['init', 'x', '--name', 'My Shop']);
    assert.equal(odd.code, 2);
    assert.match(odd.stderr, /'My Shop' gives no name for the app.*--name/);
    assert.match((await world.run(['init', '42'])).stderr, /'42' gives no name/);
    assert.deepEqual(
      (await readdir(world.folder)).filter((file) => ['x', '42'].includes(file)),
      [],
    );
  });
});
