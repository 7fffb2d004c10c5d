export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

interface PricedLine extends Line {
  readonly name: string;
  readonly priceCents: number;
}

/** What somebody wants to pay for. */
export interface Purchase {
  readonly id: string;
  readonly atMs: number;
  readonly name: string;
  readonly email: string;
  readonly address: string;
  readonly lines: readonly PricedLine[];
  /** Off the prices of the lines. */
  readonly discountCents: number;
  readonly shippingCents: number;
  /** What is paid. */
  readonly totalCents: number;
}

/** A purchase that is paid. */
export interface Order extends Purchase {
  readonly paymentId: string;
}

/** Ids cannot be guessed: whoever has one may see the order. */
export const ORDER_ID = /^[0-9a-f]{20}$/;

const MAX_LINES = 100;

/** What an `order.paid` holds. @throws TypeError where it is no order: tried again it still is none, and ends as a dead letter. */
export function orderOf(data: unknown): Order {
  const order = data as Partial<Order> | null;
  if (typeof order !== 'object' || !ORDER_ID.test(order?.id ?? '') || !Array.isArray(order?.lines))
    throw new TypeError('This is no order: an id of 20 hex digits and lines are expected.');
  return order as Order;
}

/**
 * Lines as another component passes them. Types are not looked at while the shop runs, and what is done with lines costs money.
 * @throws TypeError
 */
export function linesOf(data: unknown): readonly Line[] {
  if (!Array.isArray(data) || data.length > MAX_LINES)
    throw new TypeError(`Lines are a list of at most ${MAX_LINES}, each with a sku and a quantity.`);
  for (const line of data as readonly Partial<Line>[]) {
    if (typeof line?.sku !== 'string' || !Number.isSafeInteger(line.quantity) || line.quantity! < 1)
      throw new TypeError('A line has a sku, and a whole number from 1 up as its quantity.');
  }
  return data as readonly Line[];
}
