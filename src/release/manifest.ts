import { z } from 'zod';
import { FulcrumError } from '../base/errors.ts';
import type { ReleaseFile, ReleaseManifest } from '../model/release.ts';
import { bundleOf } from './bundle-digest.ts';
import { MAX_CONFIG_BYTES, RELEASE_LIMITS, type ReleaseLimits } from './limits.ts';
import { BUNDLES_FOLDER } from './release-path.ts';
import { treeProblems } from './tree-problems.ts';

/** As many as an error lists. */
const MOST_PROBLEMS = 20;
const MAX_CONFIG_DEPTH = 32;
const MAX_BUNDLES = 1_000;

const NAME = /^[a-z][a-z0-9-]{0,40}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** One thing that is wrong with a manifest. */
interface ManifestProblem {
  /** `files[3].path`, with the entry's own path where there is one. */
  readonly where: string;
  readonly message: string;
}

const name = z.string().regex(NAME, 'is no name: lower-case letters, digits and hyphens, at most 41');
const digest = z.string().regex(DIGEST, 'is no SHA-256: 64 hex digits in lower case');
const sizeBytes = z.int('is no number of bytes').min(0, 'is no number of bytes');
const word = z.string().regex(/^[a-z0-9_]{1,32}$/, 'is no word of lower-case letters, digits and _');
const text = z.string('is no text');

const fileSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file'),
    path: text,
    digest,
    sizeBytes,
    executable: z.boolean('is neither true nor false'),
  }),
  z.strictObject({ kind: z.literal('link'), path: text, target: text }),
]);

const schema = z.strictObject({
  format: z.literal(1, 'is a format that this server does not know; it knows 1'),
  app: name,
  environment: name,
  fulcrum: z.string().regex(/^[\w.+-]{1,64}$/, 'is no version'),
  platform: z.strictObject({ os: word, arch: word, libc: word.nullable() }).nullable(),
  // Not copied: a key such as `__proto__` stays what it is.
  config: z.custom(isRecord, 'is no object'),
  bundles: z.record(z.string(), z.strictObject({ path: text, digest, sizeBytes })),
  files: z.array(fileSchema, 'is no list'),
});

/**
 * `value`, whoever sent it, as a manifest: its shape, its sizes, and its files as one tree that can be written without harm. What its
 * config says is not looked at, but that it is about the same app.
 * @throws FulcrumError `manifest-invalid`; details: `{ problems: ManifestProblem[] }`, at most 20.
 */
export function checkManifest(value: unknown, limits: ReleaseLimits = RELEASE_LIMITS): ReleaseManifest {
  refuse(outlineProblems(value, limits));
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw invalid(parsed.error.issues.slice(0, MOST_PROBLEMS).map((issue) => shapeProblem(issue, value)));
  const manifest = parsed.data as ReleaseManifest;
  refuse(
    treeProblems(manifest.files, MOST_PROBLEMS).map(({ index, message }) => ({
      where: `files[${index}] ${quoted(manifest.files[index]!.path)}`,
      message,
    })),
  );
  refuse([...sizeProblems(manifest.files, limits), ...bundleProblems(manifest), ...configProblems(manifest)]);
  return manifest;
}

/** What must hold before it is worth looking at every entry. */
function outlineProblems(value: unknown, limits: ReleaseLimits): ManifestProblem[] {
  if (!isRecord(value)) return [{ where: 'the manifest', message: 'is no object' }];
  const { files, bundles, config } = value;
  if (Array.isArray(files) && files.length > limits.files) {
    return [
      { where: 'files', message: `are ${count(files.length)}; a release has at most ${count(limits.files)}` },
    ];
  }
  const components = isRecord(bundles) ? Object.keys(bundles) : [];
  if (components.length > MAX_BUNDLES)
    return [{ where: 'bundles', message: `are more than ${count(MAX_BUNDLES)}` }];
  const odd = components.find((component) => !NAME.test(component));
  if (odd !== undefined) return [{ where: `bundles[${quoted(odd)}]`, message: 'is no name of a component' }];
  if (isDeeper(config, MAX_CONFIG_DEPTH))
    return [{ where: 'config', message: `is nested deeper than ${MAX_CONFIG_DEPTH}` }];
  if (Buffer.byteLength(JSON.stringify(config) ?? '') > MAX_CONFIG_BYTES) {
    return [{ where: 'config', message: `is larger than ${count(MAX_CONFIG_BYTES)} bytes` }];
  }
  return [];
}

function sizeProblems(files: readonly ReleaseFile[], limits: ReleaseLimits): ManifestProblem[] {
  const sizes = new Map<string, number>();
  let total = 0;
  for (const [index, file] of files.entries()) {
    if (file.kind === 'link') continue;
    const known = sizes.get(file.digest);
    if (known !== undefined && known !== file.sizeBytes) {
      return [
        {
          where: `files[${index}].sizeBytes`,
          message: `is ${file.sizeBytes}, and ${known} for the same digest elsewhere`,
        },
      ];
    }
    sizes.set(file.digest, file.sizeBytes);
    total += file.sizeBytes;
  }
  if (total <= limits.totalBytes) return [];
  return [
    {
      where: 'files',
      message: `have ${count(total)} bytes together; a release has at most ${count(limits.totalBytes)}`,
    },
  ];
}

/** Each bundle lies in a folder of its own, of plain files, and is what it says; and nothing else lies there. */
function bundleProblems(manifest: ReleaseManifest): ManifestProblem[] {
  const problems: ManifestProblem[] = [];
  const byPath = new Map(manifest.files.map((file) => [file.path, file]));
  /** The files of each bundle's folder, by that: looked for once, however many bundles there are. */
  const folders = new Map<string, ReleaseFile[]>();
  for (const [component, bundle] of Object.entries(manifest.bundles)) {
    const where = `bundles[${quoted(component)}]`;
    const names = bundle.path.split('/');
    if (
      !bundle.path.startsWith(`${BUNDLES_FOLDER}/`) ||
      names.length !== 4 ||
      !bundle.path.endsWith('.mjs')
    ) {
      problems.push({
        where: `${where}.path`,
        message: `is ${quoted(bundle.path)}, not ${BUNDLES_FOLDER}/NAME/FILE.mjs`,
      });
      continue;
    }
    if (byPath.get(bundle.path)?.kind !== 'file') {
      problems.push({
        where: `${where}.path`,
        message: `is ${quoted(bundle.path)}, which is not among the files`,
      });
      continue;
    }
    const folder = names.slice(0, 3).join('/');
    if (folders.has(folder))
      problems.push({
        where: `${where}.path`,
        message: `is ${quoted(bundle.path)}, in another bundle's folder`,
      });
    folders.set(folder, []);
  }
  if (problems.length > 0) return problems.slice(0, MOST_PROBLEMS);

  const inBundles = manifest.files.filter(({ path }) => path.startsWith(`${BUNDLES_FOLDER}/`));
  for (const file of inBundles) {
    const where = `files ${quoted(file.path)}`;
    const own = folders.get(folderOf(file.path));
    if (own === undefined) {
      problems.push({ where, message: 'lies among the bundles, and belongs to none' });
    } else if (file.kind === 'link' || file.executable) {
      problems.push({ where, message: 'belongs to a bundle, and is no plain file' });
    } else own.push(file);
    if (problems.length === MOST_PROBLEMS) return problems;
  }
  for (const [component, bundle] of Object.entries(manifest.bundles)) {
    const found = bundleOf(bundle.path, folders.get(folderOf(bundle.path))!);
    if (found.digest !== bundle.digest || found.sizeBytes !== bundle.sizeBytes) {
      problems.push({
        where: `bundles[${quoted(component)}]`,
        message: 'has another digest or size than its files',
      });
    }
  }
  return problems.slice(0, MOST_PROBLEMS);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function configProblems({ app, config }: ReleaseManifest): ManifestProblem[] {
  const named = (config as { name?: unknown }).name;
  if (named === app) return [];
  return [{ where: 'config.name', message: `is ${quoted(named)}; the manifest is of ${quoted(app)}` }];
}

function shapeProblem(issue: z.core.$ZodIssue, value: unknown): ManifestProblem {
  const where = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  if (issue.code === 'unrecognized_keys') {
    return {
      where: where === '' ? 'the manifest' : where,
      message: `has the unknown key ${quoted(issue.keys[0])}`,
    };
  }
  let found: unknown = value;
  for (const part of issue.path) found = (found as Record<PropertyKey, unknown> | undefined)?.[part];
  if (found === undefined) return { where, message: 'is missing' };
  const own = /^(?:is|are|has) /.test(issue.message) ? issue.message : 'is not what it should be';
  return { where, message: `${own} (found ${quoted(found)})` };
}

function refuse(problems: readonly ManifestProblem[]): void {
  if (problems.length > 0) throw invalid(problems);
}

function invalid(problems: readonly ManifestProblem[]): FulcrumError {
  const lines = problems.map(({ where, message }) => `  ${where} ${message}`);
  const head =
    problems.length === 1 ? 'The manifest has a problem:' : `The manifest has ${problems.length} problems:`;
  return new FulcrumError('manifest-invalid', `${head}\n${lines.join('\n')}`, { details: { problems } });
}

/** Looks at a value of any depth without recursion. */
function isDeeper(value: unknown, depth: number): boolean {
  let level = [value];
  for (let at = 0; level.length > 0; at += 1) {
    if (at > depth) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** On one line, shortened, without what could take over a terminal. */
function quoted(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const all = JSON.stringify(value) ?? String(value);
  const safe = all.replaceAll(/[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '?');
  return safe.length > 100 ? `${safe.slice(0, 99)}…` : safe;
}

function count(number: number): string {
  return number.toLocaleString('en-GB');
}
