import { appendFile, readFile } from 'node:fs/promises';
import { idempotent } from 'fulcrum';

type Death = 'once' | 'always' | 'unmarked';

const bookOf = (death: Death): URL => new URL(`../data/deaths-${death}`, import.meta.url);

export async function lives(): Promise<string> {
  return 'alive';
}

/** Ends its own process in the middle of a call. */
export async function dies(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return await new Promise(() => undefined);
}

/** Dies the first time, and answers the second. */
export const diesOnce = idempotent(async (): Promise<string> => {
  if ((await deaths('once')) > 0) return 'the second time';
  return await writtenDown('once');
});

/** Dies each time. */
export const diesAlways = idempotent(async (): Promise<never> => await writtenDown('always'));

/** The same of one that is not to be begun again. */
export const diesUnmarked = async (): Promise<never> => await writtenDown('unmarked');

async function writtenDown(death: Death): Promise<never> {
  await appendFile(bookOf(death), 'one\n');
  process.kill(process.pid, 'SIGKILL');
  return await new Promise(() => undefined);
}

/** Dies when it is told to, while what it returns is read: one part of it, and no end. */
export async function diesInMidStream(when: AbortSignal): Promise<ReadableStream<string>> {
  when.addEventListener('abort', () => process.kill(process.pid, 'SIGKILL'));
  return new ReadableStream<string>({ start: (controller) => controller.enqueue('the first part') });
}

/** How often it has been begun and died of it. */
export async function deaths(death: Death): Promise<number> {
  const text = await readFile(bookOf(death), 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}
