import { appendFile, readFile } from 'node:fs/promises';
import { context, use, type ComponentModule } from 'fulcrum';

const off = use<typeof import('./helper.ts')>('off');

/** What came, as it came. */
export async function back(value: unknown): Promise<unknown> {
  return value;
}

/** Changes what it was given: that must be its own. */
export async function changes(value: { list: number[] }): Promise<{ list: number[] }> {
  value.list.push(0);
  return value;
}

export async function fails(): Promise<never> {
  const cause = Object.assign(new TypeError('the root of it'), { code: 'E_ROOT' });
  throw Object.assign(new RangeError('out of range', { cause }), { code: 'E_RANGE' });
}

export async function failsWith(what: unknown): Promise<never> {
  throw what;
}

export async function returnsFunction(): Promise<unknown> {
  return { deep: [1, { here: () => 1 }] };
}

/** Longer than it has. */
export async function hangs(): Promise<never> {
  return await new Promise(() => undefined);
}

const GONE = new URL('../data/gone', import.meta.url);

/** Waits until nobody waits for it, and writes down how far it is. */
export async function lingers(): Promise<never> {
  const { signal } = context();
  await appendFile(GONE, 'begun ');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await appendFile(GONE, 'left');
  throw new Error('nobody waits for this');
}

export async function lingered(): Promise<string> {
  return await readFile(GONE, 'utf8').catch(() => '');
}

/** What it knows of the call that it is part of. */
export async function knows(): Promise<{ component: string; requestId: string; remainingMs: number }> {
  const { component, requestId, remainingMs } = context();
  return { component, requestId, remainingMs: remainingMs() };
}

/** Lets through what it is refused. */
export async function refused(): Promise<unknown> {
  return await off.back(1);
}

export async function counts(to: number): Promise<ReadableStream<Uint8Array>> {
  let next = 1;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (next > to) controller.close();
      else controller.enqueue(new TextEncoder().encode(`${next++} `));
    },
  });
}

export async function countsAndFails(): Promise<ReadableStream<Uint8Array>> {
  let next = 1;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (next > 2) controller.error(new RangeError('no third'));
      else controller.enqueue(new TextEncoder().encode(`${next++} `));
    },
  });
}

export async function reads(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}

/** Resolves with the reason when it is told to stop. */
export async function waitsFor(signal: AbortSignal): Promise<string> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return String(signal.reason);
}

/** In nobody's reach: it is not exported. */
function secretly(): string {
  return 'never';
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === '/fails') return await fails();
    if (url.pathname.endsWith('/secretly')) return new Response(secretly());
    return Response.json({ method: request.method, path: url.pathname, body: await request.text() });
  },
} satisfies ComponentModule;
