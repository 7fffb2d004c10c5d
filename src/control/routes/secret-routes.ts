import { FulcrumError } from '../../base/errors.ts';
import { removeSecretInput, secretInput, secretParams } from '../input.ts';
import { json, jsonBody, route, type Route } from '../route.ts';
import {
  forgottenKeysAnswer,
  removedAnswer,
  rotationAnswer,
  secretsAnswer,
  secretSetAnswer,
} from '../schemas.ts';
import type { SecretsPort } from '../secrets-port.ts';
import { need, NO_SECRETS, type ApiParts } from './parts.ts';

/** Bytes of a body with a value of 64 KB, each of whose characters JSON may write with six. */
const MAX_SECRET_BYTES = 512 * 1024;

export function secretRoutes(parts: ApiParts): Route[] {
  const secrets = (): SecretsPort => need(parts.secrets, NO_SECRETS);
  return [
    route({
      id: 'listSecrets',
      method: 'GET',
      path: '/apps/{app}/secrets',
      scope: 'read',
      reach: 'new-app',
      summary: 'The names of its secrets and when each was set; never a value',
      answer: json(secretsAnswer),
      audit: null,
      handle: ({ app }) => secrets().list(app),
    }),
    route({
      id: 'setSecret',
      method: 'PUT',
      path: '/apps/{app}/secrets/{name}',
      scope: 'deploy',
      reach: 'new-app',
      summary: 'Sets a secret; what runs has its new value from the next deploy, rollback or reload on',
      params: secretParams,
      body: jsonBody(secretInput, MAX_SECRET_BYTES),
      answer: json(secretSetAnswer),
      audit: { action: 'secret.set', details: ({ params }) => ({ name: params.name }) },
      async handle({ app, params: { name }, body }) {
        await secrets().set(app, name, body.value);
        return { name, appExists: (await parts.host.apps()).some(({ id }) => id === app) };
      },
    }),
    route({
      id: 'removeSecret',
      method: 'DELETE',
      path: '/apps/{app}/secrets/{name}',
      scope: 'deploy',
      reach: 'new-app',
      summary: 'Removes a secret; refused, unless forced, where what serves would not start again without it',
      params: secretParams,
      query: removeSecretInput,
      answer: json(removedAnswer),
      audit: {
        action: 'secret.remove',
        details: ({ params, query }) => ({
          name: params.name,
          ...(query.force === 'true' ? { force: true } : {}),
        }),
      },
      async handle({ app, params: { name }, query: { force } }) {
        if (force === 'false') refuseWhereUsed(app, name, (await parts.host.secretUsers?.(app, name)) ?? []);
        const removed = await secrets().remove(app, name);
        need(removed || null, `There is no secret '${name}' of '${app}'.`);
        return { removed: true } as const;
      },
    }),
    route({
      id: 'rotateKey',
      method: 'POST',
      path: '/secrets/rotate',
      scope: 'admin',
      reach: 'server',
      summary: 'Makes a new key and seals every secret with it',
      answer: json(rotationAnswer),
      audit: { action: 'secrets.rotate', details: (_request, answer) => ({ ...answer }) },
      handle: () => secrets().rotate(),
    }),
    route({
      id: 'forgetKeys',
      method: 'POST',
      path: '/secrets/forget-keys',
      scope: 'admin',
      reach: 'server',
      summary: 'Takes the keys of before out of the key file; backups that are older cannot be opened then',
      answer: json(forgottenKeysAnswer),
      audit: { action: 'secrets.forget-keys', details: (_request, answer) => ({ ...answer }) },
      handle: () => secrets().forgetKeys(),
    }),
  ];
}

function refuseWhereUsed(app: string, name: string, components: readonly string[]): void {
  if (components.length === 0) return;
  throw new FulcrumError(
    'conflict',
    `What serves of '${app}' needs ${name}, for ${components.join(', ')}: without it nothing of the app would start again, after a restart of the server either. Deploy without it first, or force it.`,
    { details: { name, components } },
  );
}
