import type { UsageLine } from '../model/usage-export.ts';
import type { ProgressBar } from './progress-bar.ts';

/** One after the other; how long each takes nobody knows before. */
const PHASES: readonly UsageLine['kind'][] = ['minute', 'instances', 'arrivals'];

/** The lines as they come, with a bar that shows how far they are. */
export async function* withReadingBar(
  lines: AsyncIterable<UsageLine>,
  bar: Pick<ProgressBar, 'set'>,
): AsyncGenerator<UsageLine> {
  const share = new UsageShare();
  for await (const line of lines) {
    bar.set('Reading', share.after(line));
    yield line;
  }
}

/** How much of an app's usage has come: of each kind of line components come one after the other, and each in the order of time. Never goes back. */
class UsageShare {
  #fromMs = 0;
  #spanMs = 1;
  #expected = 1;
  #share = 0;
  #kind: UsageLine['kind'] = 'usage';
  #of = '';
  #begun = 0;

  after(line: UsageLine): number {
    if (line.kind === 'usage') {
      this.#fromMs = line.fromMs;
      this.#spanMs = Math.max(1, line.toMs - line.fromMs);
      this.#expected = line.facts.reduce((sum, { members }) => sum + members.length, 0);
    }
    if (line.kind === 'minute') this.#see(line.kind, line.component, line.minuteMs);
    if (line.kind === 'instances') this.#see(line.kind, line.unit, line.minuteMs);
    if (line.kind === 'arrivals') this.#see(line.kind, line.component, line.lastMs);
    if (line.kind === 'end') this.#share = 1;
    return this.#share;
  }

  #see(kind: UsageLine['kind'], of: string, atMs: number): void {
    if (kind !== this.#kind) [this.#kind, this.#of, this.#begun] = [kind, '', 0];
    if (of !== this.#of) [this.#of, this.#begun] = [of, this.#begun + 1];
    const ofIt = Math.min(1, Math.max(0, (atMs - this.#fromMs) / this.#spanMs));
    // Some are not in what serves any more.
    const ofKind = (this.#begun - 1 + ofIt) / Math.max(this.#expected, this.#begun);
    this.#share = Math.max(this.#share, (PHASES.indexOf(kind) + ofKind) / PHASES.length);
  }
}
