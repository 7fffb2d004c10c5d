import type { Criterion } from '../../../../model/advice.ts';
import { background } from './background.ts';
import { burstiness } from './burstiness.ts';
import { cost } from './cost.ts';
import { deployRate } from './deploy-rate.ts';
import { duration } from './duration.ts';
import { dutyCycle } from './duty-cycle.ts';
import { granularity } from './granularity.ts';
import { latency } from './latency.ts';
import { legacy } from './legacy.ts';
import { operations } from './operations.ts';
import { portability } from './portability.ts';
import type { Judge } from './reason.ts';
import { resources } from './resources.ts';
import { schedule } from './schedule.ts';
import { sockets } from './sockets.ts';
import { state } from './state.ts';
import { trigger } from './trigger.ts';

/** By what a mode is chosen, in the order in which those that weigh as much are told: what rules a mode out, then why, then how much. */
export const CRITERIA: Readonly<Record<Criterion, Judge>> = {
  sockets,
  state,
  background,
  latency,
  schedule,
  legacy,
  'duty-cycle': dutyCycle,
  burstiness,
  operations,
  trigger,
  cost,
  resources,
  duration,
  granularity,
  'deploy-rate': deployRate,
  portability,
};
