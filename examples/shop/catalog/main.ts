import { readFileSync } from 'node:fs';
import { use, type ComponentModule } from 'fulcrum';

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly type: string;
  readonly priceCents: number;
  /** What is left. */
  readonly stock: number;
  readonly hue: number;
  readonly description: string;
}

export interface Search {
  readonly category?: string | undefined;
  readonly query?: string | undefined;
  /** 1 is the first. */
  readonly page?: number | undefined;
}

export interface Page {
  readonly products: readonly Product[];
  readonly total: number;
  readonly page: number;
  readonly pages: number;
}

const inventory = use<typeof import('../inventory/main.ts')>('inventory');

const PAGE_SIZE = 20;
const products: readonly Product[] = JSON.parse(
  readFileSync(new URL('./products.json', import.meta.url), 'utf8'),
);
const bySku = new Map(products.map((product) => [product.sku, product]));

export async function search({ category, query = '', page = 1 }: Search): Promise<Page> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = products.filter((product) => {
    if (category !== undefined && product.category !== category) return false;
    const text = `${product.name} ${product.category} ${product.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const shown = Math.min(Math.max(1, Math.trunc(page) || 1), pages);
  return {
    products: await counted(found.slice((shown - 1) * PAGE_SIZE, shown * PAGE_SIZE)),
    total: found.length,
    page: shown,
    pages,
  };
}

export async function find(skus: readonly string[]): Promise<Product[]> {
  return counted(skus.flatMap((sku) => bySku.get(sku) ?? []));
}

/** With what is left of each. Where nobody can count the shelf the shop stays open, with what was there at first. */
async function counted(found: readonly Product[]): Promise<Product[]> {
  const left = await inventory
    .left(found.map((product) => product.sku))
    .catch((error: unknown) => console.error('what is left is not known:', error));
  return found.map((product) => ({ ...product, stock: left?.[product.sku] ?? product.stock }));
}

export async function categories(): Promise<string[]> {
  return [...new Set(products.map((product) => product.category))];
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const sku = /^\/api\/catalog\/([A-Z]{2}-\d\d)$/.exec(url.pathname)?.[1];
    if (sku !== undefined) {
      const [product] = await find([sku]);
      return product
        ? Response.json(product)
        : Response.json({ error: `There is no product ${sku}.` }, { status: 404 });
    }
    if (url.pathname !== '/api/catalog' && url.pathname !== '/api/catalog/') {
      return Response.json({ error: 'Ask for /api/catalog or /api/catalog/KA-01.' }, { status: 404 });
    }
    const page = await search({
      category: url.searchParams.get('category') ?? undefined,
      query: url.searchParams.get('q') ?? undefined,
      page: Number(url.searchParams.get('page') ?? 1),
    });
    return Response.json(page);
  },
} satisfies ComponentModule;
