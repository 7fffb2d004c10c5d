import { html, type Html } from '../shared/html.ts';
import { formatPrice } from '../shared/money.ts';
import type { Order } from '../shared/order.ts';

/** The receipt as a fragment of HTML, for the page and for the letter. */
export function letter(order: Order): string {
  return html`<article class="receipt">
    <header>
      <h2>Receipt</h2>
      <p>
        Order <code>${order.id}</code>, ${new Date(order.atMs).toISOString().slice(0, 16).replace('T', ' ')}
        UTC
      </p>
      <p>${order.name}<br />${order.address}</p>
    </header>
    <table>
      <tbody>
        ${order.lines.map(
          (line) =>
            html`<tr>
              <td>${line.quantity} ×</td>
              <td>${line.name}</td>
              <td class="number">${formatPrice(line.priceCents * line.quantity)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        ${order.discountCents > 0 && sumRow('Discount', -order.discountCents)}
        ${order.shippingCents > 0 && sumRow('Shipping', order.shippingCents)}
        <tr>
          <td></td>
          <td>Paid by card <code>${order.paymentId}</code></td>
          <td class="number">${formatPrice(order.totalCents)}</td>
        </tr>
      </tfoot>
    </table>
  </article>`.text;
}

function sumRow(name: string, cents: number): Html {
  return html`<tr>
    <td></td>
    <td>${name}</td>
    <td class="number">${formatPrice(cents)}</td>
  </tr>`;
}
