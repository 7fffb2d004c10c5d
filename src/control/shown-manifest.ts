import type { ReleaseManifest } from '../model/release.ts';

const HIDDEN = 'a token that is not shown';
const OTHER = 'another token that is not shown';

/**
 * Manifests as they are told to whoever may look: without the token of the endpoint for events, where that stands in the config itself. Who
 * has it may publish. One that differs from that of the manifest before is seen to.
 */
export function shownManifests<M extends readonly ReleaseManifest[]>(...manifests: M): M {
  let last: string | null = null;
  return manifests.map((manifest) => {
    const { config } = manifest;
    const { events } = fieldsOf(config);
    const { endpoint } = fieldsOf(events);
    const { token } = fieldsOf(endpoint);
    // A secret's name is none.
    if (typeof token !== 'string') return manifest;
    const shown = last === null || last === token ? HIDDEN : OTHER;
    last = token;
    return {
      ...manifest,
      config: {
        ...fieldsOf(config),
        events: { ...fieldsOf(events), endpoint: { ...fieldsOf(endpoint), token: shown } },
      },
    };
  }) as unknown as M;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
