import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorsPolicy } from './cors.ts';
import type { CorsSettings } from '../model/app.ts';

const SETTINGS: CorsSettings = {
  origins: ['https://shop.io'],
  methods: ['GET', 'POST'],
  headers: ['content-type'],
  exposedHeaders: ['x-total'],
  credentials: true,
  maxAgeS: 600,
};

test('an origin that is listed gets its fields, another only Vary', () => {
  const policy = new CorsPolicy(SETTINGS);
  assert.deepEqual(policy.fields('https://shop.io'), [
    ...['Access-Control-Allow-Origin', 'https://shop.io', 'Access-Control-Allow-Credentials', 'true'],
    ...['Access-Control-Expose-Headers', 'x-total', 'Vary', 'Origin'],
  ]);
  assert.deepEqual(policy.fields('https://evil.io'), ['Vary', 'Origin']);
  assert.deepEqual(policy.fields(null), ['Vary', 'Origin']);
});

test('every origin: one answer for all, and never with credentials', () => {
  const policy = new CorsPolicy({ ...SETTINGS, origins: '*' });
  assert.deepEqual(policy.fields('https://evil.io'), [
    ...['Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', 'x-total'],
  ]);
});

test('a preflight is told methods, fields and how long that holds', () => {
  assert.deepEqual(new CorsPolicy({ ...SETTINGS, credentials: false }).preflightFields('https://shop.io'), [
    ...['Access-Control-Allow-Origin', 'https://shop.io', 'Access-Control-Allow-Methods', 'GET, POST'],
    ...['Access-Control-Allow-Headers', 'content-type', 'Access-Control-Max-Age', '600'],
    ...['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'],
  ]);
});
