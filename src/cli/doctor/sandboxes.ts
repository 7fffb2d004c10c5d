import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeMachine } from '../../runtime/sandbox/probe.ts';
import { reportSandbox, type SandboxReport } from '../../runtime/sandbox/report.ts';
import { tryNamespaces } from '../../runtime/sandbox/trial.ts';
import { ok, warning, type Finding } from './finding.ts';

/** As the server will find the machine. */
export async function readSandboxes(): Promise<SandboxReport[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-doctor-'));
  try {
    return reportSandbox(await tryNamespaces(await probeMachine(), folder));
  } finally {
    await rmdir(folder).catch(() => undefined);
  }
}

const NAMES: Readonly<Record<SandboxReport['kind'], string>> = {
  function: 'sandbox, functions',
  program: 'sandbox, programs',
};

export function judgeSandboxes(reports: readonly SandboxReport[]): Finding[] {
  return reports.map((report) => {
    const name = NAMES[report.kind];
    const missing = missingOf(report);
    if (missing.length === 0) return ok(name, report.found);
    const advice = report.complete
      ? "Components start all the same, those with isolation: 'required' too."
      : "Components start without what is missing; those with isolation: 'required' do not.";
    return warning(name, `${report.found}. Missing: ${missing.join('. ')}.`, advice);
  });
}

/** Layers that are missing for one reason, together. */
function missingOf({ layers }: SandboxReport): string[] {
  const missing = layers.flatMap((layer) => (layer.state === 'missing' ? [layer] : []));
  return [...Map.groupBy(missing, ({ reason }) => reason)].map(
    ([reason, those]) => `${those.map(({ name }) => name).join(', ')} (${reason})`,
  );
}
