import { UsageMeter } from '../src/meter/usage-meter.ts';
import { startApp } from '../src/testing/index.ts';
import { serveLines } from './line-process.ts';

/**
 * `bench/app` with a meter that can be taken away, in one process: two of them would differ by more than what a meter costs. Each question
 * says whether what comes from now on is metered, and the answer what the process has used, its threads included.
 */
const record = Object.getOwnPropertyDescriptor(UsageMeter.prototype, 'record')!.value as UsageMeter['record'];
const app = await startApp({ directory: new URL('./app/', import.meta.url).pathname });
await serveLines({ url: app.url }, ({ metered }: { metered: boolean }) => {
  UsageMeter.prototype.record = metered ? record : (): void => undefined;
  const { user, system } = process.cpuUsage();
  return Promise.resolve({ cpuUs: user + system });
});
await app.close();
