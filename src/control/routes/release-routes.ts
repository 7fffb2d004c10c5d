import { appId } from '../../base/app-id.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Release } from '../../model/release.ts';
import { hasScope } from '../caller.ts';
import type { Deploys } from '../host-port.ts';
import { deployInput, diffInput, digestsInput, pageInput, releaseParams, rollbackInput } from '../input.ts';
import { stepLines, summaryOf } from '../line-stream.ts';
import { diffReleases } from '../release-diff.ts';
import { json, jsonBody, lines, route, tarBody, type Route } from '../route.ts';
import { shownManifests } from '../shown-manifest.ts';
import {
  appAnswer,
  diffAnswer,
  mayDeployAnswer,
  missingAnswer,
  releaseAnswer,
  releasesAnswer,
  stepLine,
  storedAnswer,
} from '../schemas.ts';
import { need, NO_DEPLOYS, type ApiParts } from './parts.ts';

const MB = 1024 ** 2;
/** A manifest names every file, those of `node_modules` included. */
const MAX_DEPLOY_BYTES = 64 * MB;
const MAX_DIGESTS_BYTES = 8 * MB;
const MAX_TAR_BYTES = 2 * 1024 * MB;

export function releaseRoutes({ host, clock }: ApiParts): Route[] {
  const deploys = (): Deploys => need(host.deploys, NO_DEPLOYS);
  const release = async (app: string, number: number): Promise<Release> =>
    need(await deploys().release(app, number), `There is no release ${number} of '${app}' (any more).`);

  return [
    route({
      id: 'listReleases',
      method: 'GET',
      path: '/apps/{app}/releases',
      scope: 'read',
      reach: 'app',
      summary: 'Its releases, newest first, without their manifests',
      query: pageInput,
      answer: json(releasesAnswer),
      audit: null,
      async handle({ app, query }) {
        const found = await deploys().releases(app, query.before ?? null, query.limit);
        return found.map(summaryOf);
      },
    }),
    route({
      id: 'getRelease',
      method: 'GET',
      path: '/apps/{app}/releases/{number}',
      scope: 'read',
      reach: 'app',
      summary: 'One release with its manifest',
      params: releaseParams,
      answer: json(releaseAnswer),
      audit: null,
      async handle({ app, params }) {
        const { manifest, ...summary } = await release(app, params.number);
        const [shown] = shownManifests(manifest);
        return { ...summary, manifest: shown };
      },
    }),
    route({
      id: 'diffReleases',
      method: 'GET',
      path: '/apps/{app}/diff',
      scope: 'read',
      reach: 'app',
      summary: 'What is different between two releases: config and files',
      query: diffInput,
      answer: json(diffAnswer),
      audit: null,
      async handle({ app, query: { from, to } }) {
        const [before, after] = await Promise.all([release(app, from), release(app, to)]);
        return { from, to, ...diffReleases(...shownManifests(before.manifest, after.manifest)) };
      },
    }),
    route({
      id: 'mayDeploy',
      method: 'GET',
      path: '/apps/{app}/deploys',
      scope: 'deploy',
      reach: 'new-app',
      summary: 'Whether a deploy of this app would be taken, for before it is built',
      answer: json(mayDeployAnswer),
      audit: null,
      handle() {
        deploys();
        return Promise.resolve({ allowed: true } as const);
      },
    }),
    route({
      id: 'deploy',
      method: 'POST',
      path: '/apps/{app}/deploys',
      scope: 'deploy',
      reach: 'new-app',
      summary: 'Makes a release of files that were uploaded before, and brings it up; answers with its steps',
      body: jsonBody(deployInput, MAX_DEPLOY_BYTES),
      answer: lines(stepLine),
      audit: {
        action: 'deploy',
        details: ({ body }, release) => ({
          release: numberOf(release),
          note: body.note,
          // Side by side, so that a long list is cut, and not all of it left out.
          hosts: body.routing?.hosts ?? null,
          prefix: body.routing?.prefix ?? null,
          canary: body.canary?.steps ?? null,
        }),
      },
      handle({ app, body, caller }) {
        const { manifest } = body;
        const named = appId(manifest.app, manifest.environment);
        if (named !== app) {
          throw new FulcrumError(
            'manifest-invalid',
            `The manifest is of '${named}', and the deploy was asked for '${app}'.`,
          );
        }
        const found = deploys();
        const order = { ...body, by: caller.actor, isAdmin: hasScope(caller, 'admin') };
        return Promise.resolve(stepLines(clock, (onStep) => found.deploy(order, onStep)));
      },
    }),
    route({
      id: 'rollback',
      method: 'POST',
      path: '/apps/{app}/rollback',
      scope: 'deploy',
      reach: 'app',
      summary: 'Brings an earlier release up again; answers with its steps',
      body: jsonBody(rollbackInput),
      answer: lines(stepLine),
      audit: {
        action: 'rollback',
        details: ({ body }, release) => ({ asked: body.to, release: numberOf(release) }),
      },
      handle({ app, body, caller }) {
        const found = deploys();
        return Promise.resolve(
          stepLines(clock, (onStep) => found.rollback(app, body.to, caller.actor, onStep)),
        );
      },
    }),
    route({
      id: 'reload',
      method: 'POST',
      path: '/apps/{app}/reload',
      scope: 'deploy',
      reach: 'app',
      summary: 'Brings the release that serves up anew, with secrets as they are now; answers with its steps',
      answer: lines(stepLine),
      audit: { action: 'reload', details: (_request, release) => ({ release: numberOf(release) }) },
      handle({ app, caller }) {
        const found = deploys();
        need(
          found.reload !== undefined || null,
          'This server cannot bring a release up anew. Deploy it again.',
        );
        return Promise.resolve(stepLines(clock, (onStep) => found.reload!(app, caller.actor, onStep)));
      },
    }),
    ...(['promote', 'abort'] as const).map((how) =>
      route({
        id: `${how}Canary`,
        method: 'POST',
        path: `/apps/{app}/canary/${how}`,
        scope: 'deploy',
        reach: 'app',
        summary: how === 'promote' ? 'Gives a canary all the traffic now' : 'Takes a canary back now',
        answer: json(appAnswer),
        audit: { action: `canary.${how}` },
        handle: ({ app, caller }) => deploys().endCanary(app, how, caller.actor),
      }),
    ),
    route({
      id: 'missingBlobs',
      method: 'POST',
      path: '/blobs/missing',
      scope: 'deploy',
      reach: 'own',
      summary: 'Which files (by SHA-256) have still to be uploaded',
      body: jsonBody(digestsInput, MAX_DIGESTS_BYTES),
      answer: json(missingAnswer),
      audit: null,
      handle: async ({ body }) => ({ missing: await deploys().missingBlobs(body.digests) }),
    }),
    route({
      id: 'putBlobs',
      method: 'PUT',
      path: '/blobs',
      scope: 'deploy',
      reach: 'own',
      summary: 'Uploads files: a tar, uncompressed, of plain files named by their SHA-256 in hex',
      body: tarBody(MAX_TAR_BYTES),
      answer: json(storedAnswer),
      audit: { action: 'blobs.put', details: (_request, answer) => ({ stored: answer?.stored ?? null }) },
      handle: ({ body }) => deploys().putBlobs(body),
    }),
  ];
}

/** What a stream of steps ended with, once it has. */
function numberOf(release: unknown): number | null {
  return (release as Release | null)?.number ?? null;
}
