import type { AppConfig, ConfigContext, Secret } from './config-types.ts';

type AppFunction = (given: ConfigContext) => AppConfig | Promise<AppConfig>;

/**
 * Gives the config its types; returns it as it is. What is wrong with it is told all at once, as `config-invalid`, before
 * anything starts.
 *
 * @param config the app, or a function (it may be async) that makes it from the name of the environment. It is called once
 *   each time the config is loaded and must give plain data.
 */
export function defineApp(config: AppConfig | AppFunction): AppConfig | AppFunction {
  return config;
}

/**
 * Stands for the value of a secret in `env`. The config holds only its name; `fulcrum dev` takes the value from `.env` and
 * `.env.local` beside the config. A secret without a value is `secret-missing`, and nothing starts.
 */
export function secret(name: string): Secret {
  return { $secret: name };
}
