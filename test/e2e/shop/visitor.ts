import type { TestApp, TestInvocation } from '../../../src/testing/index.ts';
import { normal } from './normal.ts';
import { told } from './probes/told.ts';

/** What was done, and all that came of it. */
export interface Step {
  readonly did: string;
  readonly came: unknown;
}

export interface Page {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
}

/** Somebody with a browser, and at the same time somebody at the command line. All that it does and sees stands in its transcript. */
export class Visitor {
  readonly transcript: Step[] = [];
  readonly app: TestApp;
  #cookie = '';

  constructor(app: TestApp) {
    this.app = app;
  }

  /** Another window of the same browser, whose steps are not kept: at the same moment they have no order. */
  fork(): Visitor {
    const other = new Visitor(this.app);
    other.#cookie = this.#cookie;
    return other;
  }

  /** Puts more into the basket than it was sealed with. */
  tamper(): void {
    const [body, signature] = this.#cookie.slice('cart='.length).split('.');
    const lines = Buffer.from(body!, 'base64url').toString().replace(/1\]/, '2]');
    this.#cookie = `cart=${Buffer.from(lines).toString('base64url')}.${signature}`;
  }

  async get(path: string): Promise<Page> {
    return await this.#request(path, {});
  }

  async post(path: string, form: Readonly<Record<string, string>>): Promise<Page> {
    return await this.#request(path, { method: 'POST', body: new URLSearchParams(form) });
  }

  /** Asks, and goes away before there is an answer. */
  async leaveAt(path: string, signal: AbortSignal): Promise<void> {
    const came = await this.app.fetch(path, { signal }).then(
      ({ status }) => status,
      () => 'nothing',
    );
    this.#keep(`GET ${path}, and leaves`, came);
  }

  /** What a probe says, at `/probe/NAME`. */
  async probe(name: string): Promise<unknown> {
    const { text } = await this.get(`/probe/${name}`);
    return JSON.parse(text);
  }

  /** Calls a function as another component does. @returns what came, or what was thrown. */
  async call(component: string, name: string, ...args: readonly unknown[]): Promise<unknown> {
    const came = await this.app.call(component, name, ...args).then(
      (value) => ({ value }),
      (error: unknown) => ({ thrown: told(error) }),
    );
    this.#keep(`call ${component}.${name}`, came);
    return came;
  }

  /** By hand, as `fulcrum invoke` does it. */
  async invoke(component: string, invocation: TestInvocation): Promise<{ outcome: string; value?: unknown }> {
    const { outcome, value, thrown, error } = await this.app.invoke(component, invocation);
    const { name, message, code } = thrown ?? { name: null, message: null, code: null };
    this.#keep(`invoke ${component} ${invocation.kind}`, {
      outcome,
      value: value ?? null,
      thrown: { name, message, code },
      error: error ?? null,
    });
    return { outcome, value };
  }

  /** Asks until it holds, and keeps what came then and nothing of before: what an event does is done a moment later. */
  async until<T>(what: string, ask: () => Promise<T>, holds: (came: T) => boolean): Promise<T> {
    const endMs = performance.now() + 20_000;
    for (;;) {
      const kept = this.transcript.length;
      const came = await ask();
      if (holds(came)) return came;
      if (performance.now() > endMs) throw new Error(`not within 20 s: ${what}: ${JSON.stringify(came)}`);
      this.transcript.length = kept;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async #request(path: string, init: RequestInit): Promise<Page> {
    const headers = this.#cookie === '' ? {} : { cookie: this.#cookie };
    const answer = await this.app.fetch(path, { ...init, headers, redirect: 'manual' });
    const text = await answer.text();
    const set = answer.headers.get('set-cookie');
    if (set?.startsWith('cart=')) this.#cookie = set.split(';')[0]!;
    const page = { status: answer.status, location: answer.headers.get('location'), text };
    const type = answer.headers.get('content-type');
    this.#keep(`${init.method ?? 'GET'} ${path}`, { ...page, type, set });
    return page;
  }

  #keep(did: string, came: unknown): void {
    this.transcript.push(normal({ did, came }) as Step);
  }
}
