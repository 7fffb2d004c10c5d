import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { hasEnded, PROCESS_NAME } from './process-name.ts';

const onLinux = { skip: process.platform === 'linux' ? false : 'only Linux tells when a process began' };

test('a process that lives has not ended', () => {
  assert.equal(hasEnded(PROCESS_NAME), false);
});

test(
  'a process that was killed has ended, and so has one whose number another has now',
  onLinux,
  async () => {
    const script = `
    import { PROCESS_NAME } from ${JSON.stringify(new URL('./process-name.ts', import.meta.url).href)};
    console.log(PROCESS_NAME);
    setInterval(() => {}, 1e6);
  `;
    const child = spawn(
      process.execPath,
      ['--conditions=fulcrum-source', '--input-type=module', '-e', script],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [name] = (await once(child.stdout, 'data')) as [Buffer];
    const text = name.toString().trim();
    assert.equal(hasEnded(text), false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(hasEnded(text), true);
    assert.equal(hasEnded(PROCESS_NAME.replace(/\d+$/, '1')), true);
  },
);

test('of a process elsewhere, and of what is no such name, nobody here can tell', () => {
  for (const name of ['', 'n', 'elsewhere.1.1', `${PROCESS_NAME}.1`, PROCESS_NAME.replace(/\.\d+\./, '.x.')])
    assert.equal(hasEnded(name), false, name);
});
