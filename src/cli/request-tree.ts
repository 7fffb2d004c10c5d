/**
 * What belongs to one request, as a tree: what came from outside is a root, below it the calls that were made for it, each under whoever
 * made it, and what components printed where it is known to belong.
 *
 * It is made of a log: parts may have been pushed out of it, clocks are those of several processes, and what a component's process says
 * of the calls within it may be a lie. So there may be no root, or several; each entry is in the tree once, whatever they say.
 */
import { NO_SPAN } from '../base/trace-context.ts';
import type { LogEntry } from '../model/log.ts';

interface Node {
  readonly component: string;
  /** Epoch milliseconds; of what is not in the log, those of the first that it began. */
  readonly atMs: number;
  /** In order of their start. */
  readonly children: TreeNode[];
}

/** A request from outside. */
interface RequestNode extends Node {
  readonly kind: 'request';
  readonly entry: LogEntry;
  readonly durationMs: number;
}

/** A call from one component to another. */
interface CallNode extends Node {
  readonly kind: 'call';
  readonly entry: LogEntry;
  readonly durationMs: number;
}

/** What has made calls and is not in the log: a tick, an event, an invocation by hand, or a line that was pushed out. */
interface UnseenNode extends Node {
  readonly kind: 'unseen';
}

/** What a component or the platform wrote. */
interface LineNode extends Node {
  readonly kind: 'line';
  readonly entry: LogEntry;
}

export type TreeNode = RequestNode | CallNode | UnseenNode | LineNode;
type SpanNode = RequestNode | CallNode;

/** Moments are whole milliseconds, cut off or rounded. */
const TOLERANCE_MS = 1;
/** Of a chain, and of invocations of one component at one time, so many are looked at: a line of more finds no place. */
const MAX_LOOKED_AT = 64;

/** @param entries of one request, as the log has them: each was written when it was over. */
export function requestTree(entries: readonly LogEntry[]): TreeNode[] {
  const nodes = entries.map(nodeOf);
  const spans = nodes.filter((node) => node.kind === 'request' || node.kind === 'call');
  const parents = new Map<TreeNode, TreeNode>(parentsOf(spans));
  cutCycles(spans, parents);
  const unseen = unseenParents(spans, parents);
  const lines = nodes.filter((node) => node.kind === 'line');
  const order = new Map(nodes.map((node, i) => [node as TreeNode, i]));
  const all: TreeNode[] = [...unseen, ...nodes];
  const ofComponent = Map.groupBy(spans, ({ component }) => component);
  const tops = [...unseen, ...spans].filter((node) => !parents.has(node));
  for (const line of lines) {
    const place =
      placeOf(line, ofComponent.get(line.component) ?? [], unseen, parents, order) ?? onlyOne(tops);
    if (place !== null) parents.set(line, place);
  }
  for (const node of all) parents.get(node)?.children.push(node);
  // What the log has first of one millisecond came first.
  const byStart = (a: TreeNode, b: TreeNode): number =>
    a.atMs - b.atMs || (order.get(a) ?? -1) - (order.get(b) ?? -1);
  for (const { children } of all) children.sort(byStart);
  return all.filter((node) => !parents.has(node)).sort(byStart);
}

function nodeOf(entry: LogEntry): RequestNode | CallNode | LineNode {
  const { component, atMs, fields, stream } = entry;
  const node = { component, atMs, children: [] };
  const durationMs = fields?.['durationMs'];
  if (stream !== 'platform' || fields === null || typeof durationMs !== 'number')
    return { ...node, kind: 'line', entry };
  if (typeof fields['method'] === 'string' && typeof fields['path'] === 'string')
    return { ...node, kind: 'request', entry, durationMs };
  if (typeof fields['from'] === 'string' && typeof fields['span'] === 'string')
    return { ...node, kind: 'call', entry, durationMs };
  return { ...node, kind: 'line', entry };
}

function spanOf({ entry }: SpanNode, which: 'span' | 'parentSpan' = 'span'): string | null {
  const span = entry.fields?.[which];
  return typeof span === 'string' && span !== NO_SPAN ? span : null;
}

/** Each call below what has the span that it names as its parent's. */
function parentsOf(spans: readonly SpanNode[]): Map<SpanNode, SpanNode> {
  const bySpan = Map.groupBy(spans, (node) => spanOf(node));
  const parents = new Map<SpanNode, SpanNode>();
  for (const node of spans) {
    const parentSpan = node.kind === 'call' ? spanOf(node, 'parentSpan') : null;
    if (parentSpan === null) continue;
    const named = (bySpan.get(parentSpan) ?? []).filter((other) => other !== node);
    // A client may send two requests with one span: each call is of the one that was under way.
    const parent = named.find((other) => covers(other, node.atMs)) ?? named[0];
    if (parent !== undefined) parents.set(node, parent);
  }
  return parents;
}

/** Of those that are each other's parents, one is nobody's. */
function cutCycles(spans: readonly SpanNode[], parents: Map<TreeNode, TreeNode>): void {
  const sound = new Set<TreeNode>();
  for (const start of spans) {
    const way = new Set<TreeNode>();
    let node: TreeNode | undefined = start;
    while (node !== undefined && !sound.has(node) && !way.has(node)) {
      way.add(node);
      node = parents.get(node);
    }
    if (node !== undefined && way.has(node)) parents.delete(node);
    for (const seen of way) sound.add(seen);
  }
}

/** One for all calls that name the same parent which is not in the log. */
function unseenParents(spans: readonly SpanNode[], parents: Map<TreeNode, TreeNode>): UnseenNode[] {
  const known = new Set(spans.map((node) => spanOf(node)));
  const orphans = spans.filter((node) => {
    const parentSpan = spanOf(node, 'parentSpan');
    return node.kind === 'call' && !parents.has(node) && parentSpan !== null && !known.has(parentSpan);
  });
  const groups = Map.groupBy(orphans, (node) => `${spanOf(node, 'parentSpan')} ${callerOf(node)}`);
  return [...groups.values()].map((calls) => {
    const atMs = calls.reduce((first, call) => Math.min(first, call.atMs), Infinity);
    const node: UnseenNode = { kind: 'unseen', component: callerOf(calls[0]!), atMs, children: [] };
    for (const call of calls) parents.set(call, node);
    return node;
  });
}

function callerOf({ entry }: SpanNode): string {
  return String(entry.fields?.['from']);
}

/**
 * Below what a line belongs for certain. Which of several invocations of its component has written it the log does not say: that may
 * follow from when they ran; else it is somewhere below what they have all come from.
 *
 * A line has the time at which the server got it, which may be later than the end of what wrote it; but it is in the log before that end.
 */
function placeOf(
  line: LineNode,
  invocations: readonly SpanNode[],
  unseen: readonly UnseenNode[],
  parents: ReadonlyMap<TreeNode, TreeNode>,
  order: ReadonlyMap<TreeNode, number>,
): TreeNode | null {
  const begun = invocations.filter(({ atMs }) => atMs <= line.atMs + TOLERANCE_MS);
  const running = begun.filter((node) => order.get(node)! > order.get(line)!);
  // Of what its caller has given up, the end is in the log before it is over.
  const likely = running.length > 0 ? running : begun.filter((node) => covers(node, line.atMs));
  if (likely.length === 0) return onlyOne(unseen.filter(({ component }) => component === line.component));
  if (likely.length > MAX_LOOKED_AT) return null;
  return running.length > 0 && isSequence(running) ? running[0]! : commonAncestor(likely, parents);
}

/**
 * Whether each can only have begun when the one before it was over; in the order of the log, which is that of their ends. What stays in a
 * process is told of later, several at a time.
 */
function isSequence(nodes: readonly SpanNode[]): boolean {
  return nodes.every((node, i) => {
    const before = nodes[i - 1];
    if (before === undefined) return true;
    const isTold =
      node.entry.fields?.['way'] !== 'in-process' && before.entry.fields?.['way'] !== 'in-process';
    return isTold && before.atMs + before.durationMs + TOLERANCE_MS <= node.atMs;
  });
}

/** The nearest that all of them are, or are below; null where there is none. */
function commonAncestor(
  nodes: readonly TreeNode[],
  parents: ReadonlyMap<TreeNode, TreeNode>,
): TreeNode | null {
  let common: readonly TreeNode[] = pathTo(nodes[0]!, parents);
  for (const node of nodes.slice(1)) {
    const path = new Set(pathTo(node, parents));
    common = common.filter((each) => path.has(each));
  }
  return common[0] ?? null;
}

/** The node itself first, its root last. */
function pathTo(node: TreeNode, parents: ReadonlyMap<TreeNode, TreeNode>): TreeNode[] {
  const path: TreeNode[] = [];
  for (let at: TreeNode | undefined = node; at !== undefined; at = parents.get(at)) {
    path.push(at);
    if (path.length === MAX_LOOKED_AT) break;
  }
  return path;
}

function covers(node: SpanNode, atMs: number): boolean {
  return atMs >= node.atMs - TOLERANCE_MS && atMs <= node.atMs + node.durationMs + TOLERANCE_MS;
}

function onlyOne<T>(nodes: readonly T[]): T | null {
  return nodes.length === 1 ? nodes[0]! : null;
}
