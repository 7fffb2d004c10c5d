import { html, Html } from '../shared/html.ts';
import { formatPrice } from '../shared/money.ts';
import { columns } from './chart.ts';
import { nameOf } from './days.ts';
import type { Sales } from './sales.ts';

export interface Report {
  readonly sales: Sales;
  /** Of the day before. */
  readonly before: Sales;
  /** The day is not over. */
  readonly soFar: boolean;
}

/** A whole page that needs nothing else: it can be kept, and sent by mail. */
export function reportPage({ sales, before, soFar }: Report): string {
  const busiest = sales.hours.reduce((a, b) => (b.cents > a.cents ? b : a));
  return page(
    `Sales on ${nameOf(sales.day)}`,
    html`<p class="eyebrow"><a href="/report">Sales</a></p>
      <h1>${nameOf(sales.day)}</h1>
      ${soFar && html`<p class="quiet">The day so far.</p>`}
      <dl class="figures">
        ${figure('Revenue', formatPrice(sales.totalCents), change(sales.totalCents, before.totalCents, soFar))}
        ${figure('Orders', String(sales.orders), change(sales.orders, before.orders, soFar))}
        ${figure('Items', String(sales.items), change(sales.items, before.items, soFar))}
        ${figure('An order', sales.orders === 0 ? '–' : formatPrice(sales.totalCents / sales.orders), null)}
      </dl>
      <section>
        <h2>Revenue by the hour</h2>
        ${columns(
          sales.hours.map(({ from, orders, cents }, i) => ({
            label: i % 3 === 0 ? from.slice(0, 2) : '',
            value: cents / 100,
            title: `${from}: ${formatPrice(cents)}, ${orders} ${orders === 1 ? 'order' : 'orders'}`,
          })),
          (value) => whole(value),
          sales.orders === 0
            ? 'Nothing was sold.'
            : `Revenue by the hour; most from ${busiest.from} on: ${formatPrice(busiest.cents)}.`,
        )}
      </section>
      <section>
        <h2>What sold best</h2>
        ${sales.best.length === 0 ? html`<p class="quiet">Nothing was sold.</p>` : bestTable(sales)}
      </section>`,
  );
}

/** @param days that there are reports of, the latest first. */
export function indexPage(days: readonly string[]): string {
  const list = days.map((day) => html`<li><a href="/report/${day}">${nameOf(day)}</a></li>`);
  return page(
    'Sales',
    html`<h1>Sales</h1>
      ${
        days.length > 0
          ? html`<ul class="days">
              ${list}
            </ul>`
          : html`<p>There is no report yet. The first is made at two in the morning, or by hand:</p>
              <pre>fulcrum invoke report --scheduled</pre>`
      }`,
  );
}

function figure(name: string, value: string, note: Html | null): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
    ${note}
  </div>`;
}

function change(now: number, before: number, soFar: boolean): Html | null {
  if (before === 0 || soFar) return null;
  const percent = Math.round((100 * (now - before)) / before);
  const [sign, kind] = percent < 0 ? ['−', 'less'] : ['+', 'more'];
  return html`<dd class="change ${kind}">${sign}${Math.abs(percent)} % on the day before</dd>`;
}

function bestTable(sales: Sales): Html {
  const most = sales.best[0]!.items;
  return html`<table>
    <thead>
      <tr>
        <th>Product</th>
        <th class="wide"></th>
        <th class="number">Items</th>
        <th class="number">Revenue</th>
      </tr>
    </thead>
    <tbody>
      ${sales.best.map(
        ({ name, items, cents }) =>
          html`<tr>
            <td>${name}</td>
            <td class="wide"><span style="width: ${Math.round((100 * items) / most)}%"></span></td>
            <td class="number">${items}</td>
            <td class="number">${formatPrice(cents)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function whole(value: number): string {
  return value.toLocaleString('en-IE', {
    style: 'currency',
    currency: process.env.CURRENCY ?? 'EUR',
    maximumFractionDigits: value !== 0 && value < 10 ? 1 : 0,
  });
}

function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Lever &amp; Co.</title>
        <link rel="icon" href="/assets/mark.svg" />
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <header><a href="/">Lever &amp; Co.</a></header>
        <main>${body}</main>
      </body>
    </html>`.text;
}

const STYLE = new Html(`
:root {
  color-scheme: light dark;
  --ink: light-dark(#1d2420, #e8ebe6);
  --quiet: light-dark(#6a746e, #93a099);
  --paper: light-dark(#faf8f4, #141815);
  --card: light-dark(#fff, #1c221e);
  --grid: light-dark(#e4dfd6, #2f3832);
  --bar: light-dark(#1f5f4a, #4fb08d);
  --hover: light-dark(#d9822b14, #d9822b2e);
  --less: light-dark(#b0561a, #e29a55);
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', sans-serif; color: var(--ink); background: var(--paper); }
a { color: inherit; }
header { padding: .8rem 1.25rem; background: var(--card); border-bottom: 1px solid var(--grid); font-weight: 650; }
header a { text-decoration: none; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; margin: 0 0 .8rem; }
.eyebrow, .quiet { color: var(--quiet); margin: 0 0 .3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 1.2rem 0; }
.figures > div, section { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; padding: 1rem 1.2rem; }
section { margin-bottom: 1rem; overflow-x: auto; }
dt { color: var(--quiet); font-size: .88rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 620; font-variant-numeric: tabular-nums; letter-spacing: -.01em; }
dd.change { font-size: .82rem; font-weight: 500; letter-spacing: 0; color: var(--bar); }
dd.less { color: var(--less); }
.chart { display: block; width: 100%; min-width: 34rem; height: auto; }
.chart text { font-size: 11.5px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
.chart .grid { stroke: var(--grid); stroke-width: 1; }
.chart .bar { fill: var(--bar); }
.chart .whole { fill: transparent; }
.chart g:hover .whole { fill: var(--hover); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 500; font-size: .88rem; color: var(--quiet); }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--grid); }
tr:last-child td { border: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { width: 40%; }
.wide span { display: block; height: .7rem; border-radius: 2px; background: var(--bar); }
.days { list-style: none; padding: 0; }
.days li { padding: .5rem 0; border-bottom: 1px solid var(--grid); }
pre { background: var(--card); border: 1px solid var(--grid); border-radius: 6px; padding: .7rem 1rem; overflow-x: auto; }
@media (max-width: 40rem) { th.wide, td.wide { display: none; } }
`);
