import type { Page } from '../../catalog/main.ts';
import { html, type Html } from '../../shared/html.ts';
import { formatPrice } from '../../shared/money.ts';
import { capital } from '../layout.ts';
import { picture } from '../picture.ts';

/** So few are told of in the list. */
const FEW = 3;

export function listPage(page: Page, category: string | undefined, query: string | undefined): Html {
  const at = (number: number): string => {
    const search = new URLSearchParams();
    if (category !== undefined) search.set('category', category);
    if (query !== undefined) search.set('q', query);
    search.set('page', String(number));
    return `/?${search.toString()}`;
  };
  return html`<h1>${query ? `“${query}”` : category ? capital(category) : 'Good tools, plainly made'}</h1>
    <p class="quiet">${page.total} ${page.total === 1 ? 'thing' : 'things'}</p>
    <ul class="grid">
      ${page.products.map(
        (product) =>
          html`<li>
            <a href="/products/${product.sku}">
              ${picture(product.type, product.hue)}
              <span class="name">${product.name}</span>
              <span class="price">${formatPrice(product.priceCents)}</span>
              ${product.stock <= FEW && html`<span class="badge ${product.stock > 0 && 'few'}">${product.stock === 0 ? 'sold out' : `only ${product.stock} left`}</span>`}
            </a>
          </li>`,
      )}
    </ul>
    ${
      page.pages > 1 &&
      html`<nav class="pages" aria-label="Pages">
        ${page.page > 1 && html`<a href="${at(page.page - 1)}">← Back</a>`}
        <span>Page ${page.page} of ${page.pages}</span>
        ${page.page < page.pages && html`<a href="${at(page.page + 1)}">On →</a>`}
      </nav>`
    }`;
}
