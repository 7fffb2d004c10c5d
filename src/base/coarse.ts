const STEPS = 20;

/**
 * `part` of `all` as it may be told to whoever should know what is free and not what others do: rounded up to 5 % of all, so that nobody
 * counts upon more than there is.
 */
export function coarsely(part: number, all: number): number {
  return Math.ceil((STEPS * part) / all) * (all / STEPS);
}
