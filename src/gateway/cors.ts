import type { CorsSettings } from '../model/app.ts';

/** The fields that CORS owns in an answer: where the gateway answers for it, a component's own are left out. */
export function isCorsField(lower: string): boolean {
  return lower.startsWith('access-control-');
}

/** CORS (Fetch standard, 3.2) by settings; its constant parts are put together once. */
export class CorsPolicy {
  readonly #anyOrigin: boolean;
  readonly #origins: ReadonlySet<string>;
  readonly #simple: readonly string[];
  readonly #preflight: readonly string[];

  constructor(settings: CorsSettings) {
    this.#anyOrigin = settings.origins === '*' || settings.origins.includes('*');
    this.#origins = new Set(settings.origins === '*' ? [] : settings.origins);
    // Browsers refuse credentials for '*', and answering with whatever origin asks would let every site act as the user.
    const credentials =
      settings.credentials && !this.#anyOrigin ? ['Access-Control-Allow-Credentials', 'true'] : [];
    this.#simple =
      settings.exposedHeaders.length === 0
        ? credentials
        : [...credentials, 'Access-Control-Expose-Headers', settings.exposedHeaders.join(', ')];
    this.#preflight = [
      ...credentials,
      'Access-Control-Allow-Methods',
      settings.methods.join(', '),
      ...(settings.headers.length === 0 ? [] : ['Access-Control-Allow-Headers', settings.headers.join(', ')]),
      'Access-Control-Max-Age',
      String(settings.maxAgeS),
    ];
  }

  /** Fields for an answer to a request from `origin`; null where the request named none. */
  fields(origin: string | null): readonly string[] {
    return [...this.#allowed(origin, this.#simple), ...this.#vary('Origin')];
  }

  /** Fields for the answer to a preflight. Without `Access-Control-Allow-Origin` the browser refuses the request. */
  preflightFields(origin: string): readonly string[] {
    const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
    return [...this.#allowed(origin, this.#preflight), ...this.#vary(vary)];
  }

  #allowed(origin: string | null, more: readonly string[]): readonly string[] {
    if (this.#anyOrigin) return ['Access-Control-Allow-Origin', '*', ...more];
    if (origin === null || !this.#origins.has(origin)) return [];
    return ['Access-Control-Allow-Origin', origin, ...more];
  }

  /** With `*` every origin gets the same answer, so that caches need not tell them apart. */
  #vary(names: string): readonly string[] {
    return this.#anyOrigin ? [] : ['Vary', names];
  }
}
