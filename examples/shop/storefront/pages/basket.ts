import type { Cart } from '../../cart/main.ts';
import type { Quote } from '../../pricing/quote.ts';
import { html, type Html } from '../../shared/html.ts';
import { formatPrice } from '../../shared/money.ts';

/** @param order an id for what is bought with this page's button, however often it is pressed. */
export function basketPage(cart: Cart, quote: Quote, order: string, problem: string | null): Html {
  const told = problem !== null && html`<p class="problem" role="alert">${problem}</p>`;
  if (cart.count === 0) {
    return html`<div class="narrow">
      <h1>Your basket is empty</h1>
      ${told}
      <p><a class="button" href="/">Look around</a></p>
    </div>`;
  }
  return html`<h1>Your basket</h1>
    ${told}
    <div class="columns">
      <table class="lines">
        <tbody>
          ${cart.lines.map(
            (line, i) =>
              html`<tr>
                <td>
                  <a href="/products/${line.sku}">${line.name}</a>
                  ${line.quantity > line.left && html`<span class="badge">${leftOf(line.left)}</span>`}
                </td>
                <td class="steps">
                  ${step(line.sku, -1, '−')}<b>${line.quantity}</b>${step(line.sku, 1, '+')}
                </td>
                <td class="number">${formatPrice(quote.lines[i]!.priceCents * line.quantity)}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          ${quote.discountCents > 0 && sumRow('Discount', -quote.discountCents)}
          ${quote.shippingCents > 0 && sumRow('Shipping', quote.shippingCents)}
          ${sumRow('Together', quote.totalCents)}
        </tfoot>
      </table>
      <form class="pay" action="/checkout/pay" method="post">
        <h2>Checkout</h2>
        <input type="hidden" name="order" value="${order}" />
        <label>Name <input name="name" required autocomplete="name" /></label>
        <label>E-mail <input name="email" type="email" required autocomplete="email" /></label>
        <label
          >Address <textarea name="address" rows="2" required autocomplete="street-address"></textarea>
        </label>
        <label>Card <input name="card" required inputmode="numeric" value="4111 1111 1111 1111" /></label>
        <button>Pay ${formatPrice(quote.totalCents)}</button>
        <p class="quiet">
          No money moves. A card that ends in 0000 is refused; with 0001 the provider fails, with 0002 it does
          not answer, and with 0003 its answer is lost.
        </p>
      </form>
    </div>`;
}

function sumRow(name: string, cents: number): Html {
  return html`<tr>
    <td colspan="2">${name}</td>
    <td class="number">${formatPrice(cents)}</td>
  </tr>`;
}

function leftOf(left: number): string {
  return left === 0 ? 'sold out' : `only ${left} left`;
}

function step(sku: string, quantity: 1 | -1, sign: string): Html {
  return html`<form action="/cart/change" method="post">
    <input type="hidden" name="sku" value="${sku}" /><input
      type="hidden"
      name="quantity"
      value="${quantity}"
    />
    <button class="small" aria-label="${quantity === 1 ? 'One more' : 'One fewer'}">${sign}</button>
  </form>`;
}
