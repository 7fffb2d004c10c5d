/**
 * What an author imports as `fulcrum`. It is bundled into every component, so it holds next to nothing: types, two
 * identities and three ways to whoever runs it.
 */
export { binding } from './binding.ts';
export { context } from './context.ts';
export { defineApp, secret } from './define.ts';
export { events } from './events.ts';
export { idempotent } from './idempotent.ts';
export { use } from './use.ts';
export type { Remote } from './use.ts';
export type {
  AdvisorConfig,
  AppConfig,
  AsyncConfig,
  AutoConfig,
  BatchConfig,
  ClientRateConfig,
  CommandConfig,
  ComponentConfig,
  ConfigContext,
  CorsConfig,
  EnvConfig,
  EventEndpointConfig,
  EventsConfig,
  HttpSubscriptionConfig,
  LimitsConfig,
  MachineConfig,
  ModuleConfig,
  ObjectiveConfig,
  OperationsConfig,
  ReplicasConfig,
  RetryConfig,
  RouteConfig,
  RouteObject,
  ScheduleConfig,
  Secret,
  StaticConfig,
  SubscriptionConfig,
} from './config-types.ts';
export type {
  ComponentModule,
  ComponentWebSocket,
  Context,
  Env,
  EventPublisher,
  PublishedEvent,
  PublishOptions,
  QueueBatch,
  QueueMessage,
  ScheduledEvent,
  ServiceBinding,
  WebSocketHooks,
} from './handler-types.ts';
