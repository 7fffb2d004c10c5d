import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ModuleSpec } from '../model/app.ts';
import { setInstanceHost } from '../sdk/host.ts';
import type { Env, ComponentModule, Context } from '../sdk/index.ts';
import { loadApp } from './load.ts';

const TEMPLATE = fileURLToPath(new URL('../../templates/basic/', import.meta.url));

interface TemplateModule extends Record<string, unknown> {
  readonly default: ComponentModule;
}

async function importFromTemplate(name: string): Promise<TemplateModule> {
  return (await import(pathToFileURL(join(TEMPLATE, name)).href)) as TemplateModule;
}

async function ask(module: TemplateModule, path: string): Promise<Response> {
  const context: Context = {
    requestId: 'r_1',
    component: 'test',
    signal: new AbortController().signal,
    waitUntil: () => undefined,
    remainingMs: () => 1_000,
  };
  const answer = await module.default.fetch?.(
    new Request(new URL(path, 'http://app.example')),
    {} as Env,
    context,
  );
  assert.ok(answer);
  return answer;
}

describe('the template that `fulcrum init` copies', () => {
  afterEach(() => setInstanceHost(null));

  it('has a valid config: a function and a service', async () => {
    const app = await loadApp({
      directory: TEMPLATE,
      environment: 'development',
      evaluate: async (path) => {
        const { default: config } = (await import(pathToFileURL(path).href)) as { default: object };
        return { ...config, name: 'my-app' };
      },
    });
    const modes = [...app.components.values()].map((component) => (component as ModuleSpec).modeSetting);
    assert.deepEqual(modes, ['function', 'service']);
  });

  it('answers: the function by itself, the service by calling it', async () => {
    const hello = await importFromTemplate('hello.ts');
    assert.deepEqual(await (await ask(hello, '/api/hello?name=Ada')).json(), { message: 'Hello, Ada!' });
    setInstanceHost({
      version: 1,
      component: 'counter',
      call: async (component, name, args) => {
        assert.equal(component, 'hello');
        return (hello[name] as (...args: readonly unknown[]) => unknown)(...args);
      },
    });
    const counter = await importFromTemplate('counter.ts');
    assert.match(
      await (await ask(counter, '/')).text(),
      /<h1>Hello, world!<\/h1>[^]*<strong>1<\/strong> visit /,
    );
    assert.match(await (await ask(counter, '/')).text(), /<strong>2<\/strong> visits /);
    assert.equal((await ask(counter, '/nowhere')).status, 404);
  });

  it('becomes a package with a name and this version of Fulcrum', async () => {
    const text = await readFile(join(TEMPLATE, 'package.json.template'), 'utf8');
    const made = JSON.parse(text.replace('__NAME__', 'my-app').replace('__FULCRUM_VERSION__', '^0.1.0')) as {
      name: string;
      dependencies: Record<string, string>;
    };
    assert.equal(made.name, 'my-app');
    assert.deepEqual(made.dependencies, { fulcrum: '^0.1.0' });
    assert.match(await readFile(join(TEMPLATE, 'gitignore'), 'utf8'), /^\.env$/m);
  });
});
