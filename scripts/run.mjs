// Runs a script of this repository on the bundled Node 26, after installing what is missing:
//   node scripts/run.mjs FILE [ARG …]
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { install, root } from './bundled-node.mjs';

const [file, ...rest] = process.argv.slice(2);
const node = install();
const args = [
  '--conditions=fulcrum-source',
  '--disable-warning=ExperimentalWarning',
  join(root, file),
  ...rest,
];
const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}` };

if (typeof process.execve === 'function') {
  process.execve(node, [node, ...args], env);
} else {
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 : (code ?? 1)));
}
