import { dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Checker } from '../checks/checker.ts';
import { inOrder, notChecked, type Finding } from '../checks/finding.ts';
import type { ModeCheck } from '../model/mode-check.ts';
import type { Mode } from '../model/app.ts';
import type { LogSink } from '../model/log.ts';
import type { Revision } from '../model/revision.ts';
import { sdkPath } from './places.ts';

/** Revisions that have been told of already; the oldest are forgotten first. */
const MAX_TOLD = 1_000;
/** Lines of the log for one revision and direction; the rest is counted. */
const MAX_LINES = 10;
/** Of all members of a group together. */
const MAX_OF_GROUP = 100;

type Found = Finding & { readonly member: string | null };

export interface SwitchChecksOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What would break if a component or a group ran in its other mode: asked before a switch, and told at a deploy where the mode is `auto`. */
export class SwitchChecks {
  readonly #checker: Checker;
  readonly #clock: Clock;
  readonly #told = new Set<string>();

  constructor({ clock, logger }: SwitchChecksOptions) {
    this.#clock = clock;
    const sdk = dirname(sdkPath());
    this.#checker = new Checker({ libraries: [sdk, join(dirname(sdk), 'outbox')], logger });
  }

  /** Never rejects: what cannot be checked is a note. */
  async check(revision: Revision, from: Mode, to: Mode): Promise<ModeCheck> {
    const findings = from === to ? [] : await this.#find(revision, to);
    return { component: revision.spec.name, from, to, findings };
  }

  /**
   * What would break of revisions of mode `auto` if they were switched, as they may be at any time: warnings only. Written to the log as
   * well, once for each revision. Never rejects.
   * @param log the app's.
   */
  async tell(revisions: Iterable<Revision>, log: LogSink): Promise<readonly ModeCheck[]> {
    const checks: ModeCheck[] = [];
    for (const revision of revisions) {
      if (revision.spec.modeSetting !== 'auto') continue;
      const isKnown = this.#told.has(revision.id);
      this.#told.add(revision.id);
      if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.keys().next().value!);
      for (const to of ['service', 'function'] as const) {
        const findings = (await this.#find(revision, to)).filter(isWarning);
        if (!isKnown) this.#write(revision, to, findings, log);
        const from = to === 'service' ? 'function' : 'service';
        checks.push({ component: revision.spec.name, from, to, findings });
      }
    }
    return checks;
  }

  close(): Promise<void> {
    return this.#checker.close();
  }

  /** Of a group: what would break in any of its members. */
  async #find(revision: Revision, to: Mode): Promise<readonly Found[]> {
    if (revision.kind !== 'group')
      return (await this.#checker.check(revision, to)).map((finding) => ({ ...finding, member: null }));
    const all = await Promise.all(
      revision.members.map(async (member) =>
        (await this.#checker.check(member, to)).map((finding) => ({ ...finding, member: member.spec.name })),
      ),
    );
    const findings = all.flat().sort(inOrder);
    const left = findings.length - MAX_OF_GROUP;
    if (left <= 0) return findings;
    const more = { ...notChecked(`${left + 1} more findings are not shown.`), member: null };
    return [...findings.slice(0, MAX_OF_GROUP - 1), more];
  }

  #write(revision: Revision, to: Mode, warnings: readonly Found[], log: LogSink): void {
    const left = warnings.length - MAX_LINES;
    const lines = warnings.slice(0, MAX_LINES).map((finding) => ({
      component: finding.member ?? revision.spec.name,
      text: `As a ${to} (its mode is auto) this would break: ${placeOf(finding)}: ${finding.message} ${finding.advice}`,
      fields: { rule: finding.rule, file: finding.file, line: finding.line, source: finding.lineText },
    }));
    if (left > 0)
      lines.push({
        component: revision.spec.name,
        text: `As a ${to} this would break in ${left} more places.`,
        fields: {} as never,
      });
    for (const { component, text, fields } of lines) {
      log.write({
        atMs: this.#clock.nowMs(),
        component,
        stream: 'platform',
        level: 'warn',
        text,
        instance: null,
        revision: revision.id,
        requestId: null,
        fields,
      });
    }
  }
}

/** Throws `switch-unsafe`, with the findings as details, where one of them is a warning. */
export function refuseUnsafe({ component, to, findings }: ModeCheck): void {
  const warnings = findings.filter(isWarning);
  const [first] = warnings;
  if (first === undefined) return;
  const places = warnings.length === 1 ? 'in one place' : `in ${warnings.length} places, the first`;
  throw new FulcrumError(
    'switch-unsafe',
    `As a ${to}, '${component}' would break ${places} at ${placeOf(first)}: ${first.message} Nothing was switched; with \`force\` (\`--force\`) it is all the same.`,
    { details: { component, to, findings } },
  );
}

function isWarning({ severity }: { severity: string }): boolean {
  return severity === 'warning';
}

function placeOf({ file, line, member }: Pick<Found, 'file' | 'line' | 'member'>): string {
  const place = file === null ? 'an unknown place' : `${file}:${line}`;
  return member === null ? place : `${place} (${member})`;
}
