import { pick } from './random.ts';

/** One request of a visit; what it needs of the answers before it is in `session`. */
export interface Step {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  /** Not there but where the answer before has sent the visitor. */
  readonly follows?: boolean;
}

const CATEGORIES = ['kitchen', 'desk', 'garden', 'workshop', 'travel'];
const WORDS = ['brass', 'oak', 'steel', 'folding', 'wool', 'pocket', 'saw', 'lamp'];
const LETTERS: Readonly<Record<string, string>> = {
  kitchen: 'K',
  desk: 'D',
  garden: 'G',
  workshop: 'W',
  travel: 'T',
};

/**
 * What one visitor does, in order: everybody sees the front page; most look around; a third puts something in the
 * basket; of these, half pay and look at the receipt. About seven requests on average.
 */
export function visit(random: () => number): Step[] {
  const steps: Step[] = [
    { name: 'home', method: 'GET', path: '/' },
    { name: 'asset', method: 'GET', path: '/assets/shop.css' },
  ];
  const looks = Math.floor(random() * 4);
  for (let i = 0; i < looks; i++) {
    steps.push(
      random() < 0.25
        ? { name: 'search', method: 'GET', path: `/?q=${pick(random, WORDS)}` }
        : {
            name: 'category',
            method: 'GET',
            path: `/?category=${pick(random, CATEGORIES)}&page=${1 + Math.floor(random() * 2)}`,
          },
      { name: 'product', method: 'GET', path: `/products/${sku(random)}` },
    );
  }
  if (random() < 0.3) steps.push({ name: 'api', method: 'GET', path: `/api/catalog/${sku(random)}` });
  if (random() < 0.35) {
    const items = 1 + Math.floor(random() * 3);
    for (let i = 0; i < items; i++) {
      steps.push({
        name: 'add',
        method: 'POST',
        path: '/cart/change',
        form: { sku: sku(random), quantity: '1' },
      });
    }
    steps.push({ name: 'basket', method: 'GET', path: '/basket' });
    if (random() < 0.5) {
      steps.push(
        {
          name: 'pay',
          method: 'POST',
          path: '/checkout/pay',
          form: {
            name: 'Ada Visitor',
            email: 'ada@example.com',
            address: '1 Analytical Way',
            card: '4111111111111111',
          },
        },
        { name: 'receipt', method: 'GET', path: '/basket', follows: true },
      );
    }
  }
  if (random() < 0.05) steps.push({ name: 'account', method: 'GET', path: '/account' });
  return steps;
}

function sku(random: () => number): string {
  const letter = LETTERS[pick(random, CATEGORIES)]!;
  return `${letter}${pick(random, ['A', 'B', 'C', 'D'])}-${String(1 + Math.floor(random() * 10)).padStart(2, '0')}`;
}

/** The mean number of requests in a visit, by counting many: what turns requests per second into visits per second. */
export function requestsPerVisit(random: () => number): number {
  let total = 0;
  for (let i = 0; i < 10_000; i++) total += visit(random).length;
  return total / 10_000;
}
