import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { NO_LIMITS, type CommandSpec, type ModuleSpec, type StaticSpec } from '../model/app.ts';
import { DEFAULT_ASYNC, DEFAULT_EVENTS, DEFAULT_RETRY } from '../model/work-settings.ts';
import type { ConfigIssue } from './issues.ts';
import { loadApp } from './load.ts';
import { app, appFolder, failure, issuesOf, load, one } from './testing/configs.ts';

describe('a config that is right', () => {
  it('has the documented defaults for each mode', async (t) => {
    const directory = await appFolder(t);
    const spec = await load(
      directory,
      app({ a: { entry: './a.ts' }, b: { command: 'node x.js' }, c: { static: './public' } }),
    );
    const MB = 1024 ** 2;
    const expected: ModuleSpec = {
      name: 'a',
      kind: 'module',
      entry: join(directory, 'a.ts'),
      routes: [],
      cors: null,
      calls: null,
      modeSetting: 'function',
      subscription: null,
      async: DEFAULT_ASYNC,
      schedules: [],
      zygoteKeepAliveMs: 600_000,
      env: {},
      storage: [],
      isolation: 'best-effort',
      network: 'full',
      limits: NO_LIMITS,
      weight: 1,
      objective: null,
      function: {
        concurrency: 1,
        memoryBytes: 128 * MB,
        timeoutMs: 30_000,
        maxQueued: 1_000,
        keepAliveMs: 1_000,
        keepAlive: 'fixed',
        fresh: false,
        maxInstances: 100,
      },
      service: {
        concurrency: 100,
        memoryBytes: 256 * MB,
        timeoutMs: 30_000,
        maxQueued: 1_000,
        minReplicas: 1,
        maxReplicas: 1,
        affinity: null,
        healthIntervalMs: 10_000,
        drainMs: 30_000,
      },
    };
    assert.deepEqual(spec.components.get('a'), expected);
    assert.deepEqual(spec.components.get('b'), {
      ...commonOf(expected),
      name: 'b',
      kind: 'command',
      command: 'node x.js',
      cwd: directory,
      healthPath: null,
    });
    assert.deepEqual(spec.components.get('c'), {
      name: 'c',
      kind: 'static',
      directory: join(directory, 'public'),
      cacheControl: 'public, max-age=0, must-revalidate',
      routes: [],
      cors: null,
    });
    assert.deepEqual([...spec.components.keys()], ['a', 'b', 'c']);
    assert.deepEqual(spec.gateway, { trustedProxies: [], cors: null });
    assert.deepEqual(spec.events, DEFAULT_EVENTS);
    assert.equal(spec.name, 'shop');
    assert.equal(spec.directory, directory);
    assert.equal(spec.configPath, join(directory, 'fulcrum.config.ts'));
    assert.equal(spec.environment, 'test');
  });

  it('applies what the author gives to both modes', async (t) => {
    const given = {
      mode: 'auto',
      memory: '1GB',
      timeout: '10m',
      concurrency: 7,
      queue: 5,
      keepAlive: '0s',
      max: 9,
      replicas: { min: 2, max: 3 },
      affinity: 'header:X-User',
      weight: 4,
      limits: { rps: 2.5, perClient: { rps: 1, burst: 3 }, concurrency: 0 },
      healthInterval: '2s',
    };
    const spec = await load(await appFolder(t), one(given));
    const component = spec.components.get('a') as ModuleSpec;
    const both = { memoryBytes: 1024 ** 3, timeoutMs: 600_000, concurrency: 7, maxQueued: 5 };
    assert.equal(component.modeSetting, 'auto');
    assert.deepEqual(component.function, {
      ...both,
      keepAliveMs: 0,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 9,
    });
    assert.deepEqual(component.service, {
      ...both,
      minReplicas: 2,
      maxReplicas: 3,
      affinity: { kind: 'header', name: 'x-user' },
      healthIntervalMs: 2_000,
      drainMs: 600_000,
    });
    assert.equal(component.weight, 4);
    assert.deepEqual(component.limits, {
      rps: 2.5,
      burst: 3,
      perClient: { rps: 1, burst: 3 },
      concurrency: 0,
    });
  });

  it('lets a service take longer than a function may, and bounds it where it becomes one', async (t) => {
    const spec = await load(await appFolder(t), one({ mode: 'service', timeout: '1h', drain: '5s' }));
    const component = spec.components.get('a') as ModuleSpec;
    assert.equal(component.service.timeoutMs, 3_600_000);
    assert.equal(component.service.drainMs, 5_000);
    assert.equal(component.function.timeoutMs, 900_000);
  });

  it('reads what scaling goes by in its short forms', async (t) => {
    const given = { replicas: 3, keepAlive: 'adaptive', affinity: 'cookie', limits: { perClient: 0.5 } };
    const component = (await load(await appFolder(t), one(given))).components.get('a') as ModuleSpec;
    assert.deepEqual([component.service.minReplicas, component.service.maxReplicas], [3, 3]);
    assert.deepEqual([component.function.keepAlive, component.function.keepAliveMs], ['adaptive', 1_000]);
    assert.deepEqual(component.service.affinity, { kind: 'cookie' });
    assert.deepEqual(component.limits, { ...NO_LIMITS, perClient: { rps: 0.5, burst: 1 } });
  });

  it('gives a fresh function one invocation at a time, whatever the service has', async (t) => {
    const spec = await load(await appFolder(t), one({ mode: 'service', fresh: true, concurrency: 50 }));
    const component = spec.components.get('a') as ModuleSpec;
    assert.equal(component.function.concurrency, 1);
    assert.equal(component.function.fresh, true);
    assert.equal(component.service.concurrency, 50);
  });

  it('reads routes in all their forms', async (t) => {
    const routes = [
      '/',
      '/*',
      '/a/',
      'Shop.Example.com/api/*',
      '*.example.com/*',
      'bücher.example/café',
      { path: '/b/*', host: '*.x.example', stripPrefix: true, bodyLimit: '1GB' },
    ];
    const spec = await load(await appFolder(t), one({ routes }));
    const plain = { stripPrefix: false, bodyLimitBytes: 10 * 1024 ** 2 };
    assert.deepEqual(spec.components.get('a')?.routes, [
      { host: null, path: '/', ...plain },
      { host: null, path: '/*', ...plain },
      { host: null, path: '/a/', ...plain },
      { host: 'shop.example.com', path: '/api/*', ...plain },
      { host: '*.example.com', path: '/*', ...plain },
      { host: 'xn--bcher-kva.example', path: '/caf%C3%A9', ...plain },
      { host: '*.x.example', path: '/b/*', stripPrefix: true, bodyLimitBytes: 1024 ** 3 },
    ]);
  });

  it('does not take a path and its prefix, or two hosts, for the same route', async (t) => {
    const config = app({
      a: { entry: './a.ts', routes: ['/x', 'a.example/x'] },
      b: { entry: './a.ts', routes: ['/x/*', 'b.example/x'] },
    });
    assert.equal((await load(await appFolder(t), config)).components.size, 2);
  });

  it('reads schedules, with seconds and with time zones', async (t) => {
    const directory = await appFolder(t);
    const schedules = [
      '0 2 * * *',
      '*/10  * * * * *',
      '0 0 29 2 *',
      { cron: '0 2 * * MON-FRI', timeZone: 'europe/berlin' },
    ];
    const components = Object.fromEntries(
      schedules.map((schedule, index) => [`c${index}`, { entry: './a.ts', schedule }]),
    );
    const spec = await load(directory, app(components));
    assert.deepEqual(
      [...spec.components.values()].map((component) =>
        (component as ModuleSpec).schedules.map(({ when }) => when),
      ),
      [
        [{ kind: 'cron', cron: '0 2 * * *', timeZone: 'UTC' }],
        [{ kind: 'cron', cron: '*/10 * * * * *', timeZone: 'UTC' }],
        [{ kind: 'cron', cron: '0 0 29 2 *', timeZone: 'UTC' }],
        [{ kind: 'cron', cron: '0 2 * * MON-FRI', timeZone: 'Europe/Berlin' }],
      ],
    );
  });

  it('reads schedules in all their forms', async (t) => {
    const schedule = [
      '@every 90s',
      { at: '2026-12-24T18:00:00+01:00', name: 'eve', missed: 'skip' },
      {
        cron: '0 2 * * *',
        timeZone: 'Europe/Berlin',
        name: 'nightly',
        overlap: 'allow',
        retry: { attempts: 9, first: '1m', longest: '1h' },
      },
    ];
    const spec = await load(await appFolder(t), one({ schedule }));
    const retry = { ...DEFAULT_RETRY, attempts: 3 };
    assert.deepEqual((spec.components.get('a') as ModuleSpec).schedules, [
      {
        name: 'schedule',
        when: { kind: 'every', everyMs: 90_000, text: '@every 90s' },
        missed: 'run',
        overlap: 'skip',
        retry,
      },
      {
        name: 'eve',
        when: { kind: 'at', atMs: Date.UTC(2026, 11, 24, 17) },
        missed: 'skip',
        overlap: 'skip',
        retry,
      },
      {
        name: 'nightly',
        when: { kind: 'cron', cron: '0 2 * * *', timeZone: 'Europe/Berlin' },
        missed: 'run',
        overlap: 'allow',
        retry: { attempts: 9, firstMs: 60_000, longestMs: 3_600_000 },
      },
    ]);
  });

  it('reads what a component takes of events, as a module and as a command', async (t) => {
    const events = {
      types: ['order.*', '*'],
      batch: { size: 100, wait: '1s' },
      concurrency: 3,
      retry: { longest: '100ms' },
    };
    const spec = await load(
      await appFolder(t),
      app({
        a: { entry: './a.ts', events: ['order.paid'] },
        b: { entry: './a.ts', events },
        c: { entry: './a.ts', events: [] },
        d: { command: 'x', events: { types: ['x'], path: '/events?of=x' } },
        e: { command: 'x', events: { ...events, path: '/events', mode: 'batched' } },
      }),
    );
    const rest = { batchSize: 10, batchWaitMs: 0, concurrency: null, retry: DEFAULT_RETRY, http: null };
    const more = {
      types: ['order.*', '*'],
      batchSize: 100,
      batchWaitMs: 1_000,
      concurrency: 3,
      // The first pause is no longer than the longest.
      retry: { attempts: 5, firstMs: 100, longestMs: 100 },
      http: null,
    };
    const http = { path: '/events?of=x', mode: 'binary' };
    assert.deepEqual(
      [...spec.components.values()].map((component) => (component as ModuleSpec).subscription),
      [
        { ...rest, types: ['order.paid'] },
        more,
        null,
        { ...rest, types: ['x'], batchSize: 1, http },
        { ...more, http: { path: '/events', mode: 'batched' } },
      ],
    );
  });

  it('reads what holds for asynchronous invocations', async (t) => {
    const given = { open: false, keep: '1h', onSuccess: 'done', onFailure: 'gone', retry: { attempts: 1 } };
    const spec = await load(
      await appFolder(t),
      app({
        a: { entry: './a.ts', async: true },
        b: { command: 'x', async: given },
        c: { command: 'x', async: {} },
      }),
    );
    assert.deepEqual(
      [...spec.components.values()].map((component) => (component as ModuleSpec).async),
      [
        { ...DEFAULT_ASYNC, open: true },
        {
          open: false,
          retry: { ...DEFAULT_RETRY, attempts: 1 },
          keepMs: 3_600_000,
          onSuccess: 'done',
          onFailure: 'gone',
        },
        { ...DEFAULT_ASYNC, open: true },
      ],
    );
  });

  it('reads what holds for the events of the app', async (t) => {
    const directory = await appFolder(t);
    const endpoint = { path: '/events', token: { $secret: 'TOKEN' } };
    const spec = await load(directory, one({}, { events: { endpoint, dedupeWindow: '1h' } }));
    assert.deepEqual(spec.events, {
      unmatched: 'keep',
      dedupeMs: 3_600_000,
      endpoint: { host: null, path: '/events', token: { kind: 'secret', secret: 'TOKEN' } },
    });
    const plain = { path: '/bücher', host: 'Events.Example.com', token: 'a-token-of-the-tests' };
    const other = await load(directory, one({}, { events: { unmatched: 'refuse', endpoint: plain } }));
    assert.deepEqual(other.events, {
      unmatched: 'refuse',
      dedupeMs: 300_000,
      endpoint: {
        host: 'events.example.com',
        path: '/b%C3%BCcher',
        token: { kind: 'value', value: 'a-token-of-the-tests' },
      },
    });
  });

  it('keeps a zygote as long as is said, which may be no longer than its instances', async (t) => {
    for (const [zygoteKeepAlive, expectedMs] of [
      ['0s', 0],
      ['90s', 90_000],
    ]) {
      const spec = await load(await appFolder(t), one({ zygoteKeepAlive }));
      assert.equal((spec.components.get('a') as ModuleSpec).zygoteKeepAliveMs, expectedMs);
    }
  });

  it('merges the environment of the app and of the component, which wins', async (t) => {
    const config = app(
      { a: { entry: './a.ts', env: { B: { $secret: 'SECRET_B' }, C: '' } }, b: { command: 'x' } },
      { env: { A: 'app', B: 'app' } },
    );
    const spec = await load(await appFolder(t), config);
    assert.deepEqual((spec.components.get('a') as ModuleSpec).env, {
      A: { kind: 'value', value: 'app' },
      B: { kind: 'secret', secret: 'SECRET_B' },
      C: { kind: 'value', value: '' },
    });
    assert.deepEqual((spec.components.get('b') as CommandSpec).env, {
      A: { kind: 'value', value: 'app' },
      B: { kind: 'value', value: 'app' },
    });
  });

  it('reads CORS', async (t) => {
    const own = {
      origins: ['https://x.example', 'http://localhost:3000'],
      credentials: true,
      maxAge: '1h',
      exposedHeaders: ['X-Total'],
    };
    const spec = await load(await appFolder(t), one({ cors: own }, { cors: true }));
    assert.deepEqual(spec.gateway.cors, {
      origins: '*',
      methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
      headers: ['*', 'Authorization'],
      exposedHeaders: [],
      credentials: false,
      maxAgeS: 600,
    });
    assert.deepEqual(spec.components.get('a')?.cors, {
      origins: ['https://x.example', 'http://localhost:3000'],
      methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
      headers: ['Authorization', 'Content-Type'],
      exposedHeaders: ['X-Total'],
      credentials: true,
      maxAgeS: 3_600,
    });
  });

  it('takes the other kinds with all their keys', async (t) => {
    const directory = await appFolder(t);
    const spec = await load(
      directory,
      app(
        {
          legacy: {
            command: ' node server.js ',
            cwd: './legacy',
            health: '/up?full',
            storage: ['./data', 'legacy/files'],
            mode: 'service',
          },
          assets: { static: './public', routes: ['/assets/*'], cacheControl: 'public, max-age=3600' },
          worker: {
            entry: './src/deep.mts',
            events: ['order.paid', 'user:new'],
            isolation: 'required',
            network: 'none',
          },
        },
        { trustedProxies: ['10.0.0.0/8', '::1', 'fd00::/8'] },
      ),
    );
    const legacy = spec.components.get('legacy') as CommandSpec;
    assert.equal(legacy.cwd, join(directory, 'legacy'));
    assert.equal(legacy.healthPath, '/up?full');
    assert.deepEqual(legacy.storage, [join(directory, 'data'), join(directory, 'legacy/files')]);
    assert.equal((spec.components.get('assets') as StaticSpec).cacheControl, 'public, max-age=3600');
    const worker = spec.components.get('worker') as ModuleSpec;
    assert.deepEqual(worker.subscription?.types, ['order.paid', 'user:new']);
    assert.deepEqual([worker.isolation, worker.network], ['required', 'none']);
    assert.deepEqual(spec.gateway.trustedProxies, ['10.0.0.0/8', '::1', 'fd00::/8']);
  });

  it('treats an optional key that is undefined as absent', async (t) => {
    const spec = await load(
      await appFolder(t),
      one({ memory: undefined, command: undefined, routes: undefined }, { cors: undefined }),
    );
    assert.equal(spec.components.get('a')?.kind, 'module');
  });

  it('is frozen through and through', async (t) => {
    const config = one(
      {
        routes: [{ path: '/a/*', host: 'x.example' }],
        env: { A: 'x' },
        schedule: '0 2 * * *',
        events: ['e'],
        storage: ['./d'],
      },
      { cors: true, trustedProxies: ['::1'] },
    );
    const spec = await load(await appFolder(t), config);
    const open: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      const entries = value instanceof Map ? value.entries() : Object.entries(value);
      for (const [key, child] of entries) walk(child, `${path}.${String(key)}`);
    };
    walk(spec, 'app');
    assert.deepEqual(open, []);
    assert.throws(() => (spec.components as Map<string, unknown>).set('b', {}), /frozen/);
    assert.throws(() => (spec.components as Map<string, unknown>).delete('a'), /frozen/);
    assert.throws(() => (spec.components as Map<string, unknown>).clear(), /frozen/);
  });
});

describe('the config file', () => {
  for (const name of ['fulcrum.config.mts', 'fulcrum.config.js', 'fulcrum.config.mjs']) {
    it(`may be called ${name}`, async (t) => {
      const directory = await appFolder(t, [name, 'a.ts']);
      const asked: unknown[] = [];
      const evaluate = (...args: unknown[]): Promise<unknown> => {
        asked.push(args);
        return Promise.resolve(one({}));
      };
      await loadApp({ directory, environment: 'staging', evaluate });
      assert.deepEqual(asked, [[join(directory, name), 'staging']]);
    });
  }

  it('is missed in one sentence', async (t) => {
    const directory = await appFolder(t, ['a.ts']);
    const [issue] = (await issuesOf(directory, one({}))) as [ConfigIssue];
    assert.match(issue.message, /no config file/);
    assert.match(issue.expected, /fulcrum\.config\.ts/);
  });

  it('is looked for under nearly its name, and in the folders above', async (t) => {
    const misspelt = await appFolder(t, ['fulcrum.confg.ts']);
    assert.equal((await issuesOf(misspelt, one({})))[0]?.found, 'a file fulcrum.confg.ts');
    const above = await appFolder(t, ['fulcrum.config.ts', 'src/lib/a.ts']);
    assert.equal((await issuesOf(join(above, 'src/lib'), one({})))[0]?.found, `one in ${above}`);
  });

  it('is one, not two', async (t) => {
    const directory = await appFolder(t, ['fulcrum.config.ts', 'fulcrum.config.js']);
    const [issue] = (await issuesOf(directory, one({}))) as [ConfigIssue];
    assert.equal(issue.found, 'fulcrum.config.ts and fulcrum.config.js');
  });

  it('needs a folder that is there', async (t) => {
    const directory = join(await appFolder(t), 'nowhere');
    const [issue] = (await issuesOf(directory, one({}))) as [ConfigIssue];
    assert.equal(issue.found, 'no such folder');
  });

  it('lets an error of its evaluation through as it is', async (t) => {
    const thrown = new FulcrumError('build-failed', 'x');
    const evaluate = (): Promise<unknown> => Promise.reject(thrown);
    const directory = await appFolder(t);
    assert.equal(await failure(loadApp({ directory, environment: 'test', evaluate })), thrown);
  });
});

function commonOf(spec: ModuleSpec): Omit<CommandSpec, 'kind' | 'name' | 'command' | 'cwd' | 'healthPath'> {
  const { kind: _, name: _name, entry: _entry, schedules: _schedules, ...rest } = spec;
  const { zygoteKeepAliveMs: _keepAlive, ...common } = rest;
  return common;
}
