import { startApp } from '../src/testing/index.ts';
import { serveLines } from './line-process.ts';

/** The app of `bench/app`, whole, in a process of its own. */
const app = await startApp({ directory: new URL('./app/', import.meta.url) });
await serveLines({ url: app.url }, async () => {
  const components = await app.status();
  const instances = components.flatMap((component) => component.instances.map(({ pid }) => pid));
  return { pids: [process.pid, ...instances] };
});
await app.close();
