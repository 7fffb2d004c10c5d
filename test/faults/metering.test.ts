/** A server that is killed under load bills no more than was executed, and what it had not written yet is bounded and told. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { appId } from '../../src/base/app-id.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { UsageHistory } from '../../src/meter/usage-history.ts';
import type { UsageGap } from '../../src/model/usage-store.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { openStore } from '../../src/store/open-store.ts';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

const KILLS = process.env['FULCRUM_FULL'] === '1' ? 10 : 2;
const COMPONENTS = ['function', 'service'] as const;
const CLIENTS = 3;
/** Answers between two kills: some seconds of them, so that several batches were written. */
const BETWEEN = 300;
/** A meter writes each second; on a busy machine the store may take its time for that. */
const MOST_LOST_MS = 5_000;
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

const HANDLER = `
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  export default { async fetch() { await pause(5 + Math.random() * 30); return new Response('done'); } };`;

interface Asked {
  readonly component: string;
  readonly sentMs: number;
  /** When its answer was whole, or its connection broke. */
  readonly endedMs: number;
  readonly answered: boolean;
}

/** Clients that ask one after the other, whatever becomes of it, and write it all down. By wall time, as usage is. */
class Clients {
  readonly asked: Asked[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #running: Promise<unknown>;
  #url: string;
  #stopped = false;

  constructor(url: string) {
    this.#url = url;
    this.#running = Promise.all(
      COMPONENTS.flatMap((component) => Array.from({ length: CLIENTS }, () => this.#ask(component))),
    );
  }

  async answered(count: number, url: string): Promise<void> {
    this.#url = url;
    const wanted = this.#whole + count;
    while (this.#whole < wanted) await wait(20);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  get #whole(): number {
    return this.asked.filter(({ answered }) => answered).length;
  }

  async #ask(component: string): Promise<void> {
    while (!this.#stopped) {
      const sentMs = Date.now();
      const answered = await this.#once(`${this.#url}/${component}`);
      this.asked.push({ component, sentMs, endedMs: Date.now(), answered });
      if (!answered) await wait(20);
    }
  }

  #once(url: string): Promise<boolean> {
    return new Promise((resolve) => {
      const sent = request(url, { agent: this.#agent }, (answer) => {
        answer.resume();
        answer.on('error', () => resolve(false));
        answer.on('end', () => resolve(answer.complete && answer.statusCode === 200));
      });
      sent.on('error', () => resolve(false));
      sent.end();
    });
  }
}

test(`a server that is killed ${KILLS} times under load: billed is never more than executed, and what is missing is bounded and told`, async (t) => {
  const { env, data, ...begun } = await deployed(t);
  let { server } = begun;
  const clients = new Clients(server.url);
  t.after(() => clients.stop());
  const killedMs: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    await clients.answered(BETWEEN, server.url);
    const killed = server.pids.at(-1)!;
    killedMs.push(Date.now());
    server.signal('SIGKILL');
    while (isAlive(killed)) await wait(5);
    server = await ServerProcess.start(t, { env, data });
    const told = await server.run('logs', '--app', 'metered', '--json');
    assert.match(told.stdout, /usage[^\n]*missing/i, 'the log does not tell that usage may be missing');
  }
  await clients.answered(BETWEEN, server.url);
  await clients.stop();
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);

  const history = await historyOf(t, data);
  const gaps = await history.gaps(ALL);
  assertGaps(gaps, killedMs);
  for (const component of COMPONENTS) {
    await assertCounted(
      history,
      component,
      clients.asked.filter((one) => one.component === component),
      gaps,
      killedMs,
      t,
    );
  }
});

test('servers that follow each other under load count every answer once, and miss nothing', async (t) => {
  const { data, server } = await deployed(t);
  const clients = new Clients(server.url);
  t.after(() => clients.stop());
  for (let i = 0; i < 2; i++) {
    await clients.answered(BETWEEN, server.url);
    const { code, stderr } = await server.run('restart');
    assert.equal(code, 0, stderr);
  }
  await clients.answered(BETWEEN, server.url);
  await clients.stop();
  const all = server.pids;
  assert.equal(all.length, 3);
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);
  for (const pid of all) while (isAlive(pid)) await wait(5);

  const history = await historyOf(t, data);
  assert.deepEqual(await history.gaps(ALL), []);
  for (const component of COMPONENTS) {
    const asked = clients.asked.filter((one) => one.component === component);
    const answered = asked.filter((one) => one.answered).length;
    let [count, started] = [0, 0];
    for await (const minute of history.minutes({ component, ...ALL })) count += minute.count;
    for await (const minute of history.instances({ component, ...ALL })) started += minute.started;
    const arrivals = (await history.arrivals({ component, ...ALL })).length;
    assert.equal(arrivals, count, `${component}: counted by arrivals, and by minutes`);
    assert.ok(
      count >= answered && count <= asked.length,
      `${component}: ${count} counted of ${answered} answered and ${asked.length} asked`,
    );
    assert.ok(started >= all.length, `${component}: ${started} instances`);
  }
});

test('an app that is removed under load leaves nothing that one of the same name would find', async (t) => {
  const { data, server } = await deployed(t);
  const clients = new Clients(server.url);
  t.after(() => clients.stop());
  await clients.answered(BETWEEN / 3, server.url);
  const { code, stderr } = await server.run('apps', 'rm', 'metered', '--yes');
  assert.equal(code, 0, stderr);
  await clients.stop();
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);

  const history = await historyOf(t, data);
  const found: string[] = [];
  for await (const { component } of history.minutes({ component: null, ...ALL }))
    found.push(`minute of ${component}`);
  for await (const { unit } of history.instances({ component: null, ...ALL }))
    found.push(`instances of ${unit}`);
  for (const component of COMPONENTS)
    if ((await history.arrivals({ component, ...ALL })).length > 0) found.push(`arrivals of ${component}`);
  assert.deepEqual(found, []);
});

/** A server with both components. */
async function deployed(
  t: TestContext,
): Promise<{ env: NodeJS.ProcessEnv; data: string; server: ServerProcess }> {
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: 'metered', components: {
        function: { entry: './handler.ts', routes: ['/function'], mode: 'function' },
        service: { entry: './handler.ts', routes: ['/service'], mode: 'service' },
      } });`,
    'handler.ts': HANDLER,
  });
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const server = await ServerProcess.start(t, { env, data });
  const told = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(told.code, 0, told.stdout + told.stderr);
  return { env, data, server };
}

/** One for each kill, which it holds, and no longer than usage may be held in memory. */
function assertGaps(gaps: readonly UsageGap[], killedMs: readonly number[]): void {
  assert.equal(gaps.length, killedMs.length, JSON.stringify({ gaps, killedMs }));
  for (const [i, { fromMs, toMs }] of gaps.entries()) {
    const atMs = killedMs[i]!;
    assert.ok(fromMs <= atMs && toMs >= atMs, `killed at ${atMs}, told is ${fromMs} to ${toMs}`);
    assert.ok(atMs - fromMs < MOST_LOST_MS, `${atMs - fromMs} ms before the kill had not been written`);
  }
}

async function assertCounted(
  history: UsageHistory,
  component: string,
  asked: readonly Asked[],
  gaps: readonly UsageGap[],
  killedMs: readonly number[],
  t: TestContext,
): Promise<void> {
  const found = await history.arrivals({ component, ...ALL });
  const arrivals = found.filter(({ refused }) => !refused);
  const sent = asked.map(({ sentMs }) => sentMs).toSorted((a, b) => a - b);

  // Never more, at no moment: nothing was counted before it was sent, nor twice.
  for (const [i, { arrivedAtMs }] of arrivals.entries())
    assert.ok(sent[i]! <= arrivedAtMs + 1, `${component}: ${i + 1} had arrived when ${i} were sent`);

  // Never less, but for what was answered within a gap.
  const lost = asked.filter(({ answered }) => answered).length - arrivals.length;
  const within = asked.filter(
    ({ answered, endedMs }) =>
      answered && gaps.some(({ fromMs, toMs }) => endedMs >= fromMs && endedMs <= toMs),
  ).length;
  assert.ok(lost <= within, `${component}: ${lost} are missing, and the gaps hold ${within}`);
  const [firstGap] = gaps;
  const early = asked.filter(({ answered, endedMs }) => answered && endedMs < firstGap!.fromMs).length;
  const counted = arrivals.filter(({ arrivedAtMs }) => arrivedAtMs < firstGap!.fromMs).length;
  assert.ok(
    counted >= early,
    `${component}: ${early} were answered before the first gap, ${counted} counted`,
  );

  let [count, billedMs] = [0, 0];
  for await (const minute of history.minutes({ component, ...ALL })) {
    if (minute.outcome === 'refused') continue;
    count += minute.count;
    billedMs += component === 'function' ? minute.billedMs : minute.wholeMs;
  }
  assert.equal(count, arrivals.length, `${component}: counted by minutes, and by arrivals`);
  // What a client waited holds what was executed for it, but for parts of a ms that both sides round.
  const begun = asked.filter(
    ({ answered, sentMs, endedMs }) => answered || killedMs.some((atMs) => sentMs <= atMs && endedMs >= atMs),
  );
  const waitedMs = begun.reduce((sum, { sentMs, endedMs }) => sum + (endedMs - sentMs) + 2, 0);
  assert.ok(billedMs <= waitedMs, `${component}: billed ${billedMs} ms of ${waitedMs} at most`);
  const heldMs = gaps.map(({ fromMs }, i) => killedMs[i]! - fromMs);
  t.diagnostic(
    `${component}: ${begun.length} begun, ${lost} answered and lost, ${within} in the gaps, which begin ${heldMs.join(', ')} ms before the kills; ${billedMs} ms billed of ${waitedMs}`,
  );
}

async function historyOf(t: TestContext, data: string): Promise<UsageHistory> {
  const path = join(data, STORE_FILE);
  const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
  t.after(() => store.close());
  return new UsageHistory(appId('metered', 'production'), store.usage);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
