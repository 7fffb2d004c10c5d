import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where a Chromium is installed; null where there is none, and then tests that need one skip and say so. */
const chromiumPath: string | null = PLACES.find((path) => path !== undefined && existsSync(path)) ?? null;

export const skipWithoutChromium =
  chromiumPath === null ? 'no Chromium on this machine (set CHROMIUM_PATH)' : false;

/** A headless browser that ends with the test. */
export async function browser(t: TestContext): Promise<Browser> {
  const launched = await chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.after(() => launched.close());
  return launched;
}
