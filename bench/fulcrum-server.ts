import { resolve } from 'node:path';
import { startApp } from '../src/testing/index.ts';
import { serveLines } from './line-process.ts';

/** An app, whole, in a process of its own: `fulcrum-server.ts [FOLDER]`, `bench/app` by default. */
const app = await startApp({
  directory: resolve(process.argv[2] ?? new URL('./app/', import.meta.url).pathname),
});
await serveLines({ url: app.url }, async () => {
  const components = await app.status();
  const instances = Object.fromEntries(
    components.map(({ name, instances }) => [name, instances.map(({ pid }) => pid)]),
  );
  return { pids: [process.pid, ...Object.values(instances).flat()], instances };
});
await app.close();
