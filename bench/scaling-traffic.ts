import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { KEEP_ALIVES, trafficOf, type Arrival } from './arrivals.ts';
import { rowOf, type Row, type RunOptions } from './benchmark.ts';
import { leastInstanceMs } from './oracle.ts';
import { untilGone, type Scene } from './scaling-scene.ts';
import type { Life } from './scaling-server.ts';
import { median } from './statistics.ts';

const DEFAULT = '1s';
/** What there is time for. */
const QUICK: ReadonlySet<string> = new Set(['0s', DEFAULT]);
const QUICK_TRAFFIC: ReadonlySet<string> = new Set(['poisson-some', 'bursty-small', 'periodic-quick']);

/**
 * Ten components with Poisson, bursty and periodic arrivals: how long their instances were there in all, against the least that somebody
 * could do with who knew every arrival (see oracle.ts), with the start time that was measured. Each keep-alive has components of
 * its own and a time of its own, and meets the same requests.
 */
export async function traffic({ server }: Scene, { quick, note }: RunOptions): Promise<Row[]> {
  const durationMs = quick ? 500 : 60_000;
  const keepAlives = KEEP_ALIVES.filter((each) => !quick || QUICK.has(each));
  const all = trafficOf(durationMs).filter(({ name }) => !quick || QUICK_TRAFFIC.has(name));
  const count = all.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  note(
    `${count} requests in ${durationMs / 1_000} s to ${all.length} components, with ${keepAlives.length} keep-alives`,
  );
  const { url } = server.hello;
  const agent = new Agent({ keepAlive: true });
  const startMs: number[] = [];
  const found: { keepAlive: string; usedMs: number; cold: number }[] = [];
  try {
    const each = keepAlives.flatMap((keepAlive) =>
      all.map(({ name, arrivals }) => ({ name: `${name}-${keepAlive}`, arrivals })),
    );
    // Once each without measuring: the zygotes are there afterwards.
    for (const { name } of each) await ask(`${url}/${name}?ms=0`, agent);
    const names = each.map(({ name }) => name);
    await untilGone(server, names);
    const before = (await server.ask<Life[][]>(names)).map((lives) => lives.length);
    // One keep-alive after the other: all of them at once would be more than a small machine can start.
    for (const [k] of keepAlives.entries()) {
      const those = each.slice(k * all.length, (k + 1) * all.length);
      const begunMs = performance.now();
      await Promise.all(those.map(({ name, arrivals }) => play(`${url}/${name}`, arrivals, begunMs, agent)));
      await untilGone(
        server,
        those.map(({ name }) => name),
      );
    }
    const lives = (await server.ask<Life[][]>(names)).map((those, i) => those.slice(before[i]));
    for (const { startedAtMs, readyAtMs } of lives.flat())
      if (readyAtMs !== null) startMs.push(readyAtMs - startedAtMs);
    for (const [k, keepAlive] of keepAlives.entries()) {
      const those = lives.slice(k * all.length, (k + 1) * all.length).flat();
      const usedMs = those.reduce((sum, { startedAtMs, endedAtMs }) => sum + endedAtMs! - startedAtMs, 0);
      found.push({ keepAlive, usedMs, cold: those.length / count });
    }
  } finally {
    agent.destroy();
  }
  const start = median(startMs);
  const leastMs = all.reduce((sum, { arrivals }) => sum + leastInstanceMs(arrivals, start), 0);
  const over = { name: 'oracle', value: leastMs / 1_000 };
  return [
    rowOf('scaling', { name: 'one start', metric: 'start time', value: start, unit: 'ms' }),
    rowOf('scaling', { name: 'oracle', metric: 'instance-seconds', value: over.value, unit: 's' }),
    ...found.map(({ keepAlive, usedMs }) =>
      rowOf('scaling', {
        name: `keepAlive ${keepAlive}`,
        metric: 'instance-seconds',
        value: usedMs / 1_000,
        unit: 's',
        over,
        ...(keepAlive === DEFAULT && { target: { max: 1.3 } }),
      }),
    ),
    ...found.map(({ keepAlive, cold }) =>
      rowOf('scaling', {
        name: `keepAlive ${keepAlive}`,
        metric: 'starts per request',
        value: cold,
        unit: 'starts',
      }),
    ),
  ];
}

async function play(url: string, arrivals: readonly Arrival[], begunMs: number, agent: Agent): Promise<void> {
  const asked: Promise<void>[] = [];
  for (const { atMs, takesMs } of arrivals) {
    const leftMs = begunMs + atMs - performance.now();
    if (leftMs > 0) await wait(leftMs);
    asked.push(ask(`${url}?ms=${takesMs}`, agent));
  }
  await Promise.all(asked);
}

function ask(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${answer.statusCode}`)),
      );
    }).on('error', reject);
  });
}
