import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Line } from '../shared/order.ts';

export const COOKIE = 'cart';
const MAX_LINES = 40;
const MAX_QUANTITY = 99;

/** The basket as a cookie's value: what it holds, and a signature, so that nobody else can write one. */
export function seal(lines: readonly Line[], key: string): string {
  const body = Buffer.from(JSON.stringify(lines.map((line) => [line.sku, line.quantity]))).toString(
    'base64url',
  );
  return `${body}.${sign(body, key)}`;
}

/** The basket in a `Cookie` header; an empty one where there is none, or where somebody has tampered with it. */
export function open(cookieHeader: string | null, key: string): Line[] {
  const value = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(cookieHeader ?? '')?.[1];
  const [body, signature] = (value ?? '').split('.');
  if (!body || !signature) return [];
  const expected = Buffer.from(sign(body, key));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return [];
  const pairs = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, number][];
  return pairs.map(([sku, quantity]) => ({ sku, quantity }));
}

/** `lines` with `quantity` more of `sku`; a line that comes to nothing is gone. */
export function change(lines: readonly Line[], sku: string, quantity: number): Line[] {
  const present = lines.find((line) => line.sku === sku);
  const next = Math.min((present?.quantity ?? 0) + quantity, MAX_QUANTITY);
  const others = lines.filter((line) => line !== present);
  if (next <= 0) return others;
  if (!present) return others.length < MAX_LINES ? [...others, { sku, quantity: next }] : others;
  return lines.map((line) => (line === present ? { sku, quantity: next } : line));
}

function sign(body: string, key: string): string {
  return createHmac('sha256', key).update(body).digest('base64url');
}
