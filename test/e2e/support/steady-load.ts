import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

interface LoadResult {
  readonly sent: number;
  /** One line per request that did not end with a whole 2xx answer. */
  readonly failures: readonly string[];
  /** How often each value of the `x-mode` header was seen. */
  readonly seen: ReadonlyMap<string, number>;
}

export interface SteadyLoad {
  /** Ends the load and waits for what is in flight. */
  stop(): Promise<LoadResult>;
}

/** Requests at a steady rate over keep-alive connections, whether or not earlier ones have been answered. Ends by itself after `maxMs`. */
export function steadyLoad(
  url: string,
  options: { rps: number; maxMs: number; method?: string; body?: string },
): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const failures: string[] = [];
  const seen = new Map<string, number>();
  const inFlight = new Set<Promise<void>>();
  let stopped = false;
  let sent = 0;

  const one = async (): Promise<void> => {
    const number = sent++;
    try {
      const answer = await send(url, agent, options.method ?? 'GET', options.body);
      if (answer.status < 200 || answer.status > 299)
        failures.push(`#${number}: ${answer.status} ${answer.text.slice(0, 300)}`);
      const mode = answer.mode ?? 'unknown';
      seen.set(mode, (seen.get(mode) ?? 0) + 1);
    } catch (error) {
      failures.push(`#${number}: ${(error as Error).message}`);
    }
  };

  const begunMs = performance.now();
  const running = (async () => {
    while (!stopped && performance.now() - begunMs < options.maxMs) {
      const due = Math.floor(((performance.now() - begunMs) * options.rps) / 1_000);
      while (sent < due && !stopped) {
        const promise = one().finally(() => inFlight.delete(promise));
        inFlight.add(promise);
      }
      await wait(5);
    }
    await Promise.all(inFlight);
    agent.destroy();
  })();

  return {
    async stop() {
      stopped = true;
      await running;
      return { sent, failures, seen };
    },
  };
}

function send(
  url: string,
  agent: Agent,
  method: string,
  body: string | undefined,
): Promise<{ status: number; text: string; mode: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (text += piece));
      answer.on('error', reject);
      answer.on('aborted', () => reject(new Error('the answer broke off')));
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, text, mode: answer.headers['x-mode'] as string | undefined }),
      );
    });
    sent.on('error', reject);
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer in 20 s')));
    sent.end(body);
  });
}
