import { formatDuration } from '../../base/duration.ts';
import type { AdviceVerdict, Evidence, ModeOutlook, Obstacle } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import { choiceOf, isPossible, otherThan, TIE, type Candidate } from './choice.ts';
import { bandAround, type SampledOutlook } from './outlook.ts';
import type { PerMode } from './request.ts';

const HOUR_MS = 3_600_000;
const LEAST_ARRIVALS = 50;

export interface VerdictQuestion {
  readonly present: Mode | null;
  readonly outlooks: PerMode<SampledOutlook>;
  readonly obstacles: readonly Obstacle[];
  readonly objectiveMs: number | null;
}

/** See {@link choiceOf}: with how sure that is, and what it saves. */
export function verdictOf({ present, outlooks, obstacles, objectiveMs }: VerdictQuestion): AdviceVerdict {
  const candidates = {
    function: candidateOf(outlooks.function.outlook),
    service: candidateOf(outlooks.service.outlook),
  };
  const { mode, because } = choiceOf(candidates, obstacles, present, objectiveMs);
  if (mode === null) return { kind: 'neither', because };
  const other = otherThan(mode);
  const mids = [candidates[other].perMonth, candidates[mode].perMonth];
  const saved = isPossible(other, candidates, obstacles) ? differences(mode, outlooks) : null;
  return {
    kind: mode === present ? 'keep' : 'switch',
    mode,
    certainty:
      saved === null || because === 'only-possible'
        ? outlooks[mode].outlook.meetsObjective
        : shareBest(mode, because, outlooks, saved),
    saves: saved === null ? null : bandAround(mids[0]! - mids[1]!, saved),
    because,
  };
}

/** What is missing for a verdict; none: nothing is. Who describes traffic has not got less of it for want of time. */
export function missingEvidence({ source, arrivals, fromMs, toMs }: Evidence): string[] {
  if (source === 'described') return [];
  const missing: string[] = [];
  if (arrivals < LEAST_ARRIVALS) {
    const more = LEAST_ARRIVALS - arrivals;
    missing.push(
      `${more} more invocation${more === 1 ? '' : 's'}: it has ${arrivals}, and ${LEAST_ARRIVALS} are the least that tell anything`,
    );
  }
  const lengthMs = toMs - fromMs;
  if (lengthMs < HOUR_MS)
    missing.push(
      `a longer time: it has ${formatDuration(lengthMs)} of usage, and an hour is the least that tells anything`,
    );
  return missing;
}

function candidateOf({ perMonth, p99Ms, executed, refused }: ModeOutlook): Candidate {
  return {
    perMonth: perMonth?.mid ?? null,
    p99Ms: p99Ms?.mid ?? null,
    refusedShare: refused / Math.max(1, executed + refused),
  };
}

/** By sample: what the other costs more. */
function differences(mode: Mode, outlooks: PerMode<SampledOutlook>): Float64Array {
  const other = outlooks[otherThan(mode)].perMonth!;
  return outlooks[mode].perMonth!.map((own, i) => other[i]! - own);
}

/** Of all samples: those in which it meets what is asked, and the other does not or is dearer; of a tie: or not cheaper by as much as counts. */
function shareBest(
  mode: Mode,
  because: 'cheapest' | 'tie' | 'objective',
  outlooks: PerMode<SampledOutlook>,
  saved: Float64Array,
): number {
  const [own, other] = [outlooks[mode], outlooks[otherThan(mode)]];
  const least = (sample: number): number => (because === 'tie' ? -TIE * own.perMonth![sample]! : 0);
  const best = saved.reduce((count, amount, i) => {
    if (own.meets[i] === 0) return count;
    if (other.meets[i] === 0 || amount > least(i)) return count + 1;
    return amount === least(i) ? count + 0.5 : count;
  }, 0);
  return best / saved.length;
}
