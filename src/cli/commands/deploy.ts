import { relative } from 'node:path';
import { appId, isAppId } from '../../base/app-id.ts';
import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import { packageVersion } from '../../base/version.ts';
import { typeCheck } from '../../build/type-check.ts';
import type { DeployStep } from '../../control/host-port.ts';
import type { ReleaseSummary, ServerFacts } from '../../control/schemas.ts';
import { packApp, readApp, type PackedApp } from '../../server/pack-app.ts';
import type { ControlClient } from '../client.ts';
import { connectToHost } from '../connect.ts';
import { canaryPlan, type CanaryOptions } from '../deploy/canary-options.ts';
import { Progress } from '../deploy/progress.ts';
import { ServerSteps } from '../deploy/server-steps.ts';
import { StepList } from '../deploy/step-list.ts';
import { uploadBlobs, type UploadProgress } from '../deploy/upload-blobs.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { sizeWords } from '../size-words.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

export interface DeployOptions extends CanaryOptions {
  readonly to?: string;
  readonly environment: string;
  readonly host?: readonly string[];
  readonly prefix?: string;
  readonly note?: string;
  readonly typecheck: boolean;
  readonly json?: boolean;
}

/** Everything up to the last request changes nothing on the server but which files it keeps. */
export async function deploy(directory: string, options: DeployOptions): Promise<ExitCode> {
  const canary = canaryPlan(options);
  if (!isAppId(appId('app', options.environment))) {
    throw new FulcrumError(
      'usage',
      `'${options.environment}' is no name of an environment: those are like staging.`,
    );
  }
  const list = options.json === true ? null : new StepList();
  const progress = new Progress(list);
  const stopped = new AbortController();
  const interrupted = interruption(progress, stopped);
  try {
    const { client } = await connectToHost(options.to === undefined ? {} : { url: options.to }, '--to');
    const packed = await packed_(directory, options, client, progress, stopped.signal);
    const { app, environment } = packed.manifest;
    const id = appId(app, environment);
    const sent = await progress.step('upload', async (begun) => {
      const done = await uploadBlobs(client, packed.sources, (state) => begun(uploadText(state, packed)));
      return { value: done, text: uploadText(done, packed) };
    });
    progress.current = 'deploy';
    const order = {
      manifest: packed.manifest,
      canary,
      routing: routingOf(options),
      note: options.note ?? '',
    };
    const shown = list === null ? null : new ServerSteps(list);
    const findings: NonNullable<DeployStep['findings']>[number][] = [];
    const release = await client.steps(`/apps/${encodeURIComponent(id)}/deploys`, order, (step) => {
      shown?.show(step);
      findings.push(...(step.findings ?? []));
    });
    if (options.json === true)
      printJson({
        app: id,
        release,
        uploaded: { files: sent.files, bytes: sent.totalBytes },
        notes: packed.notes,
        findings,
      });
    else print(resultLine(id, release, canary !== null));
    return EXIT.ok;
  } finally {
    list?.end();
    interrupted();
  }
}

async function packed_(
  directory: string,
  options: DeployOptions,
  client: ControlClient,
  progress: Progress,
  signal: AbortSignal,
): Promise<PackedApp> {
  const o = { directory, environment: options.environment, version: packageVersion() };
  const read = await progress.step('config', async () => {
    const value = await readApp(o);
    const { name, components, groups } = value.app;
    return { value, text: `${name}, ${sizeWords(components.size, groups.size)}` };
  });
  // What the server would refuse in the end is known before anything is built.
  const [facts] = await Promise.all([
    client.get<ServerFacts>('/server'),
    client.get(`/apps/${encodeURIComponent(appId(read.app.name, options.environment))}/deploys`),
  ]);
  if (options.typecheck) await checkTypes(read.directory, progress, signal);
  return progress.step('build', async () => {
    const value = await packApp(read, o, { os: facts.os, arch: facts.arch, libc: facts.libc });
    for (const note of value.notes) progress.note(note);
    const bytes = [...value.sources.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      value,
      text: `${value.manifest.files.length.toLocaleString('en-GB')} files, ${formatBytes(bytes)}`,
    };
  });
}

function checkTypes(directory: string, progress: Progress, signal: AbortSignal): Promise<null> {
  return progress.step('types', async () => {
    const result = await typeCheck(directory, signal);
    if (result.kind === 'wrong') {
      throw new FulcrumError(
        'types-wrong',
        `TypeScript ${result.version} found errors in ${relative(process.cwd(), directory) || 'this folder'}:\n\n${result.output}\n\nMend them, or deploy with --no-typecheck.`,
      );
    }
    return result.kind === 'right'
      ? { value: null, text: `TypeScript ${result.version} found nothing wrong` }
      : { value: null, text: `not checked: ${result.why}`, skipped: true };
  });
}

function routingOf({ host, prefix }: DeployOptions): { hosts: readonly string[]; prefix: string } | null {
  return host === undefined && prefix === undefined ? null : { hosts: host ?? [], prefix: prefix ?? '' };
}

function uploadText(
  { files, sentBytes, totalBytes, retries }: UploadProgress,
  { sources }: PackedApp,
): string {
  if (files === 0) return 'nothing: the server has every file';
  const bytes =
    sentBytes < totalBytes
      ? `${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}`
      : formatBytes(totalBytes);
  const again = retries === 0 ? '' : `, begun again ${retries === 1 ? 'once' : `${retries} times`}`;
  return `${files.toLocaleString('en-GB')} of ${sources.size.toLocaleString('en-GB')} files, ${bytes}${again}`;
}

function resultLine(id: string, release: ReleaseSummary, isCanary: boolean): string {
  const what = `${paint('bold', id)}: release ${release.number}`;
  return isCanary
    ? `${what} is a canary. \`fulcrum canary promote\` and \`abort\` end it at once.`
    : `${what} serves.`;
}

/** Ctrl-C: says what state things are in, and ends. @returns takes it away again. */
function interruption(progress: Progress, stopped: AbortController): () => void {
  let isTold = false;
  const onSignal = (): void => {
    if (isTold) return;
    isTold = true;
    stopped.abort();
    const said =
      progress.current === 'deploy'
        ? 'Interrupted. The server goes on with the deploy; `fulcrum releases` shows how it ends.'
        : progress.current === 'upload'
          ? 'Interrupted. Nothing that serves has changed; what has been uploaded is kept for the next deploy.'
          : 'Interrupted. Nothing has been sent.';
    process.stderr.write(`\n${said}\n`);
    process.exit(EXIT.interrupted);
  };
  // Not `once`: a Ctrl-C may come twice, from the terminal and passed on, and without a listener the second one ends us before a word is said.
  process.on('SIGINT', onSignal);
  return () => void process.off('SIGINT', onSignal);
}
