import { billsOf, whyNotSold, type BillOptions } from '../../meter/bill.ts';
import type { Mode } from '../../model/app.ts';
import type { OfferLine } from '../../model/comparison.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import { monthsPer, offerOf, perMonthOf } from '../comparison/offers.ts';
import type { FactModels } from '../own/models-of-facts.ts';
import type { AdviceRequest } from './request.ts';

/** What a mode costs a month, by the cheapest of the books that sell it. Operations are not in it. */
export interface Seller {
  readonly book: PriceBook;
  readonly perMonth: number;
  readonly lines: readonly OfferLine[];
  readonly verified: boolean;
}

/** Books, and how they are read for one unit. Those of another currency than the first one's cannot be compared with it. */
export class Prices {
  readonly currency: string;
  readonly books: readonly PriceBook[];
  readonly leftOut: readonly PriceBook[];
  readonly freeTier: boolean;
  readonly #without: readonly string[];
  readonly #models: FactModels;

  constructor({ books, freeTier, without, settings }: AdviceRequest, models: FactModels) {
    this.currency = books[0]?.currency ?? settings.machine?.currency ?? 'USD';
    this.books = books.filter(({ currency }) => currency === this.currency);
    this.leftOut = books.filter(({ currency }) => currency !== this.currency);
    this.freeTier = freeTier;
    this.#without = without;
    this.#models = models;
  }

  /** Null where none sells it. */
  cheapest(used: Used): Seller | null {
    let best: Seller | null = null;
    for (const book of this.books) {
      const options = this.#options(used.mode);
      if (whyNotSold(used, book, options) !== null) continue;
      const { offer, bills } = offerOf([used], book, options, monthsPer(used));
      const perMonth = perMonthOf(bills, monthsPer(used));
      if (best === null || perMonth < best.perMonth)
        best = { book, perMonth, lines: offer.lines, verified: offer.verified };
    }
    return best;
  }

  /** Of its own stretch, not of a month. There must be something that `book` sells. */
  costOf(used: Used, book: PriceBook): number {
    return perMonthOf(billsOf([used], book, this.#options(used.mode)), 1);
  }

  #options(mode: Mode): BillOptions {
    const { settings } = this.#models[mode];
    return {
      freeTier: this.freeTier,
      without: this.#without,
      concurrency: settings.concurrency,
      ...('minReplicas' in settings ? { minReplicas: settings.minReplicas } : {}),
    };
  }
}
