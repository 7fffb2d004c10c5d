import { z } from 'zod';
import {
  appName,
  cacheControl,
  command,
  envName,
  filePath,
  healthPath,
  proxyAddress,
  variableName,
  variableValue,
} from './fields.ts';
import { corsSchema } from './cors.ts';
import { advisorSchema, objectiveSchema } from './advisor.ts';
import { asyncSchema, eventsSchema, httpSubscriptionSchema, subscriptionSchema } from './events.ts';
import { callsSchema, groupsSchema } from './group-schema.ts';
import { count, duration, size } from './quantities.ts';
import { misplaced } from './reading.ts';
import { routesSchema } from './routes.ts';
import { affinitySchema, keepAliveSchema, limitsSchema, replicasSchema } from './scaling.ts';
import { scheduleSchema } from './schedule.ts';

/**
 * What a config may hold, key by key; what is wrong between keys or with files is found afterwards, in `component-rules.ts`,
 * `route-claims.ts` and `files.ts`.
 * The sdk's hand-written types say the same to an editor; `sdk-types.test.ts` holds the two together.
 */
const env = z.record(
  envName,
  z.union([
    variableValue,
    z.strictObject({ $secret: variableName }, { error: "a string in quotes or secret('NAME')" }),
  ]),
  { error: "an object such as { CURRENCY: 'EUR', API_KEY: secret('API_KEY') }" },
);

const common = {
  routes: routesSchema.optional(),
  cors: corsSchema.optional(),
};

const running = {
  mode: z.enum(['function', 'service', 'auto'], { error: "'function', 'service' or 'auto'" }).optional(),
  memory: size('64MB', '64GB', '128MB').optional(),
  timeout: duration('1ms', '24h', '30s').optional(),
  concurrency: count(1, 10_000).optional(),
  queue: count(1, 100_000).optional(),
  keepAlive: keepAliveSchema.optional(),
  max: count(1, 1_000).optional(),
  fresh: z.boolean({ error: 'true or false' }).optional(),
  replicas: replicasSchema.optional(),
  affinity: affinitySchema.optional(),
  limits: limitsSchema.optional(),
  weight: count(1, 100).optional(),
  objective: objectiveSchema.optional(),
  drain: duration('0s', '24h', '30s').optional(),
  healthInterval: duration('100ms', '1h', '10s').optional(),
  env: env.optional(),
  storage: z
    .array(filePath("a folder inside the app's, such as './data'"), { error: "a list such as ['./data']" })
    .readonly()
    .optional(),
  isolation: z.enum(['best-effort', 'required'], { error: "'best-effort' or 'required'" }).optional(),
  network: z.enum(['full', 'none'], { error: "'full' or 'none'" }).optional(),
  async: asyncSchema.optional(),
  calls: callsSchema.optional(),
};

const ofModule = {
  entry: filePath("a module's file, such as './catalog.ts'"),
  events: subscriptionSchema.optional(),
  schedule: scheduleSchema.optional(),
  zygoteKeepAlive: duration('0s', '24h', '10m').optional(),
};

const ofCommand = {
  command,
  cwd: filePath("a folder, such as './legacy'").optional(),
  health: healthPath.optional(),
  events: httpSubscriptionSchema.optional(),
};

const ofStatic = {
  static: filePath("a folder of files, such as './public'"),
  cacheControl: cacheControl.optional(),
};

const notModule = {
  command: misplaced('nothing: a component has an entry or a command'),
  static: misplaced('nothing: a component has an entry or a folder'),
  cwd: misplaced('nothing: only a command has a working folder'),
  health: misplaced('nothing: only a command has a health path; a module is pinged over the wire'),
  cacheControl: misplaced('nothing: only a static component has it; a handler sets its own headers'),
};

const notCommand = {
  entry: misplaced('nothing: a component has an entry or a command'),
  static: misplaced('nothing: a component has a command or a folder'),
  schedule: misplaced('nothing: only a module (entry) has a scheduled handler'),
  zygoteKeepAlive: misplaced('nothing: only a module (entry) has a zygote'),
  cacheControl: misplaced('nothing: only a static component has it; a command sets its own headers'),
};

const NO_INSTANCES = 'nothing: a static component has no instances';
const notStatic = {
  entry: misplaced('nothing: a component has an entry or a folder'),
  command: misplaced('nothing: a component has a command or a folder'),
  cwd: misplaced('nothing: only a command has a working folder'),
  health: misplaced(NO_INSTANCES),
  events: misplaced('nothing: only a module (entry) or a command takes events'),
  schedule: misplaced('nothing: only a module (entry) has a scheduled handler'),
  async: misplaced(NO_INSTANCES),
  calls: misplaced(NO_INSTANCES),
  zygoteKeepAlive: misplaced(NO_INSTANCES),
  mode: misplaced(NO_INSTANCES),
  memory: misplaced(NO_INSTANCES),
  timeout: misplaced(NO_INSTANCES),
  concurrency: misplaced(NO_INSTANCES),
  queue: misplaced(NO_INSTANCES),
  keepAlive: misplaced(NO_INSTANCES),
  max: misplaced(NO_INSTANCES),
  fresh: misplaced(NO_INSTANCES),
  replicas: misplaced(NO_INSTANCES),
  affinity: misplaced(NO_INSTANCES),
  limits: misplaced(NO_INSTANCES),
  weight: misplaced(NO_INSTANCES),
  objective: misplaced(NO_INSTANCES),
  drain: misplaced(NO_INSTANCES),
  healthInterval: misplaced(NO_INSTANCES),
  env: misplaced(NO_INSTANCES),
  storage: misplaced(NO_INSTANCES),
  isolation: misplaced(NO_INSTANCES),
  network: misplaced(NO_INSTANCES),
};

export const moduleSchema = z.strictObject({ ...ofModule, ...common, ...running, ...notModule });
export const commandSchema = z.strictObject({
  ...ofCommand,
  ...common,
  ...running,
  ...notCommand,
  network: z
    .literal('full', { error: "'full': a command listens on the network; only a module can do without" })
    .optional(),
});
export const staticSchema = z.strictObject({ ...ofStatic, ...common, ...notStatic });
/** Where a component does not say what it is, its keys can still be looked at. */
export const unknownKindSchema = z
  .strictObject({
    ...ofCommand,
    ...ofModule,
    events: z.union([subscriptionSchema, httpSubscriptionSchema]).optional(),
    ...ofStatic,
    ...common,
    ...running,
  })
  .partial();

/** All but the components, each of which is looked at by the schema of its kind. */
export const appSchema = z.strictObject({
  name: appName,
  env: env.optional(),
  trustedProxies: z
    .array(proxyAddress, { error: "a list of addresses or CIDR blocks, such as ['10.0.0.0/8']" })
    .readonly()
    .optional(),
  cors: corsSchema.optional(),
  events: eventsSchema.optional(),
  groups: groupsSchema.optional(),
  advisor: advisorSchema.optional(),
});

/** What is left of a value once the keys at fault are taken out. */
export const partly = {
  app: appSchema.partial(),
  module: moduleSchema.partial(),
  command: commandSchema.partial(),
  static: staticSchema.partial(),
};

export type AppValues = z.output<typeof partly.app>;
export type ModuleValues = z.output<typeof partly.module>;
export type CommandValues = z.output<typeof partly.command>;
export type StaticValues = z.output<typeof partly.static>;
export type UnknownKindValues = z.output<typeof unknownKindSchema>;
export type EnvValues = z.output<typeof env>;
/** The settings that say how a component with instances runs. */
export type RunningValues = Pick<ModuleValues, keyof typeof running>;

/** What an author may write. */
export type AppInput = z.input<typeof appSchema> & {
  components: Record<
    string,
    z.input<typeof moduleSchema> | z.input<typeof commandSchema> | z.input<typeof staticSchema>
  >;
};
