import type { ModeOutlook, Obstacle } from '../../../model/advice.ts';
import type { AdviceRequest, PerMode } from '../request.ts';
import { codeObstacles } from './code-obstacles.ts';
import { measuredObstacles } from './measured-obstacles.ts';
import { saleObstacles } from './sale-obstacles.ts';
import { extentOf } from './shape.ts';

/** What stands against each mode, those first that make it impossible: from the code, from what was measured, and from what is for sale. */
export function obstaclesOf(request: AdviceRequest, outlooks: PerMode<ModeOutlook>): Obstacle[] {
  const found = [
    ...codeObstacles(request),
    ...measuredObstacles(request, outlooks, extentOf(request.traffic)),
    ...saleObstacles(request, outlooks),
  ];
  return found.toSorted((a, b) => Number(b.severity === 'impossible') - Number(a.severity === 'impossible'));
}
