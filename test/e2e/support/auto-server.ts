import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ModeStep } from '../../../src/model/mode-history.ts';
import type { AppFolder } from './app-folder.ts';
import { fulcrum, isolatedEnv } from './fulcrum-process.ts';

const MAIN = join(import.meta.dirname, 'auto-main.ts');
/** A minute of the wall clock is a second. */
const SPEED = 60;
const LIMIT_MS = 90_000;

/** Five minutes are a window: five seconds. */
export const autoConfig = (auto: string, dwell = '5m'): string => `
  import { defineApp } from 'fulcrum';
  export default defineApp({
    name: 'moved',
    advisor: { auto: { window: '5m', dwell: '${dwell}', leastSaving: 0.1, switchCost: 0, ${auto} } },
    components: { web: { entry: './web.ts', routes: ['/*'], mode: 'auto' } },
  });`;

/** Of a million invocations: both modes of {@link WAITING_WEB} cost the same at 10 requests a second, which are one in six by the fast clock. */
export const EVEN_PRICE = 20;

export const WAITING_WEB = `
  export default {
    async fetch() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return new Response('hello');
    },
  };`;

/** A server whose wall clock runs fast, until the test ends. Of several on one database each has the others' clock. */
export class AutoServer {
  readonly env: NodeJS.ProcessEnv;
  readonly #child: ChildProcess;
  url = '';

  /**
   * @param price of a million invocations of a function; a service is some nine dollars a month.
   * @param shared an environment with a DATABASE_URL, and since when its clock runs fast.
   */
  static async start(
    t: TestContext,
    data: string,
    price: number,
    shared: { readonly env: NodeJS.ProcessEnv; readonly beganMs: number } = { env: {}, beganMs: Date.now() },
  ): Promise<AutoServer> {
    const prices = join(data, 'prices.json');
    writeFileSync(prices, JSON.stringify({ perMillionInvocations: price }));
    const args = [join(data, 'kept'), String(SPEED), prices, String(shared.beganMs)];
    const server = new AutoServer(args, shared.env);
    t.after(() => server.end());
    await server.#serves();
    return server;
  }

  private constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.env = { ...isolatedEnv(), ...env };
    const flags = ['--conditions=fulcrum-source', '--disable-warning=ExperimentalWarning'];
    this.#child = spawn(process.execPath, [...flags, MAIN, ...args], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  async #serves(): Promise<void> {
    let text = '';
    for await (const piece of this.#child.stdout!.setEncoding('utf8')) {
      text += String(piece);
      const [, url] = /serves (\S+)\n/.exec(text) ?? [];
      if (url === undefined) continue;
      this.url = url;
      return;
    }
    assert.fail(`it ended: ${text}`);
  }

  async run(...args: readonly string[]): Promise<string> {
    const done = await fulcrum(this.env, [...args]);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done.stdout;
  }

  async deploy({ path }: AppFolder): Promise<void> {
    await this.run('deploy', path, '--no-typecheck');
  }

  /** The newest first. */
  async history(): Promise<ModeStep[]> {
    return JSON.parse(await this.run('mode', 'web', '--history', '--json')) as ModeStep[];
  }

  /** Resolves with the history once its newest step is such. */
  async until(holds: (step: ModeStep) => boolean): Promise<ModeStep[]> {
    for (const begunMs = performance.now(); ; await wait(300)) {
      const steps = await this.history();
      if (steps[0] !== undefined && holds(steps[0])) return steps;
      assert.ok(performance.now() - begunMs < LIMIT_MS, JSON.stringify(steps, null, 1));
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
