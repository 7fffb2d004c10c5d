import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { ComponentModule } from 'fulcrum';
import { html } from '../shared/html.ts';
import { formatPrice } from '../shared/money.ts';
import type { Order } from '../shared/order.ts';

const data = new URL('../data/', import.meta.url);
const DAY_MS = 86_400_000;

export interface Sales {
  readonly day: string;
  readonly orders: number;
  readonly items: number;
  readonly totalCents: number;
  readonly best: readonly { readonly name: string; readonly items: number }[];
}

/** The sales of one day (UTC), `YYYY-MM-DD`. */
export async function sales(day: string): Promise<Sales> {
  const beginMs = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(beginMs)) throw new RangeError(`"${day}" is no day; write one as 2026-01-31.`);
  const text = await readFile(new URL('orders.jsonl', data), 'utf8').catch(() => '');
  const orders = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Order)
    .filter((order) => order.atMs >= beginMs && order.atMs < beginMs + DAY_MS);

  const items = new Map<string, number>();
  for (const { name, quantity } of orders.flatMap((order) => order.lines)) {
    items.set(name, (items.get(name) ?? 0) + quantity);
  }
  return {
    day,
    orders: orders.length,
    items: [...items.values()].reduce((sum, count) => sum + count, 0),
    totalCents: orders.reduce((sum, order) => sum + order.totalCents, 0),
    best: [...items]
      .map(([name, count]) => ({ name, items: count }))
      .sort((a, b) => b.items - a.items || a.name.localeCompare(b.name))
      .slice(0, 10),
  };
}

export default {
  /** Writes yesterday's report to `data/reports/`. By hand: `fulcrum invoke report --scheduled`. */
  async scheduled(event) {
    const yesterday = new Date(event.scheduledTime - DAY_MS).toISOString().slice(0, 10);
    const today = new Date(event.scheduledTime).toISOString().slice(0, 10);
    const reports = new URL('reports/', data);
    await mkdir(reports, { recursive: true });
    for (const day of [yesterday, today]) {
      const report = await sales(day);
      await writeFile(new URL(`${day}.html`, reports), page(report));
      console.log(`report for ${day}: ${report.orders} orders, ${formatPrice(report.totalCents)}`);
    }
  },
} satisfies ComponentModule;

function page(report: Sales): string {
  const most = report.best[0]?.items ?? 1;
  return html`<!doctype html>
    <meta charset="utf-8" />
    <title>Sales on ${report.day}</title>
    <style>
      body {
        font: 16px/1.5 system-ui;
        max-width: 40rem;
        margin: 3rem auto;
      }
      td {
        padding: 0.2rem 0.6rem;
      }
      .bar {
        background: #1f5f4a;
        height: 1rem;
      }
    </style>
    <h1>Sales on ${report.day}</h1>
    <p>${report.orders} orders, ${report.items} items, ${formatPrice(report.totalCents)}</p>
    <table>
      ${report.best.map(
        ({ name, items }) =>
          html`<tr>
            <td>${name}</td>
            <td>${items}</td>
            <td style="width: 16rem">
              <div class="bar" style="width: ${Math.round((100 * items) / most)}%"></div>
            </td>
          </tr>`,
      )}
    </table>`.text;
}
