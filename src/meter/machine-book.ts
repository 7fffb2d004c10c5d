import type { MachinePrice } from '../model/advice-facts.ts';
import type { PriceBook } from '../model/price-book.ts';
import { openBook } from './price-book.ts';

/** A machine of one's own as a book. Work on it is not in its price: the advisor counts that apart, and `fulcrum books show own-machine` has it. */
export function machineBook({ perMonth, currency, vcpu, gb }: MachinePrice): PriceBook {
  return {
    ...openBook('own-machine'),
    currency,
    source: 'as given',
    unverified: [],
    notes: [],
    machine: { perMonth, vcpu, gb, operationHoursPerMonth: 0, operationPerHour: 0 },
  };
}
