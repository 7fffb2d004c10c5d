import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { ComponentModule } from 'fulcrum';
import { DATA } from '../shared/data.ts';
import { formatPrice } from '../shared/money.ts';
import { Orders } from '../shared/orders.ts';
import { boundsOf, dayBefore, dayOf } from './days.ts';
import { indexPage, reportPage } from './page.ts';
import { salesOn, type Sales } from './sales.ts';

const reports = new URL('reports/', DATA);

/** What was sold on a day, `2026-01-31`, of the shop's time zone. */
export async function sales(day: string): Promise<Sales> {
  const { beginMs, endMs } = boundsOf(day);
  const orders = new Orders();
  try {
    return salesOn(day, orders.between(beginMs, endMs));
  } finally {
    orders.close();
  }
}

export default {
  /** The reports: `/report` lists them, `/report/2026-01-31` is one. A real shop would have them behind its staff's log-in. */
  async fetch(request) {
    const [, day = ''] = /^\/report\/?(\d{4}-\d\d-\d\d)?$/.exec(new URL(request.url).pathname) ?? [
      null,
      null,
    ];
    if (day === null) return new Response('Not here.', { status: 404 });
    const text = day === '' ? indexPage(await days()) : await readFile(at(day), 'utf8').catch(() => null);
    if (text === null) return new Response(`There is no report of ${day}.`, { status: 404 });
    return new Response(text, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'",
      },
    });
  },

  /**
   * At two in the morning: the report of the day that is over, and of the one that has begun. By hand: `fulcrum invoke report --scheduled`.
   */
  async scheduled(event) {
    const today = dayOf(event.scheduledTime);
    const soldOn = new Map<string, Sales>();
    for (const day of [dayBefore(dayBefore(today)), dayBefore(today), today])
      soldOn.set(day, await sales(day));
    await mkdir(reports, { recursive: true });
    for (const day of [dayBefore(today), today]) {
      const [sold, before] = [soldOn.get(day)!, soldOn.get(dayBefore(day))!];
      const half = new URL(`.${day}.${process.pid}`, reports);
      await writeFile(half, reportPage({ sales: sold, before, soFar: day === today }));
      await rename(half, at(day));
      console.log(`report for ${day}: ${sold.orders} orders, ${formatPrice(sold.totalCents)}`);
    }
  },
} satisfies ComponentModule;

function at(day: string): URL {
  return new URL(`${day}.html`, reports);
}

/** The latest first. */
async function days(): Promise<string[]> {
  const names = await readdir(reports).catch(() => []);
  return names
    .flatMap((name) => /^(\d{4}-\d\d-\d\d)\.html$/.exec(name)?.[1] ?? [])
    .toSorted()
    .toReversed();
}
