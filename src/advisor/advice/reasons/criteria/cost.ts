import type { Mode } from '../../../../model/app.ts';
import { money, percent } from '../words.ts';
import type { ReasonContext } from '../context.ts';
import { reason, type Judge } from './reason.ts';

/** As the verdict has it: a difference below that is none. */
const TIE = 0.05;

/** What each mode costs by the chosen books. */
export const cost: Judge = (context) => {
  const { outlooks, gap, currency, verdict } = context;
  const threshold = `a difference of ${percent(TIE)}`;
  if (gap === null) {
    const sold = (['function', 'service'] as const).find((mode) => outlooks[mode].perMonth !== null);
    return reason('cost', {
      measured: sold === undefined ? 'neither is sold' : `${priceOf(context, sold)} as a ${sold}`,
      threshold,
      favours: sold ?? null,
      decisive: sold !== undefined && sold === context.chosen,
      sentence:
        context.against('cost')[0]?.text ?? 'What it would cost in both modes cannot be told by these books.',
    });
  }
  const measured = `${priceOf(context, 'function')} as a function, ${priceOf(context, 'service')} as a service`;
  const dearer = Math.max(outlooks.function.perMonth!.mid, outlooks.service.perMonth!.mid);
  const isTie = dearer <= 0 || Math.abs(gap) < TIE * dearer;
  const favours = isTie ? null : gap > 0 ? 'function' : 'service';
  return reason('cost', {
    measured,
    value: gap,
    threshold,
    favours,
    difference: favours === null ? null : { amount: Math.abs(gap), unit: `${currency} a month` },
    decisive: verdict.kind !== 'not-enough-evidence' && 'mode' in verdict && verdict.because === 'cheapest',
    sentence: isTie ? `Both modes cost about the same: ${measured}.` : `A month costs ${measured}.`,
  });
};

function priceOf({ outlooks, currency }: ReasonContext, mode: Mode): string {
  const { perMonth, book } = outlooks[mode];
  return `${money(perMonth!.mid, currency)} (${book})`;
}
