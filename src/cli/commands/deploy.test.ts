import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { FakeHost, appRecord } from '../../control/fixtures/fake-host.ts';
import type { DeployOrder } from '../../control/host-port.ts';
import type { ReleaseManifest } from '../../model/release.ts';
import { checkManifest } from '../../release/manifest.ts';
import { takeBlobs } from '../../release/take-blobs.ts';
import { FolderBlobs } from '../../release/testing/folders.ts';
import { BIN, Running, World, type HostFixture } from '../fixtures/run-cli.ts';

/** A host that takes files and manifests as a server does, and whose steps are told. */
class TakingHost extends FakeHost {
  readonly blobs: FolderBlobs;
  readonly orders: DeployOrder[] = [];
  /** Called before an upload is taken. */
  onUpload: () => Promise<void> = () => Promise.resolve();

  constructor(folder: string) {
    super(appRecord());
    this.blobs = new FolderBlobs(folder);
    const { deploys } = this;
    assert.ok(deploys !== undefined);
    this.deploys = {
      ...deploys,
      missingBlobs: (digests) => this.blobs.missing(digests),
      putBlobs: async (tar) => {
        await this.onUpload();
        return takeBlobs(tar, this.blobs);
      },
      deploy: (order, onStep) => {
        checkManifest(order.manifest);
        this.orders.push(order);
        return deploys.deploy(order, onStep);
      },
    };
  }

  get manifest(): ReleaseManifest {
    return this.orders.at(-1)!.manifest;
  }
}

void suite('fulcrum deploy', () => {
  let world: World;
  let host: TakingHost;
  let fixture: HostFixture;
  before(async () => {
    world = await World.make();
    host = new TakingHost(join(world.folder, 'blobs'));
    fixture = await world.host(host);
  });
  after(() => world.end());

  function app(name: string, files: Readonly<Record<string, string>> = {}): string {
    const directory = join(world.folder, name);
    const all = {
      'fulcrum.config.ts': `export default ({ environment }: { environment: string }) => ({
        name: 'shop', components: { catalog: { entry: './catalog.ts', env: { WHERE: environment } } } });`,
      'catalog.ts': `export default { fetch: () => new Response('${name}') };`,
      ...files,
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    return directory;
  }

  void test('packs, uploads, and shows each step as one line of 80 columns at most', async () => {
    const { code, stdout, stderr } = await world.run(['deploy', app('first')]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'shop: release 3 serves.\n');
    const lines = stderr.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(/ +[\d.]+m?s$/, '').replace(/\d+ B|[\d.]+ KB/, 'SIZE')),
      [
        '  ✓ config       shop, one component',
        '  - types        not checked: it has no tsconfig.json',
        '  ✓ build        4 files, SIZE',
        '  ✓ upload       4 of 4 files, SIZE',
        '  ✓ check',
        '  ✓ start catalog',
      ],
    );
    assert.ok(lines.every((line) => line.length <= 80));
    assert.deepEqual(host.orders.at(-1), {
      manifest: host.manifest,
      canary: null,
      routing: null,
      note: '',
      by: 'socket',
      isAdmin: true,
    });
  });

  void test('the same again uploads nothing', async () => {
    const puts = host.blobs.puts.length;
    const { stderr } = await world.run(['deploy', join(world.folder, 'first')]);
    assert.match(stderr, /nothing: the server has every file/);
    assert.equal(host.blobs.puts.length, puts);
  });

  void test('environment, hosts, prefix, canary and note reach the server', async () => {
    host.records.push(appRecord({ id: 'shop@staging', environment: 'staging' }));
    const options = [
      '-e',
      'staging',
      '--host',
      'a.example.com',
      '--host',
      'b.example.com',
      '--prefix',
      '/shop',
    ];
    const canary = ['--canary', '1%,10%', '--every', '5m', '--max-errors', '2%', '--note', 'Faster'];
    const { code, stdout, stderr } = await world.run(['deploy', app('second'), ...options, ...canary]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /shop@staging: release 3 is a canary/);
    const { manifest, ...order } = host.orders.at(-1)!;
    assert.equal(manifest.environment, 'staging');
    assert.deepEqual(
      (manifest.config as { components: { catalog: { env: unknown } } }).components.catalog.env,
      { WHERE: 'staging' },
    );
    assert.deepEqual(order, {
      canary: { steps: [1, 10], everyMs: 300_000, maxErrors: 0.02 },
      routing: { hosts: ['a.example.com', 'b.example.com'], prefix: '/shop' },
      note: 'Faster',
      by: 'socket',
      isAdmin: true,
    });
  });

  void test('by address and token', async () => {
    const directory = app('third');
    const refused = await world.run(['deploy', directory, '--to', fixture.url], {
      env: { FULCRUM_TOKEN: 'wrong' },
    });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /error unauthorized/);
    const without = await world.run(['deploy', directory, '--to', fixture.url]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /FULCRUM_TOKEN/);
  });

  void test('a token for another app, and an address that is no admin API, are told before anything is built', async () => {
    const directory = app('unbuilt', { 'catalog.ts': 'export default {' });
    const made = await world.run(['tokens', 'create', '--name', 'x', '--scope', 'deploy', '--app', 'blog']);
    const env = { FULCRUM_TOKEN: made.stdout.trim() };
    const other = await world.run(['deploy', directory, '--to', fixture.url], { env });
    assert.equal(other.code, 1);
    assert.match(other.stderr, /error not-found: There is no app 'shop' here, or this token is not for it\./);
    assert.doesNotMatch(other.stderr, /✓ types|build/);

    const asked: (string | undefined)[] = [];
    const gateway = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(404).end('{"detail":"There is no file at this path."}');
    }).listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const wrong = await world.run(['deploy', directory, '--to', url], { env });
    gateway.close();
    assert.equal(wrong.code, 3);
    assert.match(
      wrong.stderr,
      /error server-unreachable: What answers at http\S+ is no admin API of Fulcrum/,
    );
    assert.doesNotMatch(wrong.stderr, /build/);
    assert.deepEqual(asked, [undefined]);
  });

  void test('--json prints one document and no steps', async () => {
    const { code, stdout, stderr } = await world.run(['deploy', app('fourth'), '--json']);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const {
      app: id,
      release,
      uploaded,
    } = JSON.parse(stdout) as { app: string; release: { number: number }; uploaded: { files: number } };
    assert.deepEqual([id, release.number], ['shop', 3]);
    assert.ok(uploaded.files > 0);
  });

  void test('a deploy that fails exits 1 with the probe’s answer and the last log lines', async () => {
    host.fails = new FulcrumError('deploy-failed', "'catalog' did not come up: GET /health answered 500.", {
      details: {
        code: 'start-failed',
        message: 'it did not',
        component: 'catalog',
        log: ['listening', 'Error: no database', '    at catalog.ts:3:9'],
      },
    });
    try {
      const { code, stdout, stderr } = await world.run(['deploy', app('fifth')]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /error deploy-failed: 'catalog' did not come up: GET \/health answered 500\.\n {4}listening\n {4}Error: no database\n {8}at catalog\.ts:3:9/,
      );
    } finally {
      host.fails = null;
    }
  });

  void test('what is wrong here is told before anything is sent', async () => {
    const orders = host.orders.length;
    for (const [files, code, expected] of [
      [{ 'catalog.ts': 'export default {' }, 1, /error build-failed: .*catalog\.ts/s],
      [{ 'fulcrum.config.ts': 'export default {}' }, 1, /error config-invalid/],
      [
        {
          'tsconfig.json': '{}',
          'node_modules/typescript/package.json': '{ "version": "1.2.3", "bin": { "tsc": "tsc.js" } }',
          'node_modules/typescript/tsc.js': 'console.log("catalog.ts(1,1): error TS1: no"); process.exit(2)',
        },
        1,
        /✗ types.*error types-wrong: TypeScript 1\.2\.3 found errors.*catalog\.ts\(1,1\): error TS1: no.*--no-typecheck/s,
      ],
    ] as const) {
      const ran = await world.run([
        'deploy',
        app(`wrong-${Object.keys(files).join('-').replaceAll(/\W/g, '')}`, files),
      ]);
      assert.equal(ran.code, code, ran.stderr);
      assert.match(ran.stderr, expected);
    }
    const folder = join(
      world.folder,
      'wrong-tsconfigjsonnode_modulestypescriptpackagejsonnode_modulestypescripttscjs',
    );
    assert.equal((await world.run(['deploy', folder, '--no-typecheck'])).code, 0);
    assert.equal(host.orders.length, orders + 1);
  });

  void test('wrong options are told before anything is done', async () => {
    for (const [args, expected] of [
      [['--canary', '0%'], /--canary takes percentages/],
      [['-e', 'Staging Area'], /no name of an environment/],
      [['--every', '2m'], /belong to --canary/],
    ] as const) {
      const ran = await world.run(['deploy', join(world.folder, 'first'), ...args]);
      assert.equal(ran.code, 2);
      assert.match(ran.stderr, expected);
    }
  });

  void test('interrupted, it says what state things are in', async () => {
    const reached = Promise.withResolvers<void>();
    const forever = Promise.withResolvers<void>();
    host.onUpload = () => {
      reached.resolve();
      return forever.promise;
    };
    try {
      const running = world.start(['deploy', app('sixth')]);
      await reached.promise;
      running.child.kill('SIGINT');
      const { code, stderr } = await running.ended();
      assert.equal(code, 130);
      assert.match(stderr, /Interrupted\. Nothing that serves has changed; what has been uploaded is kept/);
    } finally {
      host.onUpload = () => Promise.resolve();
      forever.resolve();
    }
  });

  void test('Ctrl-C of a terminal, which an old Node passes on as well, is told once', async () => {
    const reached = Promise.withResolvers<void>();
    const forever = Promise.withResolvers<void>();
    host.onUpload = () => {
      reached.resolve();
      return forever.promise;
    };
    const old = join(world.folder, 'old.mjs');
    writeFileSync(
      old,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
      process.execve = undefined;`,
    );
    // What was passed on comes at the worst moment: just as what is to be told is written.
    const late = join(world.folder, 'late.mjs');
    writeFileSync(
      late,
      `const { write } = process.stderr;
      process.stderr.write = function (text, ...more) {
        if (String(text).includes('Interrupted')) process.kill(process.pid, 'SIGINT');
        return write.call(this, text, ...more);
      };`,
    );
    try {
      const child = spawn(process.execPath, ['--import', old, BIN, 'deploy', app('seventh')], {
        cwd: world.folder,
        env: { ...world.env, NODE_OPTIONS: `--import=${late}` },
        // A group of its own, as a terminal's foreground is one.
        detached: true,
      });
      const running = new Running(child);
      await reached.promise;
      process.kill(-child.pid!, 'SIGINT');
      const { code, stderr } = await running.ended();
      assert.equal(code, 130);
      assert.equal(stderr.match(/Interrupted\. Nothing that serves has changed/g)?.length, 1, stderr);
    } finally {
      host.onUpload = () => Promise.resolve();
      forever.resolve();
    }
  });

  void test('rollback, canary, releases and diff speak to the same server', async () => {
    const rolled = await world.run(['rollback', '--app', 'shop']);
    assert.equal(rolled.code, 0, rolled.stderr);
    assert.equal(rolled.stdout, 'shop: release 3 serves again.\n');
    assert.match(rolled.stderr, /✓ start catalog/);
    assert.deepEqual(host.asked.at(-1), { rollback: 'shop', to: null, by: 'socket' });
    await world.run(['rollback', '1', '--app', 'shop']);
    assert.deepEqual(host.asked.at(-1), { rollback: 'shop', to: 1, by: 'socket' });
    assert.equal((await world.run(['rollback', 'one', '--app', 'shop'])).code, 2);

    for (const how of ['promote', 'abort']) {
      const ran = await world.run(['canary', how, '--app', 'shop']);
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(host.asked.at(-1), { endCanary: 'shop', how, by: 'socket' });
    }
    assert.equal((await world.run(['canary', 'stop', '--app', 'shop'])).code, 2);

    const listed = await world.run(['releases', '--app', 'shop']);
    assert.match(listed.stdout, /RELEASE +STATE +AGE +BY +NOTE\n +2 +serves .*Fewer copies\n +1 +healthy/);
    assert.equal(
      (
        JSON.parse((await world.run(['releases', '--app', 'shop', '--json'])).stdout) as {
          releases: unknown[];
        }
      ).releases.length,
      2,
    );

    const differ = await world.run(['diff', '1', '2', '--app', 'shop']);
    assert.match(
      differ.stdout,
      /shop: what changes from release 1 to release 2\n\ncatalog\n {2}~ memory: "128MB" → "256MB"/,
    );
    assert.match(
      (await world.run(['diff', '1', '--app', 'shop'])).stdout,
      /^shop: what changes from release 2, which serves, to release 1\n/,
    );
  });
});
