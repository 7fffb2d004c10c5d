import { randomBytes } from 'node:crypto';
import { use, type ComponentModule } from 'fulcrum';
import { ORDER_ID, type Order } from '../shared/order.ts';
import { Orders } from '../shared/orders.ts';
import { charge, PaymentRefused } from './payment.ts';
import { tell, tellWhatIsLeft } from './tell.ts';

const cart = use<typeof import('../cart/main.ts')>('cart');

let opened: Orders | null = null;
const orders = (): Orders => (opened ??= new Orders());

/** The order of that id, or null. */
export async function order(id: string): Promise<Order | null> {
  return ORDER_ID.test(id) ? orders().lookUp(id) : null;
}

export default {
  /** `POST /checkout/pay` with a form of `name`, `email`, `address` and `card`. */
  async fetch(request, env) {
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
    const short = basket.lines.find((line) => line.quantity > line.left);
    if (short) return back(shortOf(short.name, short.left));

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
      lines: basket.lines.map(({ sku, name, quantity, priceCents }) => ({ sku, name, quantity, priceCents })),
      totalCents: basket.totalCents,
      paymentId,
    };
    orders().keep(paid);
    console.log(`order ${paid.id} paid`);
    try {
      await tell(paid, orders(), env.events);
    } catch (error) {
      // It is paid and written down: whoever paid is thanked, and the next tick tells of it.
      console.error(`order ${paid.id} is told of later:`, error);
    }
    return new Response(null, {
      status: 303,
      headers: {
        location: `/orders/${paid.id}`,
        'set-cookie': 'cart=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
      },
    });
  },

  /** Every minute: tells of what was paid and, the server having been killed in between, not told of. */
  async scheduled(_event, env) {
    const told = await tellWhatIsLeft(orders(), env.events, Date.now());
    if (told > 0) console.log(`${told} orders told of that had been left`);
  },
} satisfies ComponentModule;

function back(problem: string): Response {
  return new Response(null, {
    status: 303,
    headers: { location: `/basket?problem=${encodeURIComponent(problem)}` },
  });
}

function shortOf(name: string, left: number): string {
  return left === 0 ? `${name} is sold out.` : `There are only ${left} left of ${name}.`;
}
