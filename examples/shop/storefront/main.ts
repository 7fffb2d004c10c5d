import { randomBytes } from 'node:crypto';
import { use, type ComponentModule } from 'fulcrum';
import { html } from '../shared/html.ts';
import type { Order } from '../shared/order.ts';
import { layout, type Frame } from './layout.ts';
import { basketPage } from './pages/basket.ts';
import { listPage } from './pages/list.ts';
import { orderPage } from './pages/order.ts';
import { productPage } from './pages/product.ts';

const catalog = use<typeof import('../catalog/main.ts')>('catalog');
const cart = use<typeof import('../cart/main.ts')>('cart');
const pricing = use<typeof import('../pricing/main.ts')>('pricing');
const checkout = use<typeof import('../checkout/main.ts')>('checkout');
const receipts = use<typeof import('../receipts/main.ts')>('receipts');

const CATEGORIES = ['kitchen', 'desk', 'garden', 'workshop', 'travel'];

const JUST_PAID_MS = 2_000;
const A_MOMENT_MS = 300;

type Part = Pick<Frame, 'title' | 'body'> & Partial<Frame>;

/** The part of a page that its path decides. */
async function part(url: URL, cookie: string | null): Promise<Part> {
  const [, first = '', second = ''] = url.pathname.split('/');
  if (first === '') {
    const category = url.searchParams.get('category') ?? undefined;
    const query = url.searchParams.get('q') || undefined;
    const page = await catalog.search({ category, query, page: Number(url.searchParams.get('page') ?? 1) });
    return { title: 'Shop', category, query, body: listPage(page, category, query) };
  }
  if (first === 'products') {
    const [product] = await catalog.find([second]);
    if (product) return { title: product.name, category: product.category, body: productPage(product) };
  }
  if (first === 'basket') {
    const basket = await cart.read(cookie);
    const quote = await pricing.quote(basket.lines);
    const order = randomBytes(10).toString('hex');
    return { title: 'Basket', body: basketPage(basket, quote, order, url.searchParams.get('problem')) };
  }
  if (first === 'orders') {
    const order = await checkout.order(second);
    if (order) return orderPage(order, await receiptOf(order), Date.now());
  }
  return {
    title: 'Not found',
    status: 404,
    body: html`<div class="narrow">
      <h1>There is nothing here</h1>
      <p><a class="button" href="/">To the shop</a></p>
    </div>`,
  };
}

export default {
  async fetch(request) {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return new Response('Only GET here.', { status: 405 });
    const cookie = request.headers.get('cookie');
    const [shown, basket] = await Promise.all([part(new URL(request.url), cookie), itemsIn(cookie)]);
    return layout({ categories: CATEGORIES, items: basket, ...shown });
  },
} satisfies ComponentModule;

/**
 * Null: it is not written yet. That is the work of a function that hears of the order by an event: mostly before the browser asks, at times a
 * moment later, and where it is switched off or fails, when it is back.
 */
async function receiptOf(order: Order): Promise<string | null> {
  try {
    const receipt = await receipts.find(order.id);
    if (receipt !== null || Date.now() - order.atMs > JUST_PAID_MS) return receipt;
    await new Promise((resolve) => setTimeout(resolve, A_MOMENT_MS));
    return await receipts.find(order.id);
  } catch (error) {
    console.error(`the receipt of order ${order.id} cannot be looked for:`, error);
    return null;
  }
}

/** Only visitors with a basket cost a call. */
async function itemsIn(cookie: string | null): Promise<number> {
  return cookie?.includes('cart=') ? (await cart.read(cookie)).count : 0;
}
