import type { TestContext } from 'node:test';
import { appFolder, type AppFolder, type Files } from '../../e2e/support/app-folder.ts';

const CONFIG = `
import { defineApp } from 'fulcrum';
export default defineApp({
  name: 'counted',
  components: {
    web: { entry: './web.ts', routes: ['/*'], mode: 'service' },
    sums: { entry: './sums.ts', mode: 'function' },
  },
});
`;

/** Every answer holds what another component says, so that a call that finds nobody is a failure too. */
const WEB = `
import { use } from 'fulcrum';
import { taken } from './taken.ts';
import { version } from './version.ts';
const sums = use<typeof import('./sums.ts')>('sums');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const said = async () => {
      const { sum, version: callee } = await sums.add(1, 2);
      return 'version=' + version + ' callee=' + callee + ' sum=' + sum;
    };
    if (pathname === '/slow') {
      await pause(900);
      return new Response(await said());
    }
    if (pathname === '/stream') {
      const pieces = new ReadableStream({
        async start(controller) {
          for (let i = 0; i < 10; i++) {
            controller.enqueue(new TextEncoder().encode('piece ' + i + ' '));
            await pause(150);
          }
          // The last thing that it does is a call: its release may have been left by all others since.
          controller.enqueue(new TextEncoder().encode((await said()) + ' end'));
          controller.close();
        },
      });
      return new Response(pieces);
    }
    const body = request.method === 'POST' ? await request.text() : '';
    if (request.method === 'POST') await taken(body);
    return new Response((await said()) + (request.method === 'POST' ? ' got=' + body.length : ''));
  },
  websocket() {
    return {
      message(socket: { send(text: string): void }, text: unknown) {
        socket.send('echo ' + text);
      },
    };
  },
};
`;

/** It tells which release it is of: a request must not meet two. */
const SUMS = `
import { version } from './version.ts';
export async function add(a: number, b: number): Promise<{ sum: number; version: string }> {
  return { sum: a + b, version };
}
`;

/** What is done with a body that has come. */
const TAKEN = `export async function taken(_body: string): Promise<void> {}\n`;

/** The app that {@link CountingClients} ask. */
export async function countedApp(t: TestContext, more: Files = {}): Promise<AppFolder> {
  return await appFolder(t, {
    'fulcrum.config.ts': CONFIG,
    'web.ts': WEB,
    'sums.ts': SUMS,
    'taken.ts': TAKEN,
    'version.ts': versionOf('1'),
    ...more,
  });
}

export function versionOf(version: string): string {
  return `export const version: string = '${version}';\n`;
}
