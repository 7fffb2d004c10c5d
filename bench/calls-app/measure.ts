/** Runs inside whoever calls, so that nothing but the calls is measured. */
export interface Order {
  readonly count: number;
  /** How many calls are under way at a time. */
  readonly atOnce: number;
}

export interface Measured {
  readonly latenciesMs: readonly number[];
  readonly tookMs: number;
}

/** Calls `count` times, each time anew when one of `atOnce` is answered. Rejects where one fails. */
export async function measureCalls(
  { count, atOnce }: Order,
  call: () => Promise<unknown>,
): Promise<Measured> {
  const latenciesMs: number[] = [];
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const begunMs = performance.now();
      await call();
      latenciesMs.push(performance.now() - begunMs);
    }
  };
  const begunMs = performance.now();
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
  return { latenciesMs, tookMs: performance.now() - begunMs };
}
