import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';
import type { Page, Visitor } from './visitor.ts';

const GOOD_CARD = '4111 1111 1111 1111';
const WHO = { name: 'Ada <b>Visitor</b>', email: 'ada@example.com', address: '1 Analytical Way' };
const ORDER = /^\/orders\/([0-9a-f]{20})$/;

const put = (visitor: Visitor, sku: string, quantity = 1): Promise<Page> =>
  visitor.post('/cart/change', { sku, quantity: String(quantity) });

const pay = (
  visitor: Visitor,
  card = GOOD_CARD,
  more: Readonly<Record<string, string>> = {},
): Promise<Page> => visitor.post('/checkout/pay', { ...WHO, card, ...more });

/** The id that the basket's page has for what is bought there. */
async function orderOf(visitor: Visitor): Promise<string> {
  const { text } = await visitor.get('/basket');
  return /name="order" value="([0-9a-f]{20})"/.exec(text)![1]!;
}

async function left(visitor: Visitor, sku: string): Promise<number> {
  const { text } = await visitor.get(`/api/catalog/${sku}`);
  return (JSON.parse(text) as { stock: number }).stock;
}

function problemOf({ status, location }: Page): string {
  assert.equal(status, 303);
  return new URL(location!, 'http://shop').searchParams.get('problem') ?? `none: ${location}`;
}

/** The events about an order that have been delivered, once there are any. */
async function heardOf(visitor: Visitor, id: string): Promise<readonly { type: string; data: unknown }[]> {
  const { value } = (await visitor.until(
    `the event of ${id}`,
    () => visitor.call('witness', 'heard', id) as Promise<{ value: { type: string; data: unknown }[] }>,
    (came) => came.value?.length > 0,
  )) satisfies object;
  return value;
}

export const PURCHASES: readonly Scenario[] = [
  {
    name: 'buys, and gets a receipt and an event',
    async take(visitor) {
      await put(visitor, 'KA-05', 2);
      const paid = await pay(visitor);
      const [, id] = ORDER.exec(paid.location!)!;
      assert.equal(await left(visitor, 'KA-05'), 10);
      const receipt = await visitor.until(
        'the receipt',
        () => visitor.get(`/orders/${id}`),
        ({ text }) => /<article class="receipt">/.test(text),
      );
      assert.match(receipt.text, /Ada &lt;b&gt;Visitor[\s\S]*2 ×[\s\S]*Double-wall mug[\s\S]*€49\.90/);
      const [event, ...more] = await heardOf(visitor, id!);
      assert.deepEqual(more, []);
      assert.equal((event!.data as { totalCents: number }).totalCents, 4_990);
      // The basket is empty again.
      assert.match((await visitor.get('/basket')).text, /basket is empty/);
    },
  },
  {
    name: 'pays less for many, and for sending little',
    async take(visitor) {
      await put(visitor, 'KA-06', 10);
      assert.match(
        (await visitor.get('/basket')).text,
        /Discount[\s\S]*-€5\.22[\s\S]*Together[\s\S]*€99\.28/,
      );
      await put(visitor, 'KA-06', -9);
      assert.match((await visitor.get('/basket')).text, /Shipping[\s\S]*€4\.95[\s\S]*Together[\s\S]*€15\.40/);
      await pay(visitor);
    },
  },
  {
    name: 'presses the button twice, and buys once',
    async take(visitor) {
      await put(visitor, 'KA-07', 3);
      const order = await orderOf(visitor);
      const again = visitor.fork();
      const [one, other] = await Promise.all([
        pay(visitor, GOOD_CARD, { order }),
        pay(again, GOOD_CARD, { order }),
      ]);
      assert.equal(one.location, `/orders/${order}`);
      assert.equal(other.location, `/orders/${order}`);
      assert.equal(await left(visitor, 'KA-07'), 9);
      assert.equal((await heardOf(visitor, order)).length, 1);
    },
  },
  {
    name: 'is refused by the bank: the goods are back, another card pays',
    async take(visitor) {
      await put(visitor, 'KA-08', 2);
      assert.equal(problemOf(await pay(visitor, '4000 0000 0000 0000')), 'The bank has refused the card.');
      assert.equal(problemOf(await pay(visitor, '12')), 'That is not the number of a card.');
      assert.equal(await left(visitor, 'KA-08'), 60);
      assert.match((await pay(visitor)).location!, ORDER);
      assert.equal(await left(visitor, 'KA-08'), 58);
    },
  },
  {
    name: 'meets a provider that fails: nothing is charged, what was given up stays so',
    async take(visitor) {
      await put(visitor, 'KA-09', 1);
      const before = await left(visitor, 'KA-09');
      const order = await orderOf(visitor);
      const problem = problemOf(await pay(visitor, '4111 1111 1111 0001', { order }));
      assert.match(problem, /did not go through, and nothing was charged/);
      assert.equal(await left(visitor, 'KA-09'), before);
      assert.match(problemOf(await pay(visitor, GOOD_CARD, { order })), /given up, and nothing was charged/);
      assert.equal((await visitor.get(`/orders/${order}`)).status, 404);
    },
  },
  {
    name: 'meets a provider that does not answer: it is not waited for longer than it may take',
    async take(visitor) {
      await put(visitor, 'KB-06', 1);
      const before = await left(visitor, 'KB-06');
      assert.match(
        problemOf(await pay(visitor, '4111 1111 1111 0002')),
        /did not go through, and nothing was charged/,
      );
      assert.equal(await left(visitor, 'KB-06'), before);
    },
  },
  {
    name: 'meets a provider whose answer is lost: it is asked again, and charges once',
    async take(visitor) {
      await put(visitor, 'KB-01', 1);
      const order = await orderOf(visitor);
      assert.equal((await pay(visitor, '4111 1111 1111 0003', { order })).location, `/orders/${order}`);
      const [event] = await heardOf(visitor, order);
      const { paymentId, totalCents } = event!.data as { paymentId: string; totalCents: number };
      // Asked for by hand with the same key, it is the same charge.
      assert.deepEqual(await visitor.call('payment', 'charge', { id: order, totalCents }, GOOD_CARD, order), {
        value: paymentId,
      });
    },
  },
  {
    name: 'wants what another has bought meanwhile',
    async take(visitor) {
      const other = visitor.fork();
      await put(visitor, 'KA-03', 2);
      await put(other, 'KA-03', 3);
      assert.match((await pay(other)).location!, ORDER);
      assert.equal(problemOf(await pay(visitor)), 'Speckled mug is sold out.');
      assert.equal(problemOf(await put(visitor, 'KA-03', 1)), 'Speckled mug is sold out.');
      assert.equal(await left(visitor, 'KA-03'), 0);
    },
  },
  {
    name: 'wants more than there is, of one of two things: nothing of either is taken',
    async take(visitor) {
      await put(visitor, 'KB-04', 1);
      const before = await left(visitor, 'KB-04');
      await put(visitor, 'KA-01', 9);
      assert.equal(problemOf(await pay(visitor)), 'There are only 8 left of Stoneware mug.');
      assert.equal(await left(visitor, 'KB-04'), before);
    },
  },
  {
    name: 'pays with an empty basket, with one that somebody has tampered with, and without an address',
    async take(visitor) {
      assert.match(problemOf(await pay(visitor)), /basket is empty/);
      await put(visitor, 'KA-06', 1);
      assert.match(problemOf(await pay(visitor, GOOD_CARD, { address: ' ' })), /fill in your name/);
      visitor.tamper();
      assert.match(problemOf(await pay(visitor)), /basket is empty/);
      assert.equal((await visitor.get('/checkout/pay')).status, 404);
    },
  },
];
