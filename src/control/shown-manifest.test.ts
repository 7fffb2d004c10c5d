import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseManifest } from './fixtures/fake-host.ts';
import { diffReleases } from './release-diff.ts';
import { shownManifests } from './shown-manifest.ts';

const withToken = (token: unknown) =>
  releaseManifest({
    config: { name: 'shop', events: { endpoint: { path: '/events', token } }, components: {} },
  });

test('a token that stands in the config is not shown, and that it is another one is', () => {
  const [first, second] = [withToken('one-token-0123456789'), withToken('two-token-0123456789')];
  const [shown] = shownManifests(first);
  assert.deepEqual(shown, withToken('a token that is not shown'));
  const differences = (...two: [typeof first, typeof first]): string =>
    JSON.stringify(diffReleases(...shownManifests(...two)));
  assert.match(differences(first, second), /another token that is not shown/);
  assert.doesNotMatch(differences(first, second), /0123456789/);
  assert.equal(differences(first, first), JSON.stringify(diffReleases(first, first)));
});

test('what holds no token is shown as it is, a secret’s name too', () => {
  const all = [releaseManifest(), withToken({ $secret: 'EVENTS_TOKEN' }), releaseManifest({ config: null })];
  assert.deepEqual(shownManifests(...all), all);
});
