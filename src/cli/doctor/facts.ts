import { forkEngineMissing } from '../../runtime/fork/support.ts';
import { budgetSize, NOTHING_ASKED, thisMachine } from '../../server/budget-size.ts';
import type { MachineFacts } from './machine.ts';

interface Report {
  readonly header: { readonly glibcVersionRuntime?: string };
  readonly userLimits?: { readonly open_files?: { readonly soft: number | string } };
}

export async function readFacts(): Promise<MachineFacts> {
  // Node looks up the names of all open connections otherwise, which may take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as unknown as Report;
  const soft = report.userLimits?.open_files?.soft;
  const machine = thisMachine();
  return {
    nodeVersion: process.version,
    execPath: process.execPath,
    platform: process.platform,
    arch: process.arch,
    glibcVersion: report.header.glibcVersionRuntime ?? null,
    ...machine,
    budget: budgetSize(NOTHING_ASKED, 'serve', machine),
    openFiles: typeof soft === 'number' ? soft : null,
    forkMissing: await forkEngineMissing(),
  };
}
