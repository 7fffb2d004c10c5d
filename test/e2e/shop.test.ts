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
    // It comes by an event; where it is not there at once, the page looks again by itself.
    await page.locator('.receipt:not(.waiting)', { hasText: '2 ×' }).waitFor();
    assert.equal(await page.textContent('.basket b'), '0');

    await page.goto(`${dev.url}/products/WA-02`);
    await until(async () => {
      await page.reload();
      return /10 in stock/.test((await page.textContent('.product'))!);
    }, 'two fewer in stock');

    await page.goto(`${dev.url}/account`);
    await page.reload();
    assert.match((await page.textContent('main'))!, /this page 2 times/);
    assert.deepEqual(problems, []);

    const { stdout } = await fulcrum(env, ['ps', '--json']);
    const components = new Map(
      (JSON.parse(stdout) as { components: Status[] }).components.map((status) => [status.name, status]),
    );
    assert.deepEqual(
      [
        'storefront',
        'catalog',
        'cart',
        'pricing',
        'checkout',
        'inventory',
        'payment',
        'receipts',
        'account',
      ].map((name) => components.get(name)?.mode),
      [
        'service',
        'function',
        'function',
        'function',
        'service',
        'service',
        'function',
        'function',
        'service',
      ],
    );
    // The event, and the page that looked for what came of it.
    assert.ok(components.get('receipts')!.lastMinute!.count >= 2);
    assert.equal(components.get('receipts')!.lastMinute!.failed, 0);
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
    ['pricing', 'service'],
    ['inventory', 'function'],
    ['payment', 'service'],
    ['receipts', 'service'],
    ['account', 'function'],
  ] as const) {
    const switched = await fulcrum(env, ['mode', name, mode]);
    assert.equal(switched.code, 0, switched.stderr);
  }
  assert.deepEqual(await look(), before);
  const order = await buy(dev.url, 'KA-01', 1);
  await until(async () => (await receipt(dev.url, order)) !== null, 'the receipt');
  await until(async () => (await left(dev.url, 'KA-01')) === 7, 'one fewer in stock');
});

test('what is paid while the receipts are switched off gets its receipt when they are back', async (t) => {
  const { dev, env } = await shop(t);
  const off = await fulcrum(env, ['limits', 'receipts', '--off']);
  assert.equal(off.code, 0, off.stderr);
  const orders = [await buy(dev.url, 'KA-01', 1), await buy(dev.url, 'KA-01', 2)];
  await until(async () => (await left(dev.url, 'KA-01')) === 5, 'three fewer in stock');
  const page = await (await fetch(`${dev.url}/orders/${orders[0]}`)).text();
  assert.match(page, /http-equiv="refresh" content="\d+"[\s\S]*Your receipt is being written/);
  const on = await fulcrum(env, ['limits', 'receipts', '--on']);
  assert.equal(on.code, 0, on.stderr);
  for (const order of orders) await until(async () => (await receipt(dev.url, order)) !== null, order);
});

test('who buys more than there is is told so, and pays nothing', async (t) => {
  const { dev } = await shop(t);
  assert.match(await tryToBuy(dev.url, 'KA-01', 9), /problem=There%20are%20only%208%20left/);
  // Sold out from the first: it does not even get into the basket.
  assert.match(await tryToBuy(dev.url, 'KA-02', 1), /problem=Your%20basket%20is%20empty/);
});

test('the nightly report is made by hand and stands on a page, and a function is called from the command line', async (t) => {
  const { dev, env } = await shop(t);
  assert.match(await text(dev.url, '/report'), /There is no report yet/);
  await buy(dev.url, 'KA-01', 2);
  const report = await fulcrum(env, ['invoke', 'report', '--scheduled']);
  assert.equal(report.code, 0, report.stderr);
  const days = [...(await text(dev.url, '/report')).matchAll(/href="(\/report\/[\d-]+)"/g)].map(
    ([, path]) => path!,
  );
  assert.equal(days.length, 2);
  const [today, yesterday] = await Promise.all(days.map((path) => text(dev.url, path)));
  // At midnight in Berlin the order may be of the day before.
  const sold = [today!, yesterday!].filter((page) => /Stoneware mug/.test(page));
  assert.equal(sold.length, 1);
  assert.match(sold[0]!, /€29\.90[\s\S]*<svg class="chart"[\s\S]*class="bar"/);
  assert.equal((await fetch(`${dev.url}/report/2020-01-01`)).status, 404);

  const sales = await fulcrum(env, ['invoke', 'report', 'sales', '--args', '["2026-01-31"]', '--json']);
  assert.equal(sales.code, 0, sales.stderr);
  const { value } = JSON.parse(sales.stdout) as { value: { hours: unknown[] } };
  const { hours, ...rest } = value;
  assert.equal(hours.length, 24);
  assert.deepEqual(rest, { day: '2026-01-31', orders: 0, items: 0, totalCents: 0, best: [] });
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

const post = (url: string, form: Readonly<Record<string, string>>, cookie = ''): Promise<Response> =>
  fetch(url, { method: 'POST', redirect: 'manual', headers: { cookie }, body: new URLSearchParams(form) });

async function text(url: string, path: string): Promise<string> {
  const answer = await fetch(url + path);
  assert.equal(answer.status, 200, path);
  return answer.text();
}

/** Puts it into an empty basket and pays. @returns where the visitor is sent. */
async function tryToBuy(url: string, sku: string, quantity: number): Promise<string> {
  const put = await post(`${url}/cart/change`, { sku, quantity: String(quantity) });
  const cookie = put.headers.get('set-cookie')?.split(';')[0];
  const who = {
    name: 'Ada',
    email: 'ada@example.com',
    address: '1 Analytical Way',
    card: '4111111111111111',
  };
  const paid = await post(`${url}/checkout/pay`, who, cookie);
  assert.equal(paid.status, 303);
  return paid.headers.get('location')!;
}

/** @returns the order's id. */
async function buy(url: string, sku: string, quantity: number): Promise<string> {
  const location = await tryToBuy(url, sku, quantity);
  assert.match(location, /^\/orders\/[0-9a-f]{20}$/);
  return location.slice('/orders/'.length);
}

/** Null while it is being written. */
async function receipt(url: string, order: string): Promise<string | null> {
  const page = await text(url, `/orders/${order}`);
  return /<article class="receipt">/.test(page) ? page : null;
}

async function left(url: string, sku: string): Promise<number> {
  return (JSON.parse(await text(url, `/api/catalog/${sku}`)) as { stock: number }).stock;
}

/** What comes by an event comes a moment later. */
async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
