import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { component, FakePort } from './fixtures/fake-port.ts';
import { ControlServer } from './server.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}`;

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
    const server = new ControlServer({ port, clock: systemClock, logger: silentLogger, token: 'a-token' });
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
    const browser = await chromium.launch({
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
    assert.deepEqual(complaints, [], 'the policy allows the page’s own script and style');

    await page.click('[data-component=catalog] [data-mode=service]');
    await page.waitForSelector('[data-component=catalog] [data-mode=service][aria-pressed=true]');
    assert.deepEqual(port.asked, [{ setMode: 'catalog', mode: 'service' }]);
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
      `${page.url()}v1/app`,
    );
    assert.equal(refused, 'refused');
  },
);
