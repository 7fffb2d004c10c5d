import { runJob } from '../run-job.ts';
import { compare } from './compare.ts';

await runJob(compare);
