import { randomBytes } from 'node:crypto';
import { use, type ComponentModule } from 'fulcrum';
import { ORDER_ID, type Order, type Purchase } from '../shared/order.ts';
import { Orders } from '../shared/orders.ts';
import { NotPlaced, place, type Means } from './place.ts';
import { settle } from './settle.ts';
import { tell, tellWhatIsLeft } from './tell.ts';

const cart = use<typeof import('../cart/main.ts')>('cart');
const pricing = use<typeof import('../pricing/main.ts')>('pricing');
const inventory = use<typeof import('../inventory/main.ts')>('inventory');
const payment = use<typeof import('../payment/main.ts')>('payment');

let opened: Orders | null = null;
const orders = (): Orders => (opened ??= new Orders());
const means = (): Means => ({ orders: orders(), inventory, payment });

/** The order of that id, or null. */
export async function order(id: string): Promise<Order | null> {
  return ORDER_ID.test(id) ? orders().lookUp(id) : null;
}

/** What somebody wants to pay for, who sent this form and this `Cookie` header. @throws NotPlaced where something is missing. */
async function purchaseIn(form: FormData, cookie: string | null): Promise<Purchase> {
  const [name, email, address] = [text(form, 'name'), text(form, 'email'), text(form, 'address')];
  if (!name || !email.includes('@') || !address)
    throw new NotPlaced('Please fill in your name, e-mail and address.');
  const basket = await cart.read(cookie);
  if (basket.count === 0) throw new NotPlaced('Your basket is empty.');
  const quote = await pricing.quote(basket.lines);
  const priced = quote.lines.map((line, i) => ({ ...line, name: basket.lines[i]!.name }));
  const given = text(form, 'order');
  return {
    id: ORDER_ID.test(given) ? given : randomBytes(10).toString('hex'),
    atMs: Date.now(),
    name,
    email,
    address,
    lines: priced,
    discountCents: quote.discountCents,
    shippingCents: quote.shippingCents,
    totalCents: quote.totalCents,
  };
}

export default {
  /**
   * `POST /checkout/pay` with a form of `name`, `email`, `address`, `card` and `order`, an id that the basket's page was given: who presses
   * the button twice buys once.
   */
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname !== '/checkout/pay' || request.method !== 'POST')
      return new Response('Not here.', { status: 404 });

    const form = await request.formData();
    let id: string;
    try {
      const purchase = await purchaseIn(form, request.headers.get('cookie'));
      ({ id } = purchase);
      await place(purchase, text(form, 'card'), means());
    } catch (error) {
      if (error instanceof NotPlaced) return back(error.message);
      throw error;
    }

    console.log(`order ${id} paid`);
    try {
      await tell(orders().lookUp(id)!, orders(), env.events);
    } catch (error) {
      // It is paid and written down: whoever paid is thanked, and the next tick tells of it.
      console.error(`order ${id} is told of later:`, error);
    }
    return new Response(null, {
      status: 303,
      headers: {
        location: `/orders/${id}`,
        'set-cookie': 'cart=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0',
      },
    });
  },

  /**
   * Every minute: ends what the server having been killed in between, or somebody not having answered, has left open. What is paid is told of,
   * what is not is taken back.
   */
  async scheduled(_event, env) {
    const told = await tellWhatIsLeft(orders(), env.events, Date.now());
    if (told > 0) console.log(`${told} orders told of that had been left`);
    const settled = await settle(means(), Date.now());
    if (settled > 0) console.log(`${settled} purchases taken back that had been left`);
  },
} satisfies ComponentModule;

/** A form's field as text; a file is none. */
function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim().slice(0, 500) : '';
}

function back(problem: string): Response {
  return new Response(null, {
    status: 303,
    headers: { location: `/basket?problem=${encodeURIComponent(problem)}` },
  });
}
