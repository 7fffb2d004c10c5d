import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../base/errors.ts';
import type { AppRecord } from '../model/app-record.ts';
import type { BudgetStatus } from '../model/status.ts';
import type { LogEntry } from '../model/log.ts';
import type { Release } from '../model/release.ts';
import { limits, mode, modeFinding, modeSetting } from './component-schemas.ts';
import { LOG_LEVELS } from './log-filter.ts';

/**
 * What the admin API answers with, as schemas: the OpenAPI document is made from them, handlers have their types, and tests hold every
 * answer against them. A name in `meta` makes it a schema of its own in the document.
 */
const count = z.int().min(0);
const epochMs = z.int().min(0).describe('Milliseconds since 1970');
const list = <S extends z.ZodType>(item: S) => z.array(item).readonly();
const scope = z.enum(['read', 'deploy', 'admin']);

export const canaryPlan = z.strictObject({
  steps: list(z.number().gt(0).lt(100)).describe('Percent of the clients, rising'),
  everyMs: z
    .int()
    .min(1_000)
    .max(7 * 86_400_000),
  maxErrors: z.number().min(0).max(1).describe('Share of failed requests above which it goes back'),
});

const appRecord = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    environment: z.string(),
    hosts: list(z.string()),
    prefix: z.string(),
    createdAtMs: epochMs,
    serving: z.int().nullable().describe('Number of the release that serves'),
    canary: canaryPlan.extend({ release: z.int(), step: count, stepBeganAtMs: epochMs }).nullable(),
    modes: z.record(z.string(), z.strictObject({ configured: modeSetting, chosen: modeSetting, mode })),
    limits: z.record(z.string(), z.strictObject({ configured: limits, chosen: limits })),
    version: count,
  })
  .meta({ id: 'App' }) satisfies z.ZodType<AppRecord>;

export const appAnswer = appRecord;

const startFailure = z
  .strictObject({ atMs: epochMs, message: z.string() })
  .nullable()
  .describe('Why what should serve did not start; it is tried again. Null where it runs, or nothing should');

export const appListAnswer = list(
  z
    .strictObject({
      ...appRecord.shape,
      running: z.boolean().describe('Whether a release of it serves'),
      startFailure,
    })
    .meta({ id: 'AppInList' }),
);

const appStatus = z
  .strictObject({
    name: z.string(),
    directory: z.string(),
    environment: z.string(),
    gatewayUrl: z.string(),
    startedAtMs: epochMs,
    components: count,
    failedDeploy: z.strictObject({ atMs: epochMs, message: z.string() }).nullable(),
  })
  .meta({ id: 'AppStatus' });

export const appDetailsAnswer = z
  .strictObject({
    app: appRecord,
    status: appStatus.nullable().describe('Null while nothing of it serves'),
    startFailure,
  })
  .meta({ id: 'AppDetails' });

export type AppDetails = z.output<typeof appDetailsAnswer>;

const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly code: string | null;
  readonly cause: Thrown | null;
  readonly retryAfterS?: number | null | undefined;
}

const thrown: z.ZodType<Thrown> = z
  .strictObject({
    name: z.string(),
    message: z.string(),
    stack: z.string().nullable(),
    code: z.string().nullable(),
    get cause() {
      return thrown.nullable();
    },
    retryAfterS: z.number().nullable().optional().describe('When to try again'),
  })
  .meta({ id: 'ThrownError' });

export const invokeAnswer = z
  .strictObject({
    outcome: z.string(),
    value: z.unknown().optional(),
    thrown: thrown.optional(),
    requestId: z.string(),
    durationMs: z.number(),
    cold: z.boolean(),
    billedMs: z.number(),
    error: z.strictObject({ code: errorCode, message: z.string() }).optional(),
  })
  .meta({ id: 'InvocationResult' });

const logEntry = z
  .strictObject({
    atMs: z.number(),
    component: z.string(),
    stream: z.enum(['stdout', 'stderr', 'platform']),
    level: z.enum(LOG_LEVELS),
    text: z.string(),
    instance: z.string().nullable(),
    revision: z.string().nullable(),
    requestId: z.string().nullable(),
    fields: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'LogEntry' }) satisfies z.ZodType<Omit<LogEntry, 'packed'>>;

export const logsAnswer = list(logEntry);

const heartbeat = z
  .strictObject({ kind: z.literal('heartbeat') })
  .describe('Nothing happened for a while; the connection lives');

export const logLine = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('entry'), entry: logEntry }),
    z
      .strictObject({ kind: z.literal('missed'), count })
      .describe('So many entries were written faster than they were read'),
    heartbeat,
  ])
  .meta({ id: 'LogLine' });

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Its shape; what it says is checked by whoever deploys it. */
export const manifest = z
  .strictObject({
    format: z.literal(1),
    app: z.string().min(1).max(100),
    environment: z.string().min(1).max(100),
    fulcrum: z.string().max(100),
    platform: z
      .strictObject({ os: z.string().max(50), arch: z.string().max(50), libc: z.string().max(50).nullable() })
      .nullable(),
    config: z.unknown().describe('What `defineApp` was given, as JSON'),
    bundles: z.record(
      z.string().max(100),
      z.strictObject({ path: z.string().max(4_096), digest, sizeBytes: count }),
    ),
    files: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('file'),
            path: z.string().min(1).max(4_096),
            digest,
            sizeBytes: count,
            executable: z.boolean(),
          }),
          z.strictObject({
            kind: z.literal('link'),
            path: z.string().min(1).max(4_096),
            target: z.string().min(1).max(4_096),
          }),
        ]),
      )
      .max(200_000)
      .readonly(),
  })
  .meta({ id: 'ReleaseManifest' });

const releaseFailure = z.strictObject({
  code: z.string(),
  message: z.string(),
  component: z.string().nullable(),
  log: list(z.string()),
});

const releaseSummary = z
  .strictObject({
    app: z.string(),
    number: z.int(),
    state: z.enum(['uploaded', 'healthy', 'failed']),
    createdAtMs: epochMs,
    createdBy: z.string(),
    note: z.string(),
    failure: releaseFailure.nullable(),
  })
  .meta({ id: 'Release' });

/** A release without its manifest, which may be megabytes. */
export type ReleaseSummary = z.output<typeof releaseSummary>;

export const releasesAnswer = list(releaseSummary);

export const releaseAnswer = z
  .strictObject({ ...releaseSummary.shape, manifest })
  .meta({ id: 'ReleaseWithManifest' }) satisfies z.ZodType<Release>;

const change = z.strictObject({
  path: z.string(),
  before: z.unknown().optional().describe('Absent where there was nothing'),
  after: z.unknown().optional(),
});

export const diffAnswer = z
  .strictObject({
    from: z.int(),
    to: z.int(),
    config: list(change),
    files: z.strictObject({ added: list(z.string()), removed: list(z.string()), changed: list(z.string()) }),
    truncated: z.boolean().describe('Whether there are more changes than are told'),
  })
  .meta({ id: 'ReleaseDiff' });

export const problemAnswer = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: errorCode,
  })
  .meta({ id: 'Problem', description: 'RFC 9457, with the code of an error of ours and what belongs to it' });

const deployStep = z
  .strictObject({
    name: z.string(),
    state: z.enum(['begun', 'done', 'skipped', 'failed']),
    component: z.string().nullable(),
    message: z.string(),
    tookMs: z.number().nullable(),
    findings: list(modeFinding).optional(),
  })
  .meta({ id: 'DeployStep' });

/** Lines of a deploy, a rollback or a reload. The last one is `result` or `error`; without, the connection broke off. */
export const stepLine = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('step'), step: deployStep }),
    heartbeat,
    z.strictObject({ kind: z.literal('result'), release: releaseSummary }),
    z.strictObject({ kind: z.literal('error'), error: problemAnswer }),
  ])
  .meta({ id: 'StepLine' });

export type StepLine = z.output<typeof stepLine>;

export const missingAnswer = z.strictObject({ missing: list(digest) }).meta({ id: 'MissingBlobs' });
export const storedAnswer = z.strictObject({ stored: count }).meta({ id: 'StoredBlobs' });

const tokenSummary = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    scope,
    apps: list(z.string()).nullable().describe('Null: all of them'),
    createdAtMs: epochMs,
    expiresAtMs: epochMs.nullable(),
    lastUsedAtMs: epochMs.nullable().describe('To the minute'),
  })
  .meta({ id: 'Token' });

/** A token as it is told: neither itself nor its hash. */
export type TokenSummary = z.output<typeof tokenSummary>;

export const tokensAnswer = list(tokenSummary);
export const newTokenAnswer = z
  .strictObject({ ...tokenSummary.shape, token: z.string().describe('Told this once') })
  .meta({ id: 'NewToken' });

export const auditAnswer = list(
  z
    .strictObject({
      number: z.int(),
      atMs: epochMs,
      actor: z.string(),
      action: z.string(),
      app: z.string().nullable(),
      outcome: z.enum(['ok', 'refused', 'failed']),
      details: z.record(z.string(), z.unknown()),
    })
    .meta({ id: 'AuditEntry' }),
);

export const secretsAnswer = list(
  z.strictObject({ name: z.string(), updatedAtMs: epochMs }).meta({ id: 'SecretName' }),
);
export const secretSetAnswer = z
  .strictObject({ name: z.string(), appExists: z.boolean() })
  .meta({ id: 'SecretSet' });
export const rotationAnswer = z
  .strictObject({
    keyId: z.string(),
    resealed: count,
    unopened: z
      .array(z.string())
      .readonly()
      .describe("Those that did not open, and are as they were: KEY of 'shop'"),
  })
  .meta({ id: 'KeyRotation' });
export const forgottenKeysAnswer = z
  .strictObject({
    keyId: z.string(),
    forgotten: z.array(z.string()).readonly(),
    kept: z.array(z.string()).readonly().describe('Something is sealed with them still'),
  })
  .meta({ id: 'ForgottenKeys' });

export const pageLinkAnswer = z
  .strictObject({ path: z.string().describe('Below the admin address'), validMs: count })
  .meta({ id: 'PageLink' });
export const healthAnswer = z
  .strictObject({
    ok: z.literal(true),
    api: z.literal('fulcrum').describe('So that a client may know whom it would give its token'),
  })
  .meta({ id: 'Health' });
export type Health = z.output<typeof healthAnswer>;
export const mayDeployAnswer = z.strictObject({ allowed: z.literal(true) }).meta({ id: 'MayDeploy' });
const budgetStatus = z
  .strictObject({
    memoryBytes: count,
    promisedBytes: count.describe('Held by processes, or kept for the minimum of services'),
    keptBytes: count.describe('The part of it that no process holds'),
    cpus: z.number(),
    pressed: z.boolean().describe('The machine itself is short of memory: no function instance starts'),
    waiting: count.describe('Components that wait for room'),
  })
  .meta({ id: 'Budget' }) satisfies z.ZodType<BudgetStatus>;

export const serverAnswer = z
  .strictObject({
    os: z.string(),
    arch: z.string(),
    libc: z.string().nullable().describe('glibc or musl; null where the system has one only'),
    fulcrum: z.string(),
    node: z.string(),
    budget: budgetStatus.nullable().describe('What instances may use; null where nobody counts'),
  })
  .meta({ id: 'Server' });
export type ServerFacts = z.output<typeof serverAnswer>;
export const removedAnswer = z.strictObject({ removed: z.literal(true) });
export const stoppingAnswer = z.strictObject({ stopping: z.literal(true) });
export const restartingAnswer = z.strictObject({ restarting: z.literal(true) });
