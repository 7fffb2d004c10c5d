import * as z from 'zod';
import { coarsely } from '../../base/coarse.ts';
import { hostPlatform } from '../../base/platform.ts';
import { packageVersion } from '../../base/version.ts';
import type { AccessToken } from '../../model/access-token.ts';
import type { BudgetStatus } from '../../model/status.ts';
import type { Caller } from '../caller.ts';
import { pageInput, tokenInput, tokenParams } from '../input.ts';
import { json, jsonBody, route, type Route } from '../route.ts';
import {
  auditAnswer,
  healthAnswer,
  newTokenAnswer,
  pageLinkAnswer,
  removedAnswer,
  restartingAnswer,
  serverAnswer,
  stoppingAnswer,
  tokensAnswer,
  type TokenSummary,
} from '../schemas.ts';
import type { TokenBook } from '../token-book.ts';
import { need, NO_AUDIT, NO_TOKENS, type ApiParts } from './parts.ts';

/** A token of some apps is told how much of the machine is free, and not what others do with the rest. */
function budgetFor({ apps }: Caller, budget: BudgetStatus | null): BudgetStatus | null {
  if (apps === null || budget === null) return budget;
  const { memoryBytes, promisedBytes, keptBytes } = budget;
  const coarse = (bytes: number): number => Math.round(coarsely(bytes, memoryBytes));
  return { ...budget, promisedBytes: coarse(promisedBytes), keptBytes: coarse(keptBytes) };
}

/** What concerns the server as a whole. `document` is told at `/v1/openapi.json`. */
export function serverRoutes(parts: ApiParts, document: () => unknown): Route[] {
  return [
    ...publicRoutes(parts, document),
    ...tokenRoutes(parts),
    ...pageRoutes(parts),
    ...auditRoutes(parts),
    ...endRoutes(parts),
  ];
}

function publicRoutes({ host }: ApiParts, document: () => unknown): Route[] {
  return [
    route({
      id: 'health',
      method: 'GET',
      path: '/health',
      scope: 'open',
      reach: 'own',
      summary: 'Whether the admin API answers, and that it is one',
      answer: json(healthAnswer),
      audit: null,
      handle: () => Promise.resolve({ ok: true, api: 'fulcrum' } as const),
    }),
    route({
      id: 'getServer',
      method: 'GET',
      path: '/server',
      scope: 'read',
      reach: 'own',
      summary: 'What native code has to be built for, which versions run, and what instances may use',
      answer: json(serverAnswer),
      audit: null,
      handle: ({ caller }) =>
        Promise.resolve({
          ...hostPlatform(),
          fulcrum: packageVersion(),
          node: process.versions.node,
          budget: budgetFor(caller, host.budget?.() ?? null),
        }),
    }),
    route({
      id: 'openapi',
      method: 'GET',
      path: '/openapi.json',
      scope: 'open',
      reach: 'own',
      summary: 'This document',
      answer: json(z.looseObject({ openapi: z.string() })),
      audit: null,
      handle: () => Promise.resolve(document() as { openapi: string }),
    }),
  ];
}

function tokenRoutes(parts: ApiParts): Route[] {
  const tokens = (): TokenBook => need(parts.tokens, NO_TOKENS);
  return [
    route({
      id: 'listTokens',
      method: 'GET',
      path: '/tokens',
      scope: 'admin',
      reach: 'server',
      summary: 'The tokens that were given out, without themselves',
      answer: json(tokensAnswer),
      audit: null,
      handle: async () => (await tokens().list()).map(summaryOf),
    }),
    route({
      id: 'createToken',
      method: 'POST',
      path: '/tokens',
      scope: 'admin',
      reach: 'server',
      summary: 'Makes a token, and tells it this once',
      body: jsonBody(tokenInput),
      answer: json(newTokenAnswer, 201),
      audit: {
        action: 'token.create',
        details: ({ body }, answer) => ({
          id: answer?.id ?? null,
          name: body.name,
          scope: body.scope,
          apps: body.apps,
          expiresAtMs: answer?.expiresAtMs ?? null,
        }),
      },
      async handle({ body }) {
        const { token, kept } = await tokens().create(body);
        return { ...summaryOf(kept), token };
      },
    }),
    route({
      id: 'revokeToken',
      method: 'DELETE',
      path: '/tokens/{id}',
      scope: 'admin',
      reach: 'server',
      summary: 'Revokes a token: its next request is refused',
      params: tokenParams,
      answer: json(removedAnswer),
      audit: { action: 'token.revoke', details: ({ params }) => ({ id: params.id }) },
      async handle({ params: { id } }) {
        const removed = await tokens().remove(id);
        need(removed || null, `There is no token '${id}'; \`fulcrum tokens ls\` shows their ids.`);
        return { removed: true } as const;
      },
    }),
  ];
}

function pageRoutes({ links }: ApiParts): Route[] {
  return [
    route({
      id: 'createPageLink',
      method: 'POST',
      path: '/page-links',
      scope: 'admin',
      reach: 'server',
      summary: 'A link that opens the admin page, once and soon',
      answer: json(pageLinkAnswer, 201),
      audit: { action: 'page.open' },
      handle() {
        const { token, validMs } = links.create();
        return Promise.resolve({ path: `/?token=${token}`, validMs });
      },
    }),
  ];
}

function auditRoutes(parts: ApiParts): Route[] {
  return [
    route({
      id: 'readAudit',
      method: 'GET',
      path: '/audit',
      scope: 'admin',
      reach: 'server',
      summary: 'Changes, newest first: who, what, when, and how it ended',
      query: pageInput,
      answer: json(auditAnswer),
      audit: null,
      handle: ({ query }) =>
        need(parts.audit, NO_AUDIT).list({ app: null, before: query.before ?? null, limit: query.limit }),
    }),
    route({
      id: 'readAppAudit',
      method: 'GET',
      path: '/apps/{app}/audit',
      scope: 'deploy',
      // What was done to an app outlives it.
      reach: 'new-app',
      summary: 'Those of one app',
      query: pageInput,
      answer: json(auditAnswer),
      audit: null,
      handle: ({ app, query }) =>
        need(parts.audit, NO_AUDIT).list({ app, before: query.before ?? null, limit: query.limit }),
    }),
  ];
}

function endRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'stop',
      method: 'POST',
      path: '/stop',
      scope: 'admin',
      reach: 'server',
      summary: 'Ends the server in order, after the answer has gone out',
      answer: json(stoppingAnswer, 202),
      audit: { action: 'server.stop' },
      handle() {
        need(host.stop !== undefined || null, 'This server cannot be ended by the admin API.');
        setImmediate(() => host.stop!());
        return Promise.resolve({ stopping: true } as const);
      },
    }),
    route({
      id: 'restart',
      method: 'POST',
      path: '/restart',
      scope: 'admin',
      reach: 'server',
      summary: 'Starts a successor that takes over; answers once it serves',
      answer: json(restartingAnswer, 202),
      audit: { action: 'server.restart' },
      async handle() {
        need(host.restart !== undefined || null, 'This server cannot start a successor by itself.');
        await host.restart!();
        return { restarting: true } as const;
      },
    }),
  ];
}

function summaryOf(token: AccessToken): TokenSummary {
  const { id, name, scope, apps, createdAtMs, expiresAtMs, lastUsedAtMs } = token;
  return { id, name, scope, apps, createdAtMs, expiresAtMs, lastUsedAtMs };
}
