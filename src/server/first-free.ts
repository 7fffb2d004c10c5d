import { FulcrumError } from '../base/errors.ts';

/** Tries each port in turn; only a port that is taken leads to the next. */
export async function firstFree<P, T>(ports: readonly P[], listen: (port: P) => Promise<T>): Promise<T> {
  for (const port of ports.slice(0, -1)) {
    try {
      return await listen(port);
    } catch (error) {
      if (!(error instanceof FulcrumError && error.code === 'port-in-use')) throw error;
    }
  }
  return listen(ports.at(-1)!);
}
