// Compiles what is published: JavaScript and types into dist/, and beside them the files that are no code.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundled-node.mjs';

rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiled = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const shipped = globSync('src/**/*.{sql,html,css,json}', { cwd: root, exclude: ['**/fixtures/**'] });
for (const file of shipped)
  cpSync(join(root, file), join(root, file.replace(/^src/, 'dist')), { recursive: true });
