import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseEnv } from './base-env.ts';

test('instances get what every process needs and nothing else of the shell', () => {
  const shell = {
    PATH: '/bin',
    HOME: '/home/ann',
    AWS_SECRET_ACCESS_KEY: 'no',
    NODE_OPTIONS: '--inspect',
    TZ: undefined,
  };
  assert.deepEqual(baseEnv(shell, 'development'), {
    NODE_ENV: 'development',
    FULCRUM_ENVIRONMENT: 'development',
    PATH: '/bin',
    HOME: '/home/ann',
  });
  assert.equal(baseEnv({}, 'staging').NODE_ENV, 'production');
});
