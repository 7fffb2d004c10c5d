export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface PricedLine extends Line {
  readonly name: string;
  readonly priceCents: number;
}

export interface Order {
  readonly id: string;
  readonly atMs: number;
  readonly name: string;
  readonly email: string;
  readonly address: string;
  readonly lines: readonly PricedLine[];
  readonly totalCents: number;
  readonly paymentId: string;
}

/** Ids cannot be guessed: whoever has one may see the order. */
export const ORDER_ID = /^[0-9a-f]{20}$/;

/** What an `order.paid` holds. @throws TypeError where it is no order: tried again it still is none, and ends as a dead letter. */
export function orderOf(data: unknown): Order {
  const order = data as Partial<Order> | null;
  if (typeof order !== 'object' || !ORDER_ID.test(order?.id ?? '') || !Array.isArray(order?.lines))
    throw new TypeError('This is no order: an id of 20 hex digits and lines are expected.');
  return order as Order;
}
