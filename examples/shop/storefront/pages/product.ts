import type { Product } from '../../catalog/main.ts';
import { html, type Html } from '../../shared/html.ts';
import { formatPrice } from '../../shared/money.ts';
import { capital } from '../layout.ts';
import { picture } from '../picture.ts';

export function productPage(product: Product): Html {
  return html`<article class="product">
    ${picture(product.type, product.hue)}
    <div>
      <p class="quiet">
        <a href="/?category=${product.category}">${capital(product.category)}</a> · ${product.sku}
      </p>
      <h1>${product.name}</h1>
      <p>${product.description}</p>
      <p class="price large">${formatPrice(product.priceCents)}</p>
      ${
        product.stock === 0
          ? html`<p class="badge">sold out</p>`
          : html`<form action="/cart/change" method="post">
              <input type="hidden" name="sku" value="${product.sku}" />
              <input type="hidden" name="quantity" value="1" />
              <button>Put in the basket</button>
              <span class="quiet">${product.stock} in stock</span>
            </form>`
      }
    </div>
  </article>`;
}
