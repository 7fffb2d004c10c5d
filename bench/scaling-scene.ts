import { setTimeout as wait } from 'node:timers/promises';
import type { LineProcess } from './line-process.ts';
import type { Life } from './scaling-server.ts';

/** What the stages of the scaling benchmark work with. */
export interface Scene {
  /** `scaling-server.ts`, which tells the lives of its instances. */
  readonly server: LineProcess<{ url: string }>;
  readonly load: LineProcess<unknown>;
}

/** An instance that is to end is gone by then, the longest keep-alive passed. */
const GONE_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Resolves when no instance of these components is left. Rejects where some stay. */
export async function untilGone(server: Scene['server'], names: readonly string[]): Promise<void> {
  const limitMs = performance.now() + GONE_WITHIN_MS;
  while ((await server.ask<Life[][]>(names)).flat().some(({ endedAtMs }) => endedAtMs === null)) {
    if (performance.now() > limitMs) throw new Error('Instances stay that should have ended.');
    await wait(LOOK_EVERY_MS);
  }
}
