export interface Sku {
  readonly sku: string;
  readonly quantity: number;
}

/** As a list of products is. */
export interface Item {
  readonly sku: string;
  readonly title: string;
  readonly cents: number;
  readonly inStock: boolean;
  readonly tags: readonly string[];
}

export interface Values {
  readonly small: Sku;
  readonly objects: readonly Item[];
  readonly bytes: Uint8Array;
}

export type ValueName = keyof Values;

const MB = 1024 * 1024;

/** What calls are given. The large ones are of 1 MB: the objects as JSON, in some 7,500 pieces. */
export function makeValues(): Values {
  const item = (i: number): Item => ({
    sku: `KA-${String(i).padStart(6, '0')}`,
    title: `Kettle number ${i}, brushed steel, with a lid that stays on`,
    cents: 1_999 + i,
    inStock: i % 3 !== 0,
    tags: ['kitchen', `shelf-${i % 40}`],
  });
  const count = Math.round(MB / (JSON.stringify(item(100_000)).length + 1));
  return {
    small: { sku: 'KA-01', quantity: 2 },
    objects: Array.from({ length: count }, (_, i) => item(100_000 + i)),
    bytes: new Uint8Array(MB).map((_, i) => i * 31),
  };
}
