import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { hostPlatform, type Platform as Machine } from '../base/platform.ts';
import { checkManifest } from '../release/manifest.ts';
import { blobTar } from '../release/packing/blob-tar.ts';
import { takeBlobs } from '../release/take-blobs.ts';
import { FolderBlobs } from '../release/testing/folders.ts';
import { packApp, readApp, type PackedApp } from './pack-app.ts';
import { Platform } from './platform.ts';
import type { Prepared } from './prepare.ts';
import { preparedRelease } from './prepared-release.ts';
import { placeReleaseTree } from './release-tree.ts';
import { componentFiles } from './sandbox-files.ts';

const SHOP = join(import.meta.dirname, '../../examples/shop');
const SECRETS = new Map([
  ['CART_KEY', 'k'.repeat(32)],
  ['PAYMENT_KEY', 'p'.repeat(32)],
]);

function folder(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-server-release-')));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

function app(t: TestContext, tree: Readonly<Record<string, string>>): string {
  const directory = folder(t);
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

function shop(t: TestContext): string {
  const directory = folder(t);
  cpSync(SHOP, directory, {
    recursive: true,
    filter: (path) => !/\.fulcrum|\/data(\/|$)|\.env/.test(path.slice(SHOP.length)),
  });
  return directory;
}

async function pack(directory: string, platform: Machine | null = hostPlatform()): Promise<PackedApp> {
  const o = { directory, environment: 'production', version: '0.1.0' };
  return packApp(await readApp(o), o, platform);
}

/** What a server does with releases, without the server: blobs, trees, storage. */
class Data {
  readonly directory: string;
  readonly blobs: FolderBlobs;
  #releases = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.blobs = new FolderBlobs(join(directory, 'blobs'));
  }

  /** Sends what is missing. @returns how many files that were. */
  async upload({ manifest, sources }: PackedApp): Promise<number> {
    const missing = new Set(await this.blobs.missing([...sources.keys()]));
    const { stored } = await takeBlobs(
      blobTar([...sources].filter(([digest]) => missing.has(digest))),
      this.blobs,
    );
    checkManifest(JSON.parse(JSON.stringify(manifest)));
    return stored;
  }

  async prepared(packed: PackedApp, secrets: ReadonlyMap<string, string> = SECRETS): Promise<Prepared> {
    await this.upload(packed);
    this.#releases += 1;
    const manifest = checkManifest(JSON.parse(JSON.stringify(packed.manifest)));
    const directory = join(this.directory, 'releases', String(this.#releases));
    const storageDirectory = join(this.directory, 'storage');
    await placeReleaseTree({ manifest, directory, storageDirectory, blobs: this.blobs });
    return preparedRelease({ manifest, directory, storageDirectory, secrets });
  }
}

async function serving(
  t: TestContext,
  prepared: Prepared,
): Promise<{ get(path: string): Promise<Response>; platform: Platform }> {
  const platform = await Platform.start({
    dataDirectory: folder(t),
    databaseUrl: null,
    environment: 'production',
    clock: systemClock,
    processClock: systemClock,
    serverTiming: false,
    isAlone: true,
  });
  t.after(() => platform.close(1_000));
  await platform.deploy(prepared);
  const { gatewayUrl } = await platform.listen({ gatewayPorts: [0], adminPorts: null, host: '127.0.0.1' });
  return { get: (path) => fetch(`${gatewayUrl}${path}`), platform };
}

async function refusal(promise: Promise<unknown>): Promise<FulcrumError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FulcrumError, String(error));
  return error;
}

const CONFIG = (components: string): string => `export default { name: 'small', components: ${components} };`;
const HELLO = `export default { fetch: () => new Response('hello') };`;

void suite('a release, from the app’s folder to what serves', () => {
  void test('the shop serves from what was unpacked: modules, a command, files, calls between them', async (t) => {
    const directory = shop(t);
    const packed = await pack(directory);
    const data = new Data(folder(t));
    const prepared = await data.prepared(packed);
    // Nothing of the folder it came from is needed any more.
    renameSync(directory, `${directory}-gone`);
    t.after(() => rmSync(`${directory}-gone`, { recursive: true, force: true }));
    const { get } = await serving(t, prepared);
    assert.match(await (await get('/')).text(), /Good tools/);
    assert.equal((await get('/api/catalog')).status, 200);
    assert.equal((await get('/account/health')).status, 200);
    assert.match(await (await get('/assets/shop.css')).text(), /\{/);
  });

  void test('only what changed is uploaded', async (t) => {
    const directory = shop(t);
    const data = new Data(folder(t));
    const first = await pack(directory);
    assert.equal(await data.upload(first), first.sources.size);
    assert.equal(await data.upload(await pack(directory)), 0);
    writeFileSync(join(directory, 'public/shop.css'), 'body { color: red }');
    assert.equal(await data.upload(await pack(directory)), 1);
    // A source, its bundle and the bundle's map.
    const catalog = join(directory, 'catalog/main.ts');
    writeFileSync(catalog, `${readFileSync(catalog, 'utf8')}\nexport const added = 1;\n`);
    assert.equal(await data.upload(await pack(directory)), 3);
  });

  void test('an upload that broke off goes on where it stopped', async (t) => {
    const packed = await pack(shop(t));
    const data = new Data(folder(t));
    const half = async function* (): AsyncGenerator<Uint8Array> {
      let bytes = 0;
      for await (const piece of blobTar([...packed.sources])) {
        bytes += piece.length;
        if (bytes > 60_000) throw new FulcrumError('client-gone', 'The client went away.');
        yield piece;
      }
    };
    await refusal(takeBlobs(half(), data.blobs));
    const kept = data.blobs.puts.length;
    assert.ok(kept > 0 && kept < packed.sources.size, String(kept));
    assert.equal(await data.upload(packed), packed.sources.size - kept);
  });

  void test('the same app gives the same manifest, wherever it lies', async (t) => {
    const deeper = join(folder(t), 'much/deeper/down');
    cpSync(shop(t), deeper, { recursive: true });
    const [one, other] = await Promise.all([pack(shop(t)), pack(deeper)]);
    assert.deepEqual(one.manifest, other.manifest);
  });

  void test('revisions are the same in every release until something of theirs changes', async (t) => {
    const directory = shop(t);
    const data = new Data(folder(t));
    const ids = async (): Promise<Record<string, string>> => {
      const { revisions } = await data.prepared(await pack(directory));
      return Object.fromEntries([...revisions].map(([name, { id }]) => [name, id]));
    };
    const first = await ids();
    assert.deepEqual(await ids(), first);
    const changed = async (path: string, more: string): Promise<string[]> => {
      const before = await ids();
      const at = join(directory, path);
      writeFileSync(at, `${readFileSync(at, 'utf8')}${more}`);
      const after = await ids();
      return Object.keys(after)
        .filter((name) => before[name] !== after[name])
        .toSorted();
    };
    const all = Object.keys(first).toSorted();
    // Code counts for the component it is bundled into, and for a command, which may run anything.
    assert.deepEqual(await changed('catalog/main.ts', '\nexport const added = 1;\n'), ['account', 'catalog']);
    // Data counts for everybody: who reads it is not known.
    assert.deepEqual(await changed('public/shop.css', '\n'), all);
    assert.deepEqual(await changed('account/server.js', '\n'), all);
  });

  void test('a module finds files beside it, a package outside its bundle, and what it stored', async (t) => {
    const directory = app(t, {
      'fulcrum.config.ts': CONFIG(
        `{ a: { entry: './deep/a.ts', routes: ['/*'], mode: 'service', storage: ['./data'] } }`,
      ),
      'deep/a.ts': `
        import { existsSync, readFileSync, writeFileSync } from 'node:fs';
        import { join } from 'node:path';
        import native from 'native';
        import { text } from 'beside';
        const file = join(import.meta.dirname, '../data/count');
        export default { fetch() {
          const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
          writeFileSync(file, String(before + 1));
          const greeting = readFileSync(new URL('./greeting.txt', import.meta.url), 'utf8');
          return Response.json({ greeting, native, text: text(), before });
        } };`,
      'deep/greeting.txt': 'hello',
      'data/count': '41',
      'node_modules/native/package.json':
        '{ "name": "native", "gypfile": true, "dependencies": { "of-native": "1" } }',
      'node_modules/native/index.js': `module.exports = 'native with ' + require('of-native');`,
      'node_modules/of-native/package.json': '{ "name": "of-native" }',
      'node_modules/of-native/index.js': `module.exports = 'its own';`,
      'node_modules/beside/package.json': '{ "name": "beside" }',
      'node_modules/beside/index.js': `exports.text = () => require('fs').readFileSync(__dirname + '/data.txt', 'utf8');`,
      'node_modules/beside/data.txt': 'beside its code',
      'node_modules/unused/package.json': '{ "name": "unused" }',
    });
    const packed = await pack(directory);
    assert.ok(!packed.manifest.files.some(({ path }) => path.includes('unused') || path.startsWith('data')));
    const data = new Data(folder(t));
    const prepared = await data.prepared(packed);
    rmSync(directory, { recursive: true });
    const first = await serving(t, prepared);
    const expected = { greeting: 'hello', native: 'native with its own', text: 'beside its code' };
    assert.deepEqual(await (await first.get('/')).json(), { ...expected, before: 0 });
    assert.deepEqual(await (await first.get('/')).json(), { ...expected, before: 1 });
    // The next release finds it again.
    const second = await serving(t, await data.prepared(packed));
    assert.deepEqual(await (await second.get('/')).json(), { ...expected, before: 2 });
  });

  void test('a native package that a workspace keeps above the app comes along', async (t) => {
    const root = app(t, {
      'apps/one/fulcrum.config.ts': CONFIG(`{ a: { entry: './a.ts', routes: ['/*'] } }`),
      'apps/one/a.ts': `import native from 'native'; import orm from 'orm'; export default { fetch: () => new Response(native + ', ' + orm) };`,
      'node_modules/native/package.json': '{ "name": "native", "gypfile": true }',
      'node_modules/native/index.js': `module.exports = 'hoisted';`,
      'node_modules/orm/package.json': '{ "name": "orm" }',
      'node_modules/orm/index.js': `module.exports = 'orm with ' + require('driver');`,
      'node_modules/orm/node_modules/driver/package.json': '{ "name": "driver", "gypfile": true }',
      'node_modules/orm/node_modules/driver/index.js': `module.exports = 'its driver';`,
    });
    const prepared = await new Data(folder(t)).prepared(await pack(join(root, 'apps/one')));
    rmSync(root, { recursive: true });
    const { get } = await serving(t, prepared);
    assert.equal(await (await get('/')).text(), 'hoisted, orm with its driver');
  });

  void test('secrets stay references: no value goes into a manifest, no .env along', async (t) => {
    const value = 'sk_live_do_not_tell';
    const tree = {
      '.env': `KEY=${value}\n`,
      '.env.local': `KEY=${value}\n`,
      'a.ts': HELLO,
      'fulcrum.config.ts': `import { defineApp, secret } from 'fulcrum';
        export default defineApp({ name: 'small', components: { a: { entry: './a.ts', env: { KEY: secret('KEY') } } } });`,
    };
    const packed = await pack(app(t, tree));
    assert.ok(!JSON.stringify(packed.manifest).includes(value));
    assert.ok(!packed.manifest.files.some(({ path }) => path.includes('.env')));
    for (const { source } of packed.sources.values())
      assert.ok(!readFileSync(source, 'utf8').includes(value));
    assert.deepEqual((packed.manifest.config as { components: { a: { env: unknown } } }).components.a.env, {
      KEY: { $secret: 'KEY' },
    });

    const read = `import { readFileSync } from 'node:fs';
      const KEY = readFileSync('${join(app(t, tree), '.env')}', 'utf8').trim().split('=')[1];
      export default { name: 'small', components: { a: { entry: './a.ts', env: { KEY: { $secret: 'KEY' }, URL: 'https://x:' + KEY + '@db' } } } };`;
    const error = await refusal(pack(app(t, { ...tree, 'fulcrum.config.ts': read })));
    assert.equal(error.code, 'package-failed');
    assert.match(error.message, /components\.a\.env\.URL in the config holds the value of the secret KEY/);
    assert.ok(!error.message.includes(value));
  });

  void test('a secret without a value says how to set it, and no path of the server', async (t) => {
    const data = new Data(folder(t));
    const error = await refusal(data.prepared(await pack(shop(t)), new Map([['CART_KEY', 'x']])));
    assert.equal(error.code, 'secret-missing');
    assert.match(error.message, /PAYMENT_KEY.*fulcrum secrets set NAME --app shop/s);
    assert.ok(!JSON.stringify([error.message, error.details]).includes(data.directory));
  });

  void test('absolute paths into the app become relative; those out of it are refused', async (t) => {
    const directory = app(t, {
      'fulcrum.config.ts': `import { join } from 'node:path';
        export default { name: 'small', components: { a: { entry: join(import.meta.dirname, 'a.ts'), routes: ['/*'] } } };`,
      'a.ts': HELLO,
    });
    const { manifest } = await pack(directory);
    assert.deepEqual(manifest.config, {
      name: 'small',
      components: { a: { entry: './a.ts', routes: ['/*'] } },
    });

    const outside = app(t, { 'site/index.html': 'x' });
    for (const [component, expected] of [
      [`{ static: '${join(outside, 'site')}', routes: ['/*'] }`, /components\.a\.static lies outside/],
      [`{ command: 'node x.js', cwd: '${outside}' }`, /components\.a\.cwd lies outside/],
      [`{ static: './linked', routes: ['/*'] }`, /components\.a\.static lies outside/],
      [`{ static: './empty', routes: ['/*'] }`, /components\.a\.static \('empty'\) has no file/],
      [`{ static: './ignored', routes: ['/*'] }`, /components\.a\.static \('ignored'\) has no file/],
    ] as const) {
      const bad = app(t, {
        'fulcrum.config.ts': CONFIG(`{ a: ${component} }`),
        '.fulcrumignore': '/linked\n/ignored\n',
        'ignored/x': '',
      });
      mkdirSync(join(bad, 'empty'));
      symlinkSync(join(outside, 'site'), join(bad, 'linked'));
      const error = await refusal(pack(bad));
      assert.equal(error.code, 'package-failed', component);
      assert.match(error.message, expected);
    }
  });

  void test('native code for another platform is refused with the package’s name, and none is built twice', async (t) => {
    const directory = app(t, {
      'fulcrum.config.ts': CONFIG(`{ a: { entry: './a.ts' } }`),
      'a.ts': `import db from 'db'; export default { fetch: () => new Response(db) };`,
      'node_modules/db/package.json': '{ "name": "db", "version": "2.0.0" }',
      'node_modules/db/index.js': `module.exports = 1;`,
    });
    mkdirSync(join(directory, 'node_modules/db/build/Release'), { recursive: true });
    cpSync(process.execPath, join(directory, 'node_modules/db/build/Release/db.node'));
    const there = hostPlatform();
    const { manifest } = await pack(directory, there);
    assert.deepEqual(manifest.platform, there);
    const error = await refusal(pack(directory, { ...there, arch: there.arch === 'x64' ? 'arm64' : 'x64' }));
    assert.equal(error.code, 'platform-mismatch');
    assert.match(error.message, /db is built for .*\(node_modules\/db\/build\/Release\/db\.node\)/);
  });

  void test('a release for another platform is refused by the server too', async (t) => {
    const packed = await pack(
      app(t, { 'fulcrum.config.ts': CONFIG(`{ a: { entry: './a.ts' } }`), 'a.ts': HELLO }),
    );
    const manifest = { ...packed.manifest, platform: { os: 'plan9', arch: 'mips', libc: null } };
    const error = await refusal(new Data(folder(t)).prepared({ ...packed, manifest }));
    assert.equal(error.code, 'platform-mismatch');
    assert.match(error.message, /plan9 mips/);
  });

  void test('what the config says is validated again, and told without paths of the server', async (t) => {
    const packed = await pack(
      app(t, { 'fulcrum.config.ts': CONFIG(`{ a: { entry: './a.ts' } }`), 'a.ts': HELLO }),
    );
    const with_ = (config: object): PackedApp => ({
      ...packed,
      manifest: { ...packed.manifest, config: { name: 'small', ...config } },
    });
    for (const [config, code, expected] of [
      [
        { components: { a: { entry: '/etc/hostnam' } } },
        'manifest-invalid',
        /entry.*outside the app's folder\.$/,
      ],
      [{ components: { a: { entry: './not-there.ts' } } }, 'config-invalid', /there is no such file/],
      [{ components: { a: { entry: './a.ts', memory: 'much' } } }, 'config-invalid', /memory/],
      [{ components: { a: { entry: './a.ts', storage: ['../../../../etc'] } } }, 'config-invalid', /storage/],
      [
        { components: { a: { entry: './a.ts', storage: ['./.fulcrum/bundles'] } } },
        'manifest-invalid|config-invalid',
        /fulcrum/,
      ],
      [
        { components: { a: { entry: './a.ts', storage: ['./a.ts'] } } },
        'manifest-invalid',
        /'a\.ts' is listed twice.*stores/,
      ],
      [
        { components: { a: { entry: './a.ts' }, b: { entry: './a.ts' } } },
        'manifest-invalid',
        /module 'b', and the manifest no bundle/,
      ],
      [{ components: { a: { static: '../../..' } } }, 'manifest-invalid', /static/],
      [
        { components: { a: { static: '../../blobs' } } },
        'manifest-invalid',
        /components\.a\.static in the config lies outside/,
      ],
      [
        { components: { a: { static: '/etc' } } },
        'manifest-invalid',
        /components\.a\.static in the config lies outside/,
      ],
      [
        { components: { a: { command: 'x', cwd: '/' } } },
        'manifest-invalid',
        /components\.a\.cwd in the config lies outside/,
      ],
    ] as const) {
      const data = new Data(folder(t));
      const error = await refusal(data.prepared(with_(config)));
      assert.match(error.code, new RegExp(`^(?:${code})$`), `${JSON.stringify(config)} ${error.message}`);
      assert.match(error.message, expected);
      assert.ok(!JSON.stringify([error.message, error.details]).includes(data.directory), error.message);
      assert.ok(!existsSync('/etc/.draft'));
    }
  });

  void suite('what components store is no way out', () => {
    const SECRET = 'root only';
    /** A release of these files, links (path → target) and config, as anybody may make one who may deploy. */
    const packed = async (
      t: TestContext,
      components: object,
      links: Readonly<Record<string, string>> = {},
    ): Promise<PackedApp> => {
      const given = await pack(
        app(t, { 'fulcrum.config.ts': CONFIG(`{ a: { entry: './a.ts' } }`), 'a.ts': HELLO, 'pub/x': 'x' }),
      );
      const made = Object.entries(links).map(([path, target]) => ({ kind: 'link' as const, path, target }));
      const { files } = given.manifest;
      const manifest = {
        ...given.manifest,
        files: [...files, ...made],
        config: { name: 'small', components },
      };
      return { ...given, manifest };
    };
    /** Where an earlier release's component, which stores in `data`, has put a link to a folder of the server's. */
    const planted = (t: TestContext): Data => {
      const data = new Data(folder(t));
      mkdirSync(join(data.directory, 'storage/data'), { recursive: true });
      mkdirSync(join(data.directory, 'closed'), { mode: 0o700 });
      writeFileSync(join(data.directory, 'closed/secret.ts'), SECRET);
      symlinkSync(join(data.directory, 'closed'), join(data.directory, 'storage/data/x'));
      return data;
    };
    const STORES = { entry: './a.ts', storage: ['./data'] };

    void test('a folder to store in is not made or taken over a link', async (t) => {
      for (const path of ['./data/x', './data/x/new']) {
        const data = planted(t);
        const release = await packed(t, { a: { entry: './a.ts', storage: [path] } });
        const error = await refusal(data.prepared(release));
        assert.match(
          `${error.code} ${error.message}`,
          /^manifest-invalid .*a file or a link that an earlier/,
        );
        assert.deepEqual(readdirSync(join(data.directory, 'closed')), ['secret.ts']);
      }
    });

    void test('a link of a release does not lead there, straight or by another', async (t) => {
      for (const links of [{ peek: 'data/x' }, { peek: 'data' }, { peek: 'pub/y', 'pub/y': '../data/x' }]) {
        const error = await refusal(planted(t).prepared(await packed(t, { a: STORES }, links)));
        assert.match(
          `${error.code} ${error.message}`,
          /^manifest-invalid .*is a link into what a component stores/,
        );
      }
    });

    void test('nothing is run or served from there', async (t) => {
      for (const [key, component, links] of [
        ['static', { static: './data/x' }, {}],
        ['static', { static: './data' }, {}],
        ['static', { static: './up/data/x' }, { up: '.' }],
        ['cwd', { command: 'node a.js', cwd: './data/x' }, {}],
        ['entry', { entry: './data/x/secret.ts' }, {}],
      ] as const) {
        const release = await packed(t, { a: STORES, b: component }, links);
        const error = await refusal(planted(t).prepared(release));
        assert.match(error.message, new RegExp(`^components\\.b\\.${key} .*a component stores \\('data'\\)`));
        assert.equal(error.code, 'manifest-invalid');
      }
      const above = { a: { entry: './a.ts', storage: ['./pub/kept'] }, b: { static: './pub' } };
      assert.match(
        (await refusal(planted(t).prepared(await packed(t, above)))).message,
        /components\.b\.static/,
      );
    });

    void test('what components see follows from names alone, and a command names nothing outside', async (t) => {
      const data = planted(t);
      const components = {
        a: STORES,
        b: { command: `node a.js ${data.directory}/closed/secret.ts`, mode: 'service', routes: ['/*'] },
      };
      const prepared = await data.prepared(await packed(t, components));
      // Since it was prepared.
      renameSync(join(data.directory, 'storage/data'), join(data.directory, 'aside'));
      symlinkSync(join(data.directory, 'closed'), join(data.directory, 'storage/data'));
      for (const revision of prepared.revisions.values()) {
        const files = await componentFiles(
          prepared.app,
          revision,
          join(data.directory, 'server'),
          '/usr/bin',
        );
        const seen = [...files.readable, ...files.writable];
        assert.ok(!seen.some((path) => path.startsWith(join(data.directory, 'closed'))), String(seen));
        const stores = revision.spec.name === 'a' ? [join(data.directory, 'storage/data')] : [];
        assert.deepEqual(files.writable, stores);
      }
    });

    void test('the folder of it is closed to other users of the machine', async (t) => {
      const data = new Data(folder(t));
      await data.prepared(await packed(t, { a: STORES }));
      assert.equal(statSync(join(data.directory, 'storage')).mode & 0o777, 0o700);
    });
  });
});
