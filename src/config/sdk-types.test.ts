import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AdvisorConfig,
  AppConfig,
  AsyncConfig,
  AutoConfig,
  BatchConfig,
  CommandConfig,
  CorsConfig,
  EventEndpointConfig,
  EventsConfig,
  HttpSubscriptionConfig,
  MachineConfig,
  ModuleConfig,
  ObjectiveConfig,
  OperationsConfig,
  RetryConfig,
  RouteObject,
  ScheduleConfig,
  Secret,
  StaticConfig,
  SubscriptionConfig,
} from '../sdk/index.ts';
import type { AppInput } from './schema.ts';

/**
 * The sdk's types are written by hand and this room's follow from the schema. `tsc` fails here when they drift apart: when a
 * key is missing on either side, optional on one side only, or of another type. Each object is compared on its own, for
 * TypeScript takes objects that differ only in an optional key for assignable.
 */
type Keys<T> = {
  -readonly [Key in keyof T]-?: { optional: object extends Pick<T, Key> ? true : false; value: T[Key] };
};
type Same<A, B> = Keys<A> extends Keys<B> ? (Keys<B> extends Keys<A> ? true : false) : false;

type Input = AppInput['components'][string];
type ModuleInput = Extract<Input, { entry: string }>;
type CommandInput = Extract<Input, { command: string }>;
type StaticInput = Extract<Input, { static: string }>;
type ObjectIn<T> = Extract<T, object>;
type RouteInput = ObjectIn<NonNullable<ModuleInput['routes']>[number]>;
type ObjectAlone<T> = Exclude<ObjectIn<T>, readonly unknown[]>;
type EventsInput = NonNullable<AppInput['events']>;
type SubscriptionInput = ObjectAlone<ModuleInput['events']>;
type AdvisorInput = NonNullable<AppInput['advisor']>;
type AsyncInput = ObjectIn<ModuleInput['async']>;
type ScheduleInput = ObjectAlone<ModuleInput['schedule']>;
type SecretInput = ObjectIn<NonNullable<AppInput['env']>[string]>;

const same: readonly [
  Same<AppConfig, AppInput>,
  Same<ModuleConfig, ModuleInput>,
  Same<CommandConfig, CommandInput>,
  Same<StaticConfig, StaticInput>,
  Same<RouteObject, RouteInput>,
  Same<ScheduleConfig, ScheduleInput>,
  Same<EventsConfig, EventsInput>,
  Same<EventEndpointConfig, NonNullable<EventsInput['endpoint']>>,
  Same<SubscriptionConfig, SubscriptionInput>,
  Same<HttpSubscriptionConfig, NonNullable<CommandInput['events']>>,
  Same<BatchConfig, NonNullable<SubscriptionInput['batch']>>,
  Same<AsyncConfig, AsyncInput>,
  Same<RetryConfig, NonNullable<AsyncInput['retry']>>,
  Same<AdvisorConfig, AdvisorInput>,
  Same<MachineConfig, NonNullable<AdvisorInput['machine']>>,
  Same<ObjectiveConfig, NonNullable<ModuleInput['objective']>>,
  Same<OperationsConfig, NonNullable<AdvisorInput['operations']>>,
  Same<AutoConfig, NonNullable<AdvisorInput['auto']>>,
  Same<CorsConfig, ObjectIn<AppInput['cors']>>,
  Same<Secret, SecretInput>,
] = [
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
];

const different: readonly [
  Same<{ a?: string }, { a?: string; b?: string }>,
  Same<{ a?: string }, { a: string }>,
  Same<{ a: string }, { a: number }>,
  Same<{ a: 'x' }, { a: string }>,
] = [false, false, false, false];

test("the sdk's types are those of the schema: tsc holds them together", () => {
  assert.deepEqual([new Set(same), new Set(different)], [new Set([true]), new Set([false])]);
});
