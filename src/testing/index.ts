/**
 * `fulcrum/testing`: an app, whole and real, inside an author's own tests.
 *
 * ```ts
 * import { startApp } from 'fulcrum/testing';
 *
 * const app = await startApp({ directory: new URL('.', import.meta.url) });
 * const answer = await app.fetch('/hello');
 * await app.close();
 * ```
 */
export { FakeClock } from '../base/fake-clock.ts';
export { FulcrumError } from '../base/errors.ts';
export {
  startApp,
  type StartAppOptions,
  type TestApp,
  type TestInvocation,
  type TestResult,
} from './test-app.ts';
