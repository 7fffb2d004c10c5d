import { idempotent, type ComponentModule } from 'fulcrum';
import products from '../catalog/products.json' with { type: 'json' };
import { linesOf, type Line } from '../shared/order.ts';
import { quoteFor, type Quote } from './quote.ts';

const prices = new Map(products.map(({ sku, priceCents }) => [sku, priceCents]));

/** The price of one piece. @throws RangeError where there is no such product. */
export const priceOf = idempotent(async (sku: string): Promise<number> => priceIn(sku));

/** What a basket costs: discount and shipping are in it. @throws RangeError, TypeError */
export const quote = idempotent(async (lines: readonly Line[]): Promise<Quote> =>
  quoteFor(linesOf(lines), priceIn),
);

function priceIn(sku: string): number {
  const price = prices.get(sku);
  if (price === undefined) throw new RangeError(`There is no product "${sku}".`);
  return price;
}

export default {} satisfies ComponentModule;
