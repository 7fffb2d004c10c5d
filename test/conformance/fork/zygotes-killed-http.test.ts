import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startApp } from '../../../src/testing/index.ts';
import { appFolder, config } from '../../e2e/support/app-folder.ts';
import { processTree } from './support/processes.ts';

const KILLS = process.env['FULCRUM_FULL'] ? 200 : 20;
const LANES = 8;
/** Good answers between two kills, so that they strike at every stage of many starts. */
const BETWEEN = 7;

const NAMES = ['a', 'b', 'c'];
const moduleOf = (name: string): string => `
  export default {
    async fetch() {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return new Response('from ${name}');
    },
  };`;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** 0: it does not say. */
  readonly retryAfterS: number;
}

test(
  'zygotes killed at random under load, over HTTP: every request is answered or gets a clear 502, and the next is served',
  { timeout: 300_000, skip: process.platform !== 'linux' && 'functions are forked on Linux only' },
  async (t) => {
    const components = NAMES.map(
      (name) => `${name}: { entry: './${name}.ts', routes: ['/${name}'], fresh: true }`,
    );
    const folder = await appFolder(t, {
      'fulcrum.config.ts': config(`{ ${components.join(', ')} }`),
      ...Object.fromEntries(NAMES.map((name) => [`${name}.ts`, moduleOf(name)])),
    });
    const app = await startApp({ directory: folder.path });
    const agent = new Agent({ keepAlive: true });
    t.after(async () => {
      agent.destroy();
      await app.close();
    });
    for (const name of NAMES) assert.equal((await ask(`${app.url}/${name}`, agent)).text, `from ${name}`);

    const ends = new Map<string, number>();
    let served = 0;
    let killed = 0;
    const lane = async (name: string): Promise<void> => {
      while (killed < KILLS) {
        const answer = await ask(`${app.url}/${name}`, agent);
        const end = endOf(answer, name);
        ends.set(end, (ends.get(end) ?? 0) + 1);
        if (end === 'served') {
          if (++served % BETWEEN === 0 && killOne()) killed++;
        } else if (answer.retryAfterS > 0) {
          // As it is told to: while starts are put off, refusals cost nothing and would be all that is ever struck.
          await wait(answer.retryAfterS * 1_000);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, i) => lane(NAMES[i % NAMES.length]!)));
    t.diagnostic(JSON.stringify([...ends]));
    assert.ok((ends.get('served') ?? 0) > killed, JSON.stringify([...ends]));
    for (const name of NAMES) {
      // What was struck last may still be given out: a spare whose end is not known yet. Behind a start that failed the next is begun
      // after a moment, and whoever asks before is told how long.
      let [unserved, told] = [0, 0];
      for (;;) {
        const answer = await ask(`${app.url}/${name}`, agent);
        if (endOf(answer, name) === 'served') break;
        if (answer.retryAfterS > 0 && ++told <= MOST_TOLD) await wait(answer.retryAfterS * 1_000);
        else assert.ok(++unserved <= MAX_SPARES, answer.text);
      }
    }
  },
);

/** Times that a client waits as it is told to. */
const MOST_TOLD = 3;
/** So many instances of a component may be forked ahead. */
const MAX_SPARES = 4;

/** Kills a process of the engine's: the root zygote, a function's zygote or an instance. */
function killOne(): boolean {
  const [, ...all] = processTree(process.pid);
  const struck = all[Math.floor(Math.random() * all.length)];
  if (struck === undefined) return false;
  try {
    process.kill(struck, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function endOf({ status, type, text }: Omit<Answer, 'retryAfterS'>, name: string): string {
  if (status === 200) {
    assert.equal(text, `from ${name}`);
    return 'served';
  }
  assert.deepEqual([status, type], [502, 'application/problem+json'], text);
  const problem = JSON.parse(text) as { type: string; status: number; detail: string; requestId: string };
  assert.equal(problem.status, 502);
  assert.match(problem.requestId, /^r_/);
  const code = problem.type.split('/').at(-1)!;
  assert.ok(code === 'instance-crashed' || code === 'start-failed', text);
  return code;
}

function ask(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode!,
          type: answer.headers['content-type'] ?? '',
          text,
          retryAfterS: Number(answer.headers['retry-after'] ?? 0),
        }),
      );
      answer.on('error', reject);
    }).on('error', reject);
  });
}
