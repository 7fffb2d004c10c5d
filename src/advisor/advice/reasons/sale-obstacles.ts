import { formatBytes } from '../../../base/bytes.ts';
import type { ModeOutlook, Obstacle } from '../../../model/advice.ts';
import type { Mode } from '../../../model/app.ts';
import type { PriceBook } from '../../../model/price-book.ts';
import type { AdviceRequest, PerMode } from '../request.ts';

const MODES: readonly Mode[] = ['function', 'service'];

/** Modes that none of the chosen books sells for this component. */
export function saleObstacles({ books, facts }: AdviceRequest, outlooks: PerMode<ModeOutlook>): Obstacle[] {
  return MODES.filter((mode) => outlooks[mode].perMonth === null).map((mode): Obstacle => {
    const about = { mode, severity: 'impossible', evidence: books.map(({ title }) => title) } as const;
    if (!books.some((book) => sells(book, mode)))
      return { ...about, criterion: 'cost', text: `None of the chosen price books sells ${mode}s.` };
    const size = formatBytes(facts[mode].memoryBytes);
    return {
      ...about,
      criterion: 'resources',
      text: `None of the chosen price books sells a ${mode} as it is set: ${size} of memory, ${facts[mode].concurrency} at a time.`,
    };
  });
}

/** Whether there are any of that mode in the book. */
export function sells(book: PriceBook, mode: Mode): boolean {
  return book.machine !== null || book[mode] !== null;
}
