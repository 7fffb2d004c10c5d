import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { appRecord, FakeHost } from './fixtures/fake-host.ts';
import { component, FakePort, group } from './fixtures/fake-port.ts';
import { ControlServer } from './server.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}`;

function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

test(
  'the admin page in a browser: it shows, switches, runs nothing foreign, and its session stays its own',
  { skip },
  async (t) => {
    const port = new FakePort();
    port.list.push(
      component({
        name: 'evil',
        lastError: '<img src=x onerror="document.title=1"><script>alert(1)</script>',
      }),
    );
    const server = new ControlServer({
      host: FakeHost.dev(port),
      clock: systemClock,
      logger: silentLogger,
      ownToken: 'a-token',
      tokens: null,
      audit: null,
      secrets: null,
    });
    await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
    // What the gateway is to the admin API: another port of the same host, with the app's own code behind it.
    const cookiesSeen: (string | undefined)[] = [];
    const sibling = createServer((request, response) => {
      cookiesSeen.push(request.headers.cookie);
      response.setHeader('content-type', 'text/html');
      response.end('<p>an app</p>');
    });
    sibling.listen(0, '127.0.0.1');
    await once(sibling, 'listening');
    const browser = await openBrowser();
    t.after(async () => {
      await browser.close();
      sibling.close();
      await server.close();
    });

    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(server.link!);
    await page.waitForSelector('[data-component=evil]');
    assert.equal(await page.title(), 'shop · Fulcrum');
    assert.ok(!page.url().includes('a-token'), 'the token does not stay in the address');
    assert.match((await page.textContent('[data-component=evil]'))!, /<script>alert\(1\)/, 'shown as text');
    const edge = await page.textContent('[data-edge="storefront catalog.priceOf"]');
    assert.equal(edge, 'storefrontcatalog.priceOf2.001.2 ms148 ms3–');
    port.graph = { windowMs: 300_000, edges: [] };
    await page.waitForSelector('#calls', { state: 'hidden' });
    assert.deepEqual(complaints, [], 'the policy allows the page’s own script and style');

    await page.click('[data-component=catalog] [data-mode=service]');
    await page.waitForSelector('[data-component=catalog] [data-mode=service][aria-pressed=true]');
    assert.deepEqual(port.asked, [{ setMode: 'catalog', mode: 'service' }]);
    const finding = {
      rule: 'timer',
      member: null,
      file: 'a.ts',
      line: 1,
      column: 1,
      lineText: '',
      message: '',
      advice: '',
    };
    port.findings = [{ ...finding, severity: 'warning' }];
    const asked: string[] = [];
    page.once('dialog', (dialog) => {
      asked.push(dialog.message());
      void dialog.accept();
    });
    await page.click('[data-component=catalog] [data-mode=function]');
    await page.waitForSelector('[data-component=catalog] [data-mode=function][aria-pressed=true]');
    assert.match(asked.join(), /would break.*Switch all the same\?/s);
    assert.deepEqual(port.asked.at(-1), { setMode: 'catalog', mode: 'function', force: true });
    port.findings = [];
    complaints.length = 0;
    await page.reload();
    await page.waitForSelector('[data-component=catalog]');

    const other = await context.newPage();
    const { port: siblingPort } = sibling.address() as AddressInfo;
    await other.goto(`http://127.0.0.1:${siblingPort}/`);
    assert.ok(
      cookiesSeen.every((cookie) => cookie === undefined),
      'no cookie reaches another port',
    );
    const refused = await other.evaluate(
      (url) =>
        fetch(url, { credentials: 'include' }).then(
          () => 'answered',
          () => 'refused',
        ),
      `${page.url()}v1/apps`,
    );
    assert.equal(refused, 'refused');
  },
);

test(
  'the admin page of a server with several apps shows one at a time, and keeps to it',
  { skip },
  async (t) => {
    const host = new FakeHost(
      appRecord(),
      appRecord({ id: 'blog', name: 'blog' }),
      appRecord({ id: 'down' }),
    );
    host.ports.delete('down');
    const blog = new FakePort();
    blog.list = [component({ name: 'posts' })];
    host.ports.set('blog', blog);
    const server = new ControlServer({
      host,
      clock: systemClock,
      logger: silentLogger,
      ownToken: 'a-token',
      tokens: null,
      audit: null,
      secrets: null,
    });
    await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
    const browser = await openBrowser();
    t.after(async () => {
      await browser.close();
      await server.close();
    });
    const page = await browser.newPage();
    await page.goto(server.link!);
    await page.waitForSelector('[data-component=catalog]');
    const options = await page.$$eval('#app option', (all) => all.map((one) => one.textContent));
    assert.deepEqual(options, ['shop', 'blog'], 'those that serve');
    await page.selectOption('#app', 'blog');
    await page.waitForSelector('[data-component=posts]');
    assert.equal(await page.$('[data-component=catalog]'), null);
    await page.click('[data-component=posts] [data-mode=service]');
    await page.waitForSelector('[data-component=posts] [data-mode=service][aria-pressed=true]');
    assert.deepEqual(blog.asked, [{ setMode: 'posts', mode: 'service' }]);
    await page.reload();
    await page.waitForSelector('[data-component=posts]');
  },
);

test(
  'the admin page shows a group with its members below it, and switches all at once',
  { skip },
  async (t) => {
    const port = new FakePort();
    const shared = { mode: 'service', modeSetting: 'service', queued: 2, lastError: 'it is broken' } as const;
    port.list = [
      component({ name: 'storefront' }),
      component({ ...shared, name: 'checkout', group: 'core', routes: ['/checkout'] }),
      component({ name: 'catalog' }),
      component({ ...shared, name: 'inventory', group: 'core', routes: [] }),
    ];
    port.groupList = [group(shared)];
    const server = new ControlServer({
      host: FakeHost.dev(port),
      clock: systemClock,
      logger: silentLogger,
      ownToken: 'a-token',
      tokens: null,
      audit: null,
      secrets: null,
    });
    await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
    const browser = await openBrowser();
    t.after(async () => {
      await browser.close();
      await server.close();
    });
    const page = await browser.newPage();
    await page.goto(server.link!);
    await page.waitForSelector('[data-component=core]');
    const names = await page.$$eval('[data-component]', (all) =>
      all.map((one) => one.getAttribute('data-component')),
    );
    assert.deepEqual(names, ['storefront', 'core', 'checkout', 'inventory', 'catalog']);
    assert.match((await page.textContent('[data-component=core]'))!, /group.*it is broken.*02$/);
    assert.doesNotMatch((await page.textContent('[data-component=checkout]'))!, /it is broken/);
    assert.match((await page.textContent('[data-component=checkout]'))!, /\/checkout/);
    assert.equal(await page.$('[data-component=checkout] [data-mode]'), null, 'its mode is the group’s');
    await page.click('[data-component=core] [data-mode=function]');
    await page.waitForSelector('[data-component=core] [data-mode=function][aria-pressed=true]');
    assert.deepEqual(port.asked, [{ setMode: 'core', mode: 'function' }]);
  },
);
