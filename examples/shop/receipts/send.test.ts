import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { orderWith } from '../testing/orders.ts';
import { ReceiptFile } from './file.ts';
import { send } from './send.ts';

test('a receipt is written once, whole, with what people typed in escaped', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-receipts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = new ReceiptFile(pathToFileURL(`${folder}/kept/`));
  const order = orderWith(7, { 'KA-01': 2 });
  assert.equal(await file.read(order.id), null);

  const sent = t.mock.method(console, 'log', () => undefined);
  for (let times = 0; times < 2; times++) await send(order, file);
  assert.equal(sent.mock.callCount(), 1);
  const text = (await file.read(order.id))!;
  assert.match(text, /2 ×[\s\S]*Thing KA-01[\s\S]*€20\.00[\s\S]*<\/article>$/);
  assert.match(text, /Ada &lt;b&gt;Visitor/);
  assert.deepEqual(readdirSync(join(folder, 'kept')), [`${order.id}.html`]);
  await assert.rejects(send({ id: '../../etc/passwd', lines: [] }, file), /This is no order/);
});
