import assert from 'node:assert/strict';
import type { Scenario } from './scenario.ts';

const NOBODY = '0123456789abcdef0123';

export const VISITS: readonly Scenario[] = [
  {
    name: 'looks around',
    async take(visitor) {
      assert.match((await visitor.get('/')).text, /Good tools[\s\S]*200 things/);
      assert.match((await visitor.get('/?q=oak')).text, /“oak”/);
      await visitor.get('/?category=workshop&page=2');
      assert.match((await visitor.get('/products/KB-02')).text, /Put in the basket/);
      assert.equal((await visitor.get('/products/ZZ-99')).status, 404);
      assert.equal((await visitor.get('/nowhere')).status, 404);
      assert.equal((await visitor.post('/', {})).status, 405);
      assert.equal((await visitor.get('/assets/mark.svg')).status, 200);
      assert.equal((await visitor.get('/account/health')).text, 'ok');
    },
  },
  {
    name: 'asks the catalogue',
    async take(visitor) {
      assert.match((await visitor.get('/api/catalog/KB-02')).text, /"sku":"KB-02"/);
      assert.match((await visitor.get('/api/catalog?q=brass&page=1')).text, /"pages":/);
      const unknown = await visitor.get('/api/catalog/ZZ-99');
      assert.deepEqual([unknown.status, unknown.text], [404, '{"error":"There is no product ZZ-99."}']);
    },
  },
  {
    name: 'puts what cannot be into a basket',
    async take(visitor) {
      const put = async (sku: string, quantity: string): Promise<number> =>
        (await visitor.post('/cart/change', { sku, quantity })).status;
      assert.deepEqual(
        [
          await put('ZZ-99', '1'),
          await put('KB-02', 'many'),
          await put('KB-02', '1.5'),
          await put('KA-02', '1'),
        ],
        [404, 400, 400, 303],
      );
      assert.match((await visitor.get('/basket')).text, /basket is empty/);
    },
  },
  {
    name: 'asks for prices by hand',
    async take(visitor) {
      assert.deepEqual(await visitor.call('pricing', 'priceOf', 'KA-01'), { value: 1_495 });
      assert.deepEqual(await visitor.call('pricing', 'priceOf', 'ZZ-99'), {
        thrown: {
          name: 'RangeError',
          message: 'There is no product "ZZ-99".',
          code: null,
          retryAfterS: null,
          cause: null,
        },
      });
      for (const wrong of [
        'KA-01',
        [{ sku: 'KA-01', quantity: -1 }],
        [null],
        [{ sku: 1, quantity: 1 }],
        undefined,
      ]) {
        const came = (await visitor.call('pricing', 'quote', wrong)) as { thrown: { name: string } };
        assert.equal(came.thrown.name, 'TypeError');
      }
      const quote = { kind: 'call', function: 'quote', args: [[{ sku: 'KA-01', quantity: 20 }]] } as const;
      const { value } = await visitor.invoke('pricing', quote);
      assert.equal((value as { totalCents: number }).totalCents, 26_910);
      assert.equal((await visitor.invoke('pricing', { ...quote, args: [] })).outcome, 'handler-error');
    },
  },
  {
    name: 'reserves, releases and cancels by hand, in an order in which nobody should',
    async take(visitor) {
      const lines = [{ sku: 'KB-03', quantity: 2 }];
      const left = (): Promise<unknown> => visitor.call('inventory', 'left', ['KB-03', 'ZZ-99']);
      const before = await left();
      await visitor.call('inventory', 'release', NOBODY);
      assert.deepEqual(await visitor.call('inventory', 'reserve', NOBODY, lines), {
        value: { held: false, sku: null },
      });
      await visitor.call('payment', 'cancel', NOBODY);
      const order = { id: NOBODY, totalCents: 100 };
      const late = await visitor.call('payment', 'charge', order, '4111 1111 1111 1111', NOBODY);
      assert.equal((late as { thrown: { code: string } }).thrown.code, 'payment-refused');
      const wrong = await visitor.call('inventory', 'reserve', 'no order', lines);
      assert.equal((wrong as { thrown: { name: string } }).thrown.name, 'TypeError');
      assert.deepEqual(await left(), before);
    },
  },
  {
    name: 'has the report made, and asks for one of no day',
    async take(visitor) {
      assert.equal((await visitor.get('/report/2020-01-01')).status, 404);
      assert.equal(
        (await visitor.invoke('report', { kind: 'scheduled', atMs: Date.UTC(2020, 0, 2, 1) })).outcome,
        'ok',
      );
      assert.match((await visitor.get('/report/2020-01-01')).text, /Wednesday,? 1 January 2020/);
      const sales = { kind: 'call', function: 'sales', args: ['tomorrow'] } as const;
      assert.equal((await visitor.invoke('report', sales)).outcome, 'handler-error');
    },
  },
  {
    name: 'gives receipts what is no order',
    async take(visitor) {
      const messages = [{ type: 'order.paid', data: { id: '../x' } }];
      // It is to come again: that is no error of the handler's.
      assert.equal((await visitor.invoke('receipts', { kind: 'queue', messages })).outcome, 'ok');
      assert.equal((await visitor.invoke('inventory', { kind: 'queue', messages })).outcome, 'ok');
    },
  },
];
