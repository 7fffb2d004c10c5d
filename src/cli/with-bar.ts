import { ProgressBar, type BarOutput } from './progress-bar.ts';

/** Does work with a bar that is taken away however the work ends, and before anything else is shown. */
export async function withBar<T>(work: (bar: ProgressBar) => Promise<T>, output?: BarOutput): Promise<T> {
  const bar = new ProgressBar(output);
  // Whoever interrupts it must not find half a bar before their prompt.
  const clear = (): void => bar.clear();
  process.once('exit', clear);
  try {
    return await work(bar);
  } finally {
    bar.clear();
    process.off('exit', clear);
  }
}
