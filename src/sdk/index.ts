/**
 * What an author imports as `fulcrum`. It is bundled into every component, so it holds next to nothing: types, two
 * identities and two ways to whoever runs it.
 */
export { defineApp, secret } from './define.ts';
export { events } from './events.ts';
export { use } from './use.ts';
export type { Remote } from './use.ts';
export type {
  AppConfig,
  AsyncConfig,
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
  ModuleConfig,
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
  WebSocketHooks,
} from './handler-types.ts';
