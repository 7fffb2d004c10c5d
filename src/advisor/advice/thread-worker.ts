import { runJob } from '../run-job.ts';
import { advise } from './advise.ts';

await runJob(advise);
