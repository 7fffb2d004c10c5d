import { serveLines } from './line-process.ts';
import { runLoad, type LoadJob } from './load-run.ts';

/** The load generator's process: a job a line, its result a line. */
await serveLines({ ready: true }, (job: LoadJob) => runLoad(job));
