import type { CallStep } from '../../model/invocation.ts';

/** A step of a chain, as names alone; the first of a list is the earliest. */
export interface PathStep {
  readonly component: string;
  /** Null of a request through a service binding. */
  readonly function: string | null;
}

/** The steps that `last` ends, the earliest first. */
export function pathOf(last: CallStep | null): PathStep[] {
  const path: PathStep[] = [];
  for (let step = last; step !== null; step = step.by)
    path.push({ component: step.component, function: step.function });
  return path.reverse();
}

/** `chain` with the steps of `path` behind it. */
export function chainWith(chain: CallStep | null, path: readonly PathStep[]): CallStep | null {
  let last = chain;
  for (const step of path)
    last = {
      component: step.component,
      function: step.function,
      by: last,
      depth: (last?.depth ?? 0) + 1,
    };
  return last;
}

/** A chain in Latin-1, without NUL: `cart.place stock inventory.reserve`; empty where there is none. */
export function chainText(last: CallStep | null): string {
  if (last === null) return '';
  return pathOf(last)
    .map((step) =>
      step.function === null
        ? step.component
        : `${step.component}.${encodeURIComponent(step.function.toWellFormed())}`,
    )
    .join(' ');
}

/** What {@link chainText} has made. */
export function readChain(text: string): CallStep | null {
  if (text === '') return null;
  return chainWith(
    null,
    text.split(' ').map((step) => {
      const dot = step.indexOf('.');
      return dot === -1
        ? { component: step, function: null }
        : { component: step.slice(0, dot), function: decodeURIComponent(step.slice(dot + 1)) };
    }),
  );
}
