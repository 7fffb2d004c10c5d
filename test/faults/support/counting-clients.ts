import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

/** What each kind of client does over and over; `web` of `counted-app.ts` answers. */
const KINDS = ['get', 'post', 'slow', 'stream'] as const;
type Kind = (typeof KINDS)[number];

const LONGEST_IDLE_MS = 2_000;

/** Of a hundred requests. */
const SHARES: Readonly<Record<Kind, number>> = { get: 50, post: 40, slow: 7, stream: 3 };

export interface Counted {
  readonly sent: Readonly<Record<Kind | 'websocket', number>>;
  readonly failures: readonly string[];
  /** Which releases have answered. */
  readonly versions: ReadonlySet<string>;
}

/**
 * Clients that count: requests at a steady rate over connections that are kept alive, whether or not earlier ones have been answered,
 * and a WebSocket that is opened again whenever it is told to go. Whatever is not a whole, right answer is a failure.
 */
export class CountingClients {
  readonly #url: string;
  readonly #agent = new PatientAgent({ keepAlive: true, maxSockets: 256 });
  readonly #failures: string[] = [];
  readonly #sent: Record<Kind | 'websocket', number> = { get: 0, post: 0, slow: 0, stream: 0, websocket: 0 };
  readonly #versions = new Set<string>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #running: Promise<unknown>;
  readonly #begunMs = performance.now();
  /** Whoever waits for answers, and how many more. */
  readonly #waiting = new Set<{ left: number; readonly met: () => void }>();
  #stopped = false;

  constructor(url: string, rps: number) {
    this.#url = url;
    this.#running = Promise.all([this.#request(rps), this.#talk()]);
  }

  /** Resolves when `count` more requests are over, however they ended. */
  answered(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.add({ left: count, met: resolve }));
  }

  async stop(): Promise<Counted> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#inFlight);
    this.#agent.destroy();
    return { sent: this.#sent, failures: this.#failures, versions: this.#versions };
  }

  /** Since it began, to be held against what the server says. */
  #atMs(): number {
    return Math.round(performance.now() - this.#begunMs);
  }

  async #request(rps: number): Promise<void> {
    const begunMs = performance.now();
    for (let sent = 0; !this.#stopped;) {
      const due = Math.floor(((performance.now() - begunMs) * rps) / 1_000);
      for (; sent < due; sent++) {
        const kind = kindOf(sent % 100);
        const promise = this.#one(kind, sent).finally(() => this.#over(promise));
        this.#inFlight.add(promise);
      }
      await wait(5);
    }
  }

  #over(promise: Promise<void>): void {
    this.#inFlight.delete(promise);
    for (const waiting of this.#waiting) {
      if (--waiting.left > 0) continue;
      this.#waiting.delete(waiting);
      waiting.met();
    }
  }

  async #one(kind: Kind, number: number): Promise<void> {
    this.#sent[kind]++;
    const body = kind === 'post' ? `${number} `.repeat(500) : '';
    try {
      const { status, text, reused } = await send(`${this.#url}/${kind}`, this.#agent, body);
      const fault = faultOf(kind, status, text, body);
      if (fault !== null) this.#failures.push(`${kind} #${number}${reused ? ' (kept alive)' : ''}: ${fault}`);
      else this.#versions.add(/version=(\S+)/.exec(text)![1]!);
    } catch (error) {
      this.#failures.push(`${kind} #${number} at ${this.#atMs()}: ${(error as Error).message}`);
    }
  }

  async #talk(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#conversation();
      } catch (error) {
        this.#failures.push(`websocket: ${(error as Error).message}`);
        await wait(100);
      }
    }
  }

  /** Until the server says that it goes (1001), or the test ends. */
  async #conversation(): Promise<void> {
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/ws`);
    const closed = Promise.withResolvers<number>();
    const opened = Promise.withResolvers<void>();
    let heard = Promise.withResolvers<string>();
    socket.addEventListener('open', () => opened.resolve());
    socket.addEventListener('message', ({ data }) => heard.resolve(String(data)));
    socket.addEventListener('close', ({ code }) => closed.resolve(code));
    socket.addEventListener('error', () => opened.reject(new Error('it could not be opened, or broke')));
    closed.promise.then(
      () => opened.reject(new Error('it was closed before it was open')),
      () => undefined,
    );
    await opened.promise;
    while (!this.#stopped) {
      heard = Promise.withResolvers<string>();
      const word = `word ${this.#sent.websocket++}`;
      socket.send(word);
      const answer = await Promise.race([heard.promise, closed.promise, wait(20_000, 'no answer in 20 s')]);
      if (typeof answer === 'number') {
        if (answer !== 1001) throw new Error(`closed with ${answer}`);
        return;
      }
      if (answer !== `echo ${word}`) throw new Error(`heard '${answer}'`);
      await wait(50);
    }
    socket.close();
    await closed.promise;
  }
}

/**
 * Lets go of connections that nobody has used for a while, before the server does: one that is closed by the server just as the client uses
 * it again loses a request, which HTTP/1.1 cannot prevent (RFC 9112, 9.5).
 */
class PatientAgent extends Agent {
  readonly #idle = new WeakMap<Duplex, NodeJS.Timeout>();

  override keepSocketAlive(socket: Duplex): boolean {
    const idle = setTimeout(() => socket.destroy(), LONGEST_IDLE_MS).unref();
    this.#idle.set(socket, idle);
    return (super.keepSocketAlive as (socket: Duplex) => boolean)(socket);
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    clearTimeout(this.#idle.get(socket));
    super.reuseSocket(socket, request);
  }
}

function kindOf(place: number): Kind {
  let left = place;
  // Mixed, so that no kind comes in a row.
  left = (left * 37) % 100;
  for (const kind of KINDS) {
    if (left < SHARES[kind]) return kind;
    left -= SHARES[kind];
  }
  return 'get';
}

function faultOf(kind: Kind, status: number, text: string, body: string): string | null {
  if (status !== 200) return `${status} ${text.slice(0, 300)}`;
  const versions = /version=(\S+) callee=(\S+) sum=3\b/.exec(text);
  if (versions === null) return `another answer: ${text.slice(0, 100)}`;
  if (versions[1] !== versions[2]) return `release ${versions[1]} called release ${versions[2]}`;
  if (kind === 'post' && !text.endsWith(` got=${body.length}`))
    return `not what was sent: ${text.slice(-50)}`;
  if (kind === 'stream' && !text.endsWith('end')) return 'the stream was not whole';
  return null;
}

function send(
  url: string,
  agent: Agent,
  body: string,
): Promise<{ status: number; text: string; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: body === '' ? 'GET' : 'POST' }, (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (text += piece));
      answer.on('error', reject);
      answer.on('aborted', () => reject(new Error('the answer broke off')));
      answer.on('end', () => resolve({ status: answer.statusCode!, text, reused: sent.reusedSocket }));
    });
    sent.on('error', (error) =>
      reject(
        new Error(`${error.message}${sent.reusedSocket ? ' (on a connection that was kept alive)' : ''}`),
      ),
    );
    sent.setTimeout(30_000, () => sent.destroy(new Error('no answer in 30 s')));
    sent.end(body);
  });
}
