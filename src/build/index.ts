export { Builder, type BuilderOptions } from './builder.ts';
export type { BuildErrorDetails } from './build-error.ts';
export { evaluateConfig, type EvaluateConfigOptions, type EvaluatedConfig } from './evaluate-config.ts';
export { FILES_ROOT } from './module-paths.ts';
export { commandRevision, moduleRevision } from './revision.ts';
export { watchApp, type AppWatch, type WatchOptions } from './watch-app.ts';
