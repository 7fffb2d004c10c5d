import type { TestContext } from 'node:test';
import { appFolder, type AppFolder } from '../../e2e/support/app-folder.ts';

/** By type, who takes it. */
export const TAKERS: Readonly<Record<string, readonly string[]>> = {
  'work.both': ['fn', 'svc'],
  'work.fn': ['fn'],
  'work.svc': ['svc'],
};

const CONFIG = (oracleUrl: string): string => `
import { defineApp } from 'fulcrum';
const retry = { attempts: 10, first: '20ms', longest: '100ms' };
export default defineApp({
  name: 'delivery',
  env: { ORACLE: '${oracleUrl}' },
  events: { dedupeWindow: '1h' },
  components: {
    source: { entry: './source.ts', routes: ['/*'], mode: 'service' },
    fn: { entry: './fn.ts', events: { types: ['work.both', 'work.fn'], batch: { size: 10 }, retry }, max: 3 },
    svc: {
      entry: './svc.ts', mode: 'service', concurrency: 3,
      events: { types: ['work.both', 'work.svc'], batch: { size: 5 }, retry },
    },
  },
});
`;

/** Publishes what it is given: those of one key one after the other, up to the first that fails; others at the same time. */
const SOURCE = `
import type { Env } from 'fulcrum';
interface Wanted { type: string; data: { n: number }; options: object }
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { events, inOrder } = (await request.json()) as { events: Wanted[]; inOrder: boolean };
    const publish = async ({ type, data, options }: Wanted) => {
      try {
        return await env.events.publish(type, data, options);
      } catch (error) {
        return { error: String((error as { code?: string }).code ?? error) };
      }
    };
    if (!inOrder) return Response.json(await Promise.all(events.map(publish)));
    const answers = [];
    for (const event of events) {
      const answer = await publish(event);
      answers.push(answer);
      if ('error' in answer) break;
    }
    return Response.json(answers);
  },
};
`;

/** Tells the oracle what it has been given, then each that it has done before it acknowledges it. */
const TAKER = `
import { Agent, request } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { QueueBatch } from 'fulcrum';

interface Work { n: number; poison: boolean; again: number; ackAtOnce: boolean; pauseMs: number }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let agent: Agent | undefined;
let generation: string | undefined;

function tell(what: string, body: object): Promise<string> {
  agent ??= new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    const sent = request(process.env.ORACLE + what, { agent, method: 'POST' }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('error', reject);
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(what + ' ' + text))));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ ...body, generation }));
  });
}

export async function take(component: string, { messages }: QueueBatch<Work>): Promise<void> {
  generation ??= await tell('/hello', {});
  const batch = randomUUID();
  await tell('/batch', { component, batch, numbers: messages.map(({ data }) => data.n) });
  const poisoned = messages.find(({ data }) => data.poison);
  for (const message of messages) {
    const { n, poison, again, ackAtOnce, pauseMs } = message.data;
    // The batch fails, and what is not acknowledged by itself comes again, alone.
    if (poison || (poisoned !== undefined && !ackAtOnce)) continue;
    if (message.attempt <= again) {
      message.retry({ delay: 10 });
      continue;
    }
    if (pauseMs > 0) await pause(pauseMs);
    await tell('/done', { component, batch, n });
    if (ackAtOnce) message.ack();
  }
  if (poisoned !== undefined) throw new Error('poison ' + poisoned.data.n);
}
`;

const MODULE = (component: string): string => `
import { take } from './take.ts';
export default { queue: (batch: Parameters<typeof take>[1]) => take('${component}', batch) };
`;

/** An app whose handlers tell everything to an oracle outside of the server. */
export function deliveryApp(t: TestContext, oracleUrl: string): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': CONFIG(oracleUrl),
    'source.ts': SOURCE,
    'take.ts': TAKER,
    'fn.ts': MODULE('fn'),
    'svc.ts': MODULE('svc'),
  });
}
