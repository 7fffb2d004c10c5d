import { Html, html } from '../../shared/html.ts';
import { formatPrice } from '../../shared/money.ts';
import type { Order } from '../../shared/order.ts';
import type { Frame } from '../layout.ts';

const LONGEST_S = 60;

/** @param receipt null: it is still being written. */
export function orderPage(
  order: Order,
  receipt: string | null,
  nowMs: number,
): Pick<Frame, 'title' | 'body' | 'refreshS'> {
  return {
    title: 'Thank you',
    refreshS: receipt === null ? refreshAfterS(nowMs - order.atMs) : undefined,
    body: html`<div class="narrow">
      <h1>Thank you, ${order.name}</h1>
      ${receipt === null ? waiting(order) : new Html(receipt)}
    </div>`,
  };
}

/** As long again as it has been waited for, within a second and a minute: whoever leaves the page open asks ever more rarely. */
export function refreshAfterS(ageMs: number): number {
  return Math.min(Math.max(Math.ceil(ageMs / 1_000), 1), LONGEST_S);
}

function waiting(order: Order): Html {
  const items = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  return html`<div class="receipt waiting" role="status">
    <h2>Your receipt is being written</h2>
    <p>
      ${items} ${items === 1 ? 'thing' : 'things'} for ${formatPrice(order.totalCents)}, paid by card
      <code>${order.paymentId}</code>.
    </p>
    <p class="quiet">This page looks again by itself.</p>
  </div>`;
}
