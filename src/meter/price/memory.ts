import type { FunctionPrices } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';

export const MB = 1024 ** 2;
export const GB = 1024 ** 3;

/** The memory setting of one instance, in bytes: `asked`, or what the use tells; 0 where it tells nothing. On average, where it was changed. */
export function memoryOf(used: Used, asked: number | undefined): number {
  if (asked !== undefined) return asked;
  if (used.wholeMs > 0) return used.byteMs / used.wholeMs;
  return used.instances.livedMs > 0 ? used.instances.heldByteMs / used.instances.livedMs : 0;
}

type Sold = Pick<FunctionPrices, 'memoryStepMb' | 'leastMb' | 'mostMb' | 'sizesMb'>;

/** The least memory for sale that holds `bytes`, in MB; null where that is too much. */
export function soldMemoryMb(bytes: number, sold: Sold): number | null {
  // An average may lie off a whole number by what a division of doubles loses.
  const mb = Math.max(Math.round((bytes / MB) * 1e6) / 1e6, sold.leastMb);
  if (sold.sizesMb.length > 0) return sold.sizesMb.find((size) => size >= mb) ?? null;
  const stepped = sold.leastMb + Math.ceil((mb - sold.leastMb) / sold.memoryStepMb) * sold.memoryStepMb;
  return stepped <= sold.mostMb ? stepped : null;
}
