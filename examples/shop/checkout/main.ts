import { randomBytes } from 'node:crypto';
import { use, type ComponentModule } from 'fulcrum';
import type { Order } from '../shared/order.ts';
import { keep, lookUp } from './orders.ts';
import { charge, PaymentRefused } from './payment.ts';

const cart = use<typeof import('../cart/main.ts')>('cart');
const receipts = use<typeof import('../receipts/main.ts')>('receipts');

/** The order of that id, or null. Ids cannot be guessed: whoever has one may see the order. */
export async function order(id: string): Promise<Order | null> {
  return /^[0-9a-f]{20}$/.test(id) ? lookUp(id) : null;
}

export default {
  /** `POST /checkout/pay` with a form of `name`, `email`, `address` and `card`. */
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname !== '/checkout/pay' || request.method !== 'POST')
      return new Response('Not here.', { status: 404 });

    const form = await request.formData();
    const field = (name: string): string => {
      const value = form.get(name);
      return typeof value === 'string' ? value.trim().slice(0, 500) : '';
    };
    const [name, email, address] = [field('name'), field('email'), field('address')];
    if (!name || !email.includes('@') || !address)
      return back('Please fill in your name, e-mail and address.');

    const basket = await cart.read(request.headers.get('cookie'));
    if (basket.count === 0) return back('Your basket is empty.');

    let paymentId: string;
    try {
      paymentId = await charge(basket.totalCents, field('card'), env.PAYMENT_KEY!);
    } catch (error) {
      if (error instanceof PaymentRefused) return back(error.message);
      throw error;
    }

    const paid: Order = {
      id: randomBytes(10).toString('hex'),
      atMs: Date.now(),
      name,
      email,
      address,
      lines: basket.lines,
      totalCents: basket.totalCents,
      paymentId,
    };
    await keep(paid);
    ctx.waitUntil(receipts.send(paid));
    console.log(`order ${paid.id} paid`);
    return new Response(null, {
      status: 303,
      headers: {
        location: `/orders/${paid.id}`,
        'set-cookie': 'cart=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
      },
    });
  },
} satisfies ComponentModule;

function back(problem: string): Response {
  return new Response(null, {
    status: 303,
    headers: { location: `/basket?problem=${encodeURIComponent(problem)}` },
  });
}
