import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { shellLine } from './command-line.ts';

describe('a single program replaces the shell', () => {
  for (const command of [
    'node server.js',
    '  python3 -m http.server "$PORT"',
    './run --name "a; b && c"',
    "node -e 'a(); b()'",
    'node server.js > log.txt 2>&1',
    'echo a\\;b',
    'env NODE_ENV=production node server.js',
  ]) {
    test(command, () => assert.equal(shellLine(command), `exec ${command.trimStart()}`));
  }
});

describe('anything else stays with the shell', () => {
  for (const command of [
    'cd app && node server.js',
    'npm run build; npm start',
    'node a.js | tee log',
    'node a.js & wait',
    'NODE_ENV=production node server.js',
    'if true; then node a.js; fi',
    '(cd app; node a.js)',
    'exec node server.js',
    'node $(cat entry)',
    'export A=1\nnode a.js',
    'echo "open',
    '',
    '> file',
  ]) {
    test(JSON.stringify(command), () => assert.equal(shellLine(command), `trap 'exit 143' TERM; ${command}`));
  }
});

test('quotes, variables and redirections mean the same behind exec', () => {
  const run = (command: string): string =>
    execFileSync('/bin/sh', ['-c', shellLine(command)], {
      env: { ...process.env, PORT: '1234' },
      encoding: 'utf8',
    });
  assert.equal(run('printf "%s;%s" "$PORT" "a b"'), '1234;a b');
  assert.equal(run('sh -c "echo err >&2; echo out" 2>&1'), 'err\nout\n');
  assert.equal(run('A=1 sh -c "echo $A-\\$A"'), '-1\n');
});
