import type { Mode } from '../model/app.ts';
import { backgroundToFunction } from './background-to-function.ts';
import { BundleText, type BundleModule, type BundlePlaces } from './bundle-text.ts';
import { Dependence } from './dependence.ts';
import { inOrder, MAX_LINE_CHARS, notChecked, RULES, type Finding } from './finding.ts';
import { Phases } from './phases.ts';
import { processToService } from './process-to-service.ts';
import type { Raw } from './raw.ts';
import { stateGroups } from './state.ts';
import { stateToFunction } from './state-to-function.ts';
import { stateToService } from './state-to-service.ts';
import { standingToFunction } from './standing-to-function.ts';
import { bare, type Node } from './syntax.ts';
import { Values } from './values.ts';

export interface SwitchQuestion {
  /** The bundle's modules: the entry and the chunks of its dynamic imports. */
  readonly modules: readonly BundleModule[];
  /** The name of the one that is imported. */
  readonly entry: string;
  readonly places: BundlePlaces;
  readonly to: Mode;
  /** Requests at a time of one instance in the mode to come. */
  readonly concurrency: number;
  /** Whether the component has `storage`. */
  readonly hasStorage: boolean;
}

/** More tell nobody anything new. */
const MAX_FINDINGS = 50;

/**
 * What would break if a component ran in another mode, from its bundle and source maps: where request code writes to what
 * outlives requests (to a service), and what needs a process that stays (to a function). Pure, and the same for the same input;
 * at most {@link MAX_FINDINGS}, in a fixed order. Code that cannot be read gives one note, and never an error.
 * @param lineOf the author's line, by absolute path and number; null where it is not at hand. The bundle's own is shown then.
 */
export function checkSwitch(
  question: SwitchQuestion,
  lineOf: (path: string, line: number) => string | null = () => null,
): Finding[] {
  const mapped = question.modules.filter(
    (module): module is BundleModule & { map: string } => module.map !== null,
  );
  const entry = mapped.find((module) => module.name === question.entry);
  if (entry === undefined)
    return [notChecked('The bundle has no source map, so its code could not be checked.')];
  try {
    return findingsOf(mapped, question, lineOf);
  } catch (error) {
    // A text that is no program, a map that is no JSON; code that a machine nested deeper than the stack reaches.
    if (error instanceof SyntaxError)
      return [notChecked('The code could not be checked: it, or its source map, could not be parsed.')];
    if (error instanceof RangeError)
      return [notChecked('The code could not be checked: it is nested too deeply.')];
    throw error;
  }
}

function findingsOf(
  modules: readonly (BundleModule & { map: string })[],
  question: SwitchQuestion,
  lineOf: (path: string, line: number) => string | null,
): Finding[] {
  const ordered = [...modules].sort((a, b) => (a.name < b.name ? -1 : 1));
  const texts = ordered.map((module) => new BundleText(module, question.places));
  const values = new Values(texts);
  const phases = new Phases(values, question.entry);
  const raw = question.to === 'service' ? toService(phases, question) : toFunction(phases, question);
  const found = new Map<string, Finding>();
  for (const one of raw) {
    const text = values.textOf(one.node);
    const offset = startOf(one.node);
    const place = text.placeOf(offset);
    if (place === null) continue;
    const line = lineOf(place.path, place.line) ?? text.textOfLine(offset);
    const finding: Finding = {
      rule: one.rule,
      severity: one.severity,
      file: place.file,
      line: place.line,
      column: place.column,
      lineText: line.trim().slice(0, MAX_LINE_CHARS),
      message: one.message,
      advice: RULES[one.rule].advice,
    };
    // Of one rule in one line the more serious.
    const key = `${place.file}:${place.line} ${one.rule}`;
    const known = found.get(key);
    if (known === undefined || inOrder(finding, known) < 0) found.set(key, finding);
  }
  const findings = [...found.values()].sort(inOrder);
  if (findings.length <= MAX_FINDINGS) return findings;
  const more = findings.length - MAX_FINDINGS + 1;
  return [...findings.slice(0, MAX_FINDINGS - 1), notChecked(`${more} more findings are not shown.`)];
}

/** Where a reader would point: at the method of a call, as what it is called on may have begun lines before. */
function startOf(node: Node): number {
  const callee = node.type === 'CallExpression' ? bare(node['callee']) : null;
  return callee?.type === 'MemberExpression' && callee['object'].type !== 'Identifier'
    ? callee['property'].start
    : node.start;
}

function toService(phases: Phases, { concurrency }: SwitchQuestion): Raw[] {
  if (concurrency <= 1) return [];
  const dependence = new Dependence(phases);
  return [
    ...stateToService(stateGroups(phases, dependence), phases, dependence),
    ...processToService(phases),
  ];
}

function toFunction(phases: Phases, { hasStorage }: SwitchQuestion): Raw[] {
  const dependence = new Dependence(phases);
  return [
    ...stateToFunction(stateGroups(phases, dependence), phases, dependence),
    ...standingToFunction(phases, { hasStorage }),
    ...backgroundToFunction(phases),
  ];
}
