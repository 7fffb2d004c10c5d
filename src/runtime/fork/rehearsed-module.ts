import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModule } from '../child/module-handlers.ts';

const TIMES = 3;
const SOURCE = `export default { fetch: () => new Response('warm') };\nexport async function warm() {}\n//# sourceMappingURL=index.mjs.map\n`;
const MAP = JSON.stringify({
  version: 3,
  sources: ['warm.ts'],
  sourcesContent: [SOURCE],
  names: [],
  mappings: 'AAAA',
});

/** Imports modules as a zygote does a component's, so that forks inherit Node's own path for that as compiled code. */
export async function rehearseModule(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-rehearsal-'));
  try {
    for (let time = 0; time < TIMES; time++) {
      const own = join(folder, String(time));
      mkdirSync(own);
      writeFileSync(join(own, 'index.mjs'), SOURCE);
      writeFileSync(join(own, 'index.mjs.map'), MAP);
      await loadModule(join(own, 'index.mjs'));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
