import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { credentialsPath, keptToken } from './credentials.ts';

test('a token is found by its server, in a file of mode 0600 only', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'fulcrum-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const env = { HOME: home };
  assert.equal(keptToken('https://admin.example.com', env), null);

  const path = credentialsPath(env);
  assert.equal(path, join(home, '.config/fulcrum/credentials'));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    '# mine\nhttps://admin.example.com/ fct_1\n\nhttp://10.0.0.5:8081   fct_2  \nhttps://no-token\n',
    { mode: 0o600 },
  );
  assert.equal(keptToken('https://admin.example.com', env), 'fct_1');
  assert.equal(keptToken('http://10.0.0.5:8081', env), 'fct_2');
  assert.equal(keptToken('https://no-token', env), null);
  assert.equal(keptToken('https://other.example.com', env), null);

  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode);
    assert.throws(() => keptToken('https://admin.example.com', env), {
      code: 'usage',
      message: /can be read by others.*chmod 600/,
    });
  }
});
