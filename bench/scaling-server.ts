import { startApp } from '../src/testing/index.ts';
import { serveLines } from './line-process.ts';

/** What became of one instance, in epoch milliseconds. */
export interface Life {
  readonly startedAtMs: number;
  /** Null where it never was, or was ready when another word was looked for. */
  readyAtMs: number | null;
  /** Null while it lives. */
  endedAtMs: number | null;
}

/** `scaling-app`, whole. Asked for components by name it tells the lives of all their instances until now. */
const app = await startApp({ directory: new URL('./scaling-app/', import.meta.url).pathname });
const lives = new Map<string, Map<string, Life>>();
/** The log keeps its latest lines only, so it is read before it forgets. */
const READ_EVERY_MS = 250;
const reading = setInterval(read, READ_EVERY_MS);
let seenMs = 0;

function read(): void {
  for (const { atMs, component, stream, level, instance, text } of app.logs()) {
    if (stream !== 'platform' || instance === null || atMs < seenMs) continue;
    const all = lives.get(component) ?? new Map<string, Life>();
    lives.set(component, all);
    const [, what] = /^instance \S+ (starts|is ready|ended)/.exec(text) ?? [];
    if (what === 'starts' && !all.has(instance))
      all.set(instance, { startedAtMs: atMs, readyAtMs: null, endedAtMs: null });
    const life = all.get(instance);
    if (life === undefined) continue;
    if (what === 'is ready') life.readyAtMs = atMs;
    // A start that failed says why, and nothing else.
    if (what === 'ended' || level === 'error') life.endedAtMs = atMs;
    seenMs = Math.max(seenMs, atMs);
  }
}

await serveLines({ url: app.url }, async (names: readonly string[]) => {
  read();
  return names.map((name) => [...(lives.get(name)?.values() ?? [])]);
});
clearInterval(reading);
await app.close();
