import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test, type TestContext } from 'node:test';
import { browser, skipWithoutChromium } from './support/browser.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';

const SHOP = join(import.meta.dirname, '../../examples/shop');
const run = promisify(execFile);

interface Status {
  name: string;
  mode: string | null;
  lastMinute: { count: number; failed: number; cold: number } | null;
}

/** A copy, so that orders of a test are not a developer's. */
async function shop(t: TestContext): Promise<{ dev: DevProcess; env: NodeJS.ProcessEnv; directory: string }> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'fulcrum-shop-')));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  await cp(SHOP, directory, {
    recursive: true,
    filter: (path) => !/\.fulcrum|\/data(\/|$)|\.env\.local/.test(path.slice(SHOP.length)),
  });
  const env = isolatedEnv();
  return { dev: await DevProcess.start(t, env, directory), env, directory };
}

test(
  'a person buys something in the browser, across functions and services',
  { skip: skipWithoutChromium },
  async (t) => {
    const { dev, env } = await shop(t);
    const page = await (await browser(t)).newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on(
      'response',
      (answer) => answer.status() >= 400 && problems.push(`${answer.status()} ${answer.url()}`),
    );

    await page.goto(dev.url);
    assert.match((await page.textContent('h1'))!, /Good tools/);
    assert.equal(await page.locator('.grid li').count(), 20);
    assert.match((await page.textContent('.timing'))!, /handler [\d.]+ ms/);

    await page.fill('input[name=q]', 'oak');
    await page.press('input[name=q]', 'Enter');
    await page.waitForURL(/q=oak/);
    assert.ok((await page.locator('.grid li').count()) >= 1);

    await page.click('nav.categories a:text("Workshop")');
    await page.click('.pages a:text("On")');
    await page.waitForURL(/page=2/);
    await page.goto(`${dev.url}/products/WA-02`);
    await page.click('button:text("Put in the basket")');
    await page.waitForURL(/\/basket$/);
    await page.click('button[aria-label="One more"]');
    await page.locator('.basket b', { hasText: '2' }).waitFor();

    await page.fill('input[name=name]', 'Ada <b>Visitor</b>');
    await page.fill('input[name=email]', 'ada@example.com');
    await page.fill('textarea[name=address]', '1 Analytical Way');
    await page.fill('input[name=card]', '4000 0000 0000 0000');
    await page.click('button:text("Pay")');
    await page.waitForSelector('.problem');
    assert.match((await page.textContent('.problem'))!, /refused/);

    await page.fill('input[name=name]', 'Ada <b>Visitor</b>');
    await page.fill('input[name=email]', 'ada@example.com');
    await page.fill('textarea[name=address]', '1 Analytical Way');
    await page.click('button:text("Pay")');
    await page.waitForURL(/\/orders\/[0-9a-f]{20}$/);
    assert.match((await page.textContent('h1'))!, /Thank you, Ada <b>Visitor<\/b>/);
    assert.match((await page.textContent('.receipt'))!, /2 ×/);
    assert.equal(await page.textContent('.basket b'), '0');

    await page.goto(`${dev.url}/account`);
    await page.reload();
    assert.match((await page.textContent('main'))!, /this page 2 times/);
    assert.deepEqual(problems, []);

    const { stdout } = await fulcrum(env, ['ps', '--json']);
    const components = new Map(
      (JSON.parse(stdout) as { components: Status[] }).components.map((status) => [status.name, status]),
    );
    assert.deepEqual(
      ['storefront', 'catalog', 'cart', 'checkout', 'account'].map((name) => components.get(name)?.mode),
      ['service', 'function', 'function', 'service', 'service'],
    );
    assert.equal(components.get('receipts')!.lastMinute!.count, 2);
  },
);

test('every component in the other mode does the same', async (t) => {
  const { dev, env } = await shop(t);
  const look = async (): Promise<string[]> => {
    const [home, product, api, account] = await Promise.all(
      ['/', '/products/KA-01', '/api/catalog?q=brass', '/account/health'].map((path) =>
        fetch(dev.url + path).then((answer) => answer.text()),
      ),
    );
    return [home!, product!, api!, account!];
  };
  const before = await look();
  for (const [name, mode] of [
    ['storefront', 'function'],
    ['catalog', 'service'],
    ['cart', 'service'],
    ['account', 'function'],
  ] as const) {
    const switched = await fulcrum(env, ['mode', name, mode]);
    assert.equal(switched.code, 0, switched.stderr);
  }
  assert.deepEqual(await look(), before);
});

test('the nightly report is made by hand, and a function is called from the command line', async (t) => {
  const { env } = await shop(t);
  const report = await fulcrum(env, ['invoke', 'report', '--scheduled']);
  assert.equal(report.code, 0, report.stderr);
  const sales = await fulcrum(env, ['invoke', 'report', 'sales', '--args', '["2026-01-31"]', '--json']);
  assert.equal(sales.code, 0, sales.stderr);
  assert.deepEqual((JSON.parse(sales.stdout) as { value: object }).value, {
    day: '2026-01-31',
    orders: 0,
    items: 0,
    totalCents: 0,
    best: [],
  });
  const wrong = await fulcrum(env, ['invoke', 'report', 'sales', '--args', '["tomorrow"]']);
  assert.equal(wrong.code, 4);
  assert.match(wrong.stderr, /"tomorrow" is no day/);
});

test('visitors come and nobody is turned away', async (t) => {
  const { dev } = await shop(t);
  const traffic = join(SHOP, 'scripts/traffic.ts');
  const { stdout } = await run(process.execPath, [
    traffic,
    '--rps',
    '30',
    '--minutes',
    process.env.FULCRUM_FULL ? '2' : '0.1',
    '--seed',
    '3',
    '--url',
    dev.url,
    '--json',
  ]);
  const result = JSON.parse(stdout) as { requests: number; failed: number; failures: object };
  assert.deepEqual([result.failed, result.failures], [0, {}]);
  assert.ok(result.requests > 50, `only ${result.requests} requests`);
});
