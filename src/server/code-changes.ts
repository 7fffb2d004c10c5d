import { relative } from 'node:path';
import type { RunnableSpec } from '../model/app.ts';
import type { Release, ReleaseManifest, ReleaseStore } from '../model/release.ts';
import { BUNDLES_FOLDER } from '../release/release-path.ts';

const DAY_MS = 86_400_000;
const WINDOW_DAYS = 28;
/** Looked at; a server keeps fewer than that. */
const MOST_RELEASES = 30;
const PAGE = 10;

/** A release's, as far as it tells when code was changed. */
interface ReleaseCode {
  readonly createdAtMs: number;
  readonly bundles: ReadonlyMap<string, string>;
  /** Path and digest of what is no bundle, for programs, which have none. */
  readonly files: readonly (readonly [path: string, digest: string])[];
}

/** How often deploys change the code of an app's components, by the releases that a server still has. */
export class CodeChanges {
  readonly #app: string;
  readonly #releases: Pick<ReleaseStore, 'list'>;
  /** By number; a release never changes. */
  #known = new Map<number, ReleaseCode>();

  constructor(app: string, releases: Pick<ReleaseStore, 'list'>) {
    this.#app = app;
    this.#releases = releases;
  }

  /** Reads what is new since. Rejects with `store-failed`. */
  async refresh(nowMs: number): Promise<void> {
    const found = new Map<number, ReleaseCode>();
    for (let before: number | null = null; ;) {
      const page: readonly Release[] = await this.#releases.list(this.#app, before, PAGE);
      for (const release of page) {
        if (release.state === 'failed') continue;
        found.set(release.number, this.#known.get(release.number) ?? codeOf(release));
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE || found.size >= MOST_RELEASES) break;
      if (last.createdAtMs < nowMs - WINDOW_DAYS * DAY_MS) break;
      before = last.number;
    }
    this.#known = new Map([...found].toSorted(([a], [b]) => a - b));
  }

  /**
   * Releases of the last 28 days that changed the code of any of `specs`, and the days that this is of: fewer where the oldest release that
   * is kept is younger. None of an app that is deployed in place.
   * @param directory of the release that serves.
   */
  of(specs: readonly RunnableSpec[], directory: string, nowMs: number): { count: number; days: number } {
    const fromMs = nowMs - WINDOW_DAYS * DAY_MS;
    let count = 0;
    let before: string | null = null;
    for (const code of this.#known.values()) {
      const here = specs.map((spec) => codeText(spec, code, directory)).join('\n');
      if (before !== null && here !== before && code.createdAtMs >= fromMs) count++;
      before = here;
    }
    const [oldest] = this.#known.values();
    const days = oldest === undefined ? 0 : (nowMs - Math.max(fromMs, oldest.createdAtMs)) / DAY_MS;
    return { count, days: Math.max(0, days) };
  }
}

function codeOf({ createdAtMs, manifest }: Release): ReleaseCode {
  const bundles = Object.entries(manifest.bundles).map(([name, { digest }]) => [name, digest] as const);
  return { createdAtMs, bundles: new Map(bundles), files: filesOf(manifest) };
}

function filesOf({ files }: ReleaseManifest): ReleaseCode['files'] {
  return files.flatMap((file) =>
    file.kind === 'link' || file.path.startsWith(`${BUNDLES_FOLDER}/`)
      ? []
      : [[file.path, file.digest] as const],
  );
}

/** What is another text where the code is another: a module's bundle; of a program all that lies in its folder. */
function codeText(spec: RunnableSpec, { bundles, files }: ReleaseCode, directory: string): string {
  if (spec.kind === 'module') return bundles.get(spec.name) ?? '';
  const folder = relative(directory, spec.cwd);
  const inside = files.filter(([path]) => folder === '' || path.startsWith(`${folder}/`));
  return inside.map(([path, digest]) => `${path} ${digest}`).join('\n');
}
