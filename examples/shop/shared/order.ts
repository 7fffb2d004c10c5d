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
