import { appendFile, mkdir, readFile } from 'node:fs/promises';
import type { Order } from '../shared/order.ts';

const file = new URL('../data/orders.jsonl', import.meta.url);
const recent = new Map<string, Order>();
const RECENT = 1_000;

/** Writes an order down: one line of JSON, at the end of the file. */
export async function keep(order: Order): Promise<void> {
  await mkdir(new URL('.', file), { recursive: true });
  await appendFile(file, `${JSON.stringify(order)}\n`);
  recent.set(order.id, order);
  if (recent.size > RECENT) recent.delete(recent.keys().next().value!);
}

/** The order of that id, or null. */
export async function lookUp(id: string): Promise<Order | null> {
  const known = recent.get(id);
  if (known) return known;
  const text = await readFile(file, 'utf8').catch(() => '');
  const line = text.split('\n').find((candidate) => candidate.includes(`"id":"${id}"`));
  return line === undefined ? null : (JSON.parse(line) as Order);
}
