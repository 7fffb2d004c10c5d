import type { CostCurve } from '../../model/advice.ts';
import type { PerMode } from './request.ts';

/** Beyond where the traffic is and where both cost the same. */
const BEYOND = 30;
const POINTS = 13;
/** Where there is no break-even. */
const ALONE = 100;

export interface CurveQuestion {
  readonly currency: string;
  /** Invocations per second of the window, above 0. */
  readonly here: number;
  readonly breakEven: number | null;
  readonly costsAt: (times: number) => PerMode<number | null>;
  readonly onPoint: (done: number, total: number) => void;
}

/** Both modes' cost over the rate, at even steps of its logarithm. */
export function curveOf({ currency, here, breakEven, costsAt, onPoint }: CurveQuestion): CostCurve {
  const [least, most] = [Math.min(here, breakEven ?? here), Math.max(here, breakEven ?? here)];
  const beyond = breakEven === null ? ALONE : BEYOND;
  const [from, to] = [least / beyond, most * beyond];
  const points = Array.from({ length: POINTS }, (_, i) => {
    const perSecond = from * (to / from) ** (i / (POINTS - 1));
    const perMonth = costsAt(perSecond / here);
    onPoint(i + 1, POINTS);
    return { perSecond, perMonth };
  });
  return { currency, points, here, breakEven };
}
