import { FulcrumError } from '../../base/errors.ts';
import type { ClientRate, Limits } from '../../model/app.ts';
import { limitsText } from '../../model/limits-text.ts';
import type { LimitsStatus } from '../../model/status.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint, terminalWidth, wrap } from '../terminal.ts';

type Wanted = number | 'none';

export interface LimitsOptions extends Target {
  readonly json?: boolean;
  readonly rps?: Wanted;
  readonly burst?: Wanted;
  readonly perClient?: Wanted;
  readonly perClientBurst?: Wanted;
  readonly concurrency?: Wanted;
  readonly off?: boolean;
  readonly on?: boolean;
  readonly reset?: boolean;
}

/** What the admin API is asked for: a burst that is left out is a second's worth. */
interface LimitsOrder {
  readonly rps: number | null;
  readonly burst: number | null;
  readonly perClient: { readonly rps: number; readonly burst: number | null } | null;
  readonly concurrency: number | null;
}

/** Without options: shows them. Options change what they name, and leave the other limits as they are. */
export async function limits(component: string, options: LimitsOptions): Promise<ExitCode> {
  refuseContradictions(options);
  const { client, at } = await connectToApp(options);
  const path = at(`/components/${encodeURIComponent(component)}/limits`);
  const before = options.reset ? null : await client.get<LimitsStatus>(path);
  const order = before === null ? null : orderOf(before, options);
  const status =
    before === null
      ? await client.delete<LimitsStatus>(path)
      : order === null
        ? before
        : await client.put<LimitsStatus>(path, order);
  if (options.json) printJson({ component, ...status });
  else for (const line of limitsLines(component, status, terminalWidth())) print(line);
  return EXIT.ok;
}

function refuseContradictions(options: LimitsOptions): void {
  const { off, on, reset, concurrency } = options;
  const given = [
    ['--off', off],
    ['--on', on],
    ['--reset', reset],
    ['--concurrency', concurrency !== undefined],
  ] as const;
  const [first, second] = given.filter(([, isGiven]) => isGiven === true);
  if (second !== undefined) throw wrong(`${first![0]} and ${second[0]} contradict each other`);
  const others = [options.rps, options.burst, options.perClient, options.perClientBurst];
  if (reset && others.some((each) => each !== undefined))
    throw wrong('--reset takes all of them back, and stands alone');
  if (options.burst === 'none' || options.perClientBurst === 'none')
    throw wrong('a burst is a number: without a rate there is none');
}

/** What is to hold from now on; null: nothing is to change. */
function orderOf({ configured, chosen }: LimitsStatus, options: LimitsOptions): LimitsOrder | null {
  const present = chosen ?? configured;
  const { rps, burst, perClient, perClientBurst, concurrency, off, on } = options;
  if ([rps, burst, perClient, perClientBurst, concurrency, off, on].every((each) => each === undefined))
    return null;
  const own = rateOf(present.rps === null ? null : { rps: present.rps, burst: present.burst! }, {
    rps,
    burst,
    names: ['--burst', '--rps'],
  });
  return {
    rps: own?.rps ?? null,
    burst: own?.burst ?? null,
    perClient: rateOf(present.perClient, {
      rps: perClient,
      burst: perClientBurst,
      names: ['--per-client-burst', '--per-client'],
    }),
    concurrency: concurrencyOf(configured, present, options),
  };
}

function rateOf(
  present: ClientRate | null,
  { rps, burst, names }: { rps: Wanted | undefined; burst: Wanted | undefined; names: [string, string] },
): { rps: number; burst: number | null } | null {
  if (rps === undefined && burst === undefined) return present;
  const wanted = rps ?? present?.rps ?? 'none';
  if (wanted !== 'none') return { rps: wanted, burst: typeof burst === 'number' ? burst : null };
  if (burst !== undefined) throw wrong(`${names[0]} needs a rate: give ${names[1]} beside it`);
  return null;
}

/** Switched on it has what the config gives it, and where that is nothing, no bound. */
function concurrencyOf(
  configured: Limits,
  present: Limits,
  { off, on, concurrency }: LimitsOptions,
): number | null {
  if (off) return 0;
  if (on) return present.concurrency || configured.concurrency || null;
  if (concurrency === undefined) return present.concurrency;
  return concurrency === 'none' ? null : concurrency;
}

/** No line wider than `width`; what belongs to the component is set in. */
function limitsLines(
  component: string,
  { configured, chosen, refused }: LimitsStatus,
  width: number,
): string[] {
  const [first = '', ...others] = wrap(`${component}: ${limitsText(chosen ?? configured)}`, width);
  const below = [
    ...(chosen === null ? [] : [`set by hand; the config says: ${limitsText(configured)}`]),
    ...(refused === 0 ? [] : [`${refused.toLocaleString('en-GB')} refused in the last minute`]),
  ];
  return [
    first.replace(component, () => paint('bold', component)),
    ...others,
    ...below.flatMap((text) => wrap(text, width - 2)).map((line) => `  ${line}`),
  ];
}

function wrong(what: string): FulcrumError {
  return new FulcrumError('usage', `fulcrum limits: ${what}.`);
}
