import { use, type ComponentModule } from 'fulcrum';
import type { Line } from '../shared/order.ts';
import { change, COOKIE, open, seal } from './cookie.ts';

const catalog = use<typeof import('../catalog/main.ts')>('catalog');

export interface CartLine extends Line {
  readonly name: string;
  /** In stock. */
  readonly left: number;
}

export interface Cart {
  readonly lines: readonly CartLine[];
  readonly count: number;
}

/** What is in the basket of whoever sent this `Cookie` header; what it costs, `pricing` knows. */
export async function read(cookieHeader: string | null): Promise<Cart> {
  const lines = open(cookieHeader, key());
  if (lines.length === 0) return { lines: [], count: 0 };
  const products = new Map(
    (await catalog.find(lines.map((line) => line.sku))).map((product) => [product.sku, product]),
  );
  const known = lines.flatMap((line) => {
    const product = products.get(line.sku);
    return product === undefined ? [] : [{ ...line, name: product.name, left: product.stock }];
  });
  return { lines: known, count: known.reduce((sum, line) => sum + line.quantity, 0) };
}

/** A form's field as text; a file is none. */
function textOf(field: unknown): string {
  return typeof field === 'string' ? field : '';
}

function key(): string {
  return process.env.CART_KEY!;
}

export default {
  /** `POST /cart/change` with a form of `sku` and `quantity`; sends the visitor back to the basket. */
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname !== '/cart/change' || request.method !== 'POST')
      return new Response('Not here.', { status: 404 });

    const form = await request.formData();
    const sku = textOf(form.get('sku'));
    const quantity = Number(textOf(form.get('quantity')) || 1);
    if (!Number.isInteger(quantity) || Math.abs(quantity) > 99)
      return new Response('How many?', { status: 400 });
    const [product] = await catalog.find([sku]);
    if (product === undefined) return new Response('There is no such product.', { status: 404 });
    if (product.stock === 0 && quantity > 0) {
      const problem = encodeURIComponent(`${product.name} is sold out.`);
      return new Response(null, { status: 303, headers: { location: `/basket?problem=${problem}` } });
    }

    const lines = change(open(request.headers.get('cookie'), key()), sku, quantity);
    return new Response(null, {
      status: 303,
      headers: {
        location: '/basket',
        'set-cookie': `${COOKIE}=${seal(lines, key())}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000`,
      },
    });
  },
} satisfies ComponentModule;
