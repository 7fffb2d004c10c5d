import type { AdviceVerdict, BreakEven, Criterion, ModeOutlook, Obstacle } from '../../../model/advice.ts';
import type { Mode } from '../../../model/app.ts';
import type { AdviceRequest, PerMode } from '../request.ts';
import { changes } from './changes.ts';
import type { AgainAnswer, Change, ReasonInput } from './input.ts';
import { leastFactor } from './least-factor.ts';
import { shapeOf, type Shape } from './shape.ts';

/** What each criterion looks at. Answers that were asked for once are kept. */
export class ReasonContext {
  readonly request: AdviceRequest;
  readonly outlooks: PerMode<ModeOutlook>;
  readonly obstacles: readonly Obstacle[];
  readonly verdict: AdviceVerdict;
  readonly breakEven: BreakEven | null;
  readonly shape: Shape;
  /** Null: neither. */
  readonly chosen: Mode | null;
  readonly #input: ReasonInput;
  readonly #answers = new Map<string, AgainAnswer>();
  readonly #factors = new Map<string, number | null>();

  constructor(input: ReasonInput) {
    this.#input = input;
    this.request = input.request;
    this.outlooks = input.outlooks;
    this.obstacles = input.obstacles;
    this.verdict = input.verdict;
    this.breakEven = input.breakEven;
    this.shape = shapeOf(input.request.traffic);
    this.chosen = 'mode' in input.verdict ? input.verdict.mode : null;
  }

  get currency(): string {
    return this.request.books[0]?.currency ?? 'USD';
  }

  /** What the service costs more than the function, a month; null where one of them is not sold. */
  get gap(): number | null {
    const { function: asFunction, service } = this.outlooks;
    if (asFunction.perMonth === null || service.perMonth === null) return null;
    return service.perMonth.mid - asFunction.perMonth.mid;
  }

  /** @param key names the change: the same one is asked once. */
  ask(key: string, change: Change): AgainAnswer {
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#input.again(change);
    this.#answers.set(key, answer);
    return answer;
  }

  /** The answer as it is, found in the way in which changed ones are. */
  base(): AgainAnswer {
    return this.ask('nothing', changes.nothing);
  }

  /** Whether the answer would be another mode with this change. Never where even without it the samples had to decide. */
  turns(key: string, change: Change): boolean {
    if (this.base().mode !== this.chosen) return false;
    const { mode } = this.ask(key, change);
    return mode !== null && mode !== this.chosen;
  }

  /** The same with so many times the traffic. */
  turnsWith(times: number): boolean {
    return this.turns(`traffic ${times}`, changes.traffic(times));
  }

  /** The least factor at which this turns the answer, above 1 with `'more'`, else below; null where a hundredfold does not. */
  turnsAt(name: string, change: (factor: number) => Change, way: 'more' | 'less'): number | null {
    const key = `${name} ${way}`;
    const known = this.#factors.get(key);
    if (known !== undefined) return known;
    const found = leastFactor((factor) => this.turns(`${name} ${factor}`, change(factor)), way);
    this.#factors.set(key, found);
    return found;
  }

  /** What stands against a mode, of one criterion; what makes it impossible first. */
  against(criterion: Criterion): readonly Obstacle[] {
    return this.obstacles.filter((obstacle) => obstacle.criterion === criterion);
  }
}

const contexts = new WeakMap<ReasonInput, ReasonContext>();

/** One for each input: reasons and flips ask much the same. */
export function contextOf(input: ReasonInput): ReasonContext {
  const known = contexts.get(input);
  if (known !== undefined) return known;
  const context = new ReasonContext(input);
  contexts.set(input, context);
  return context;
}
