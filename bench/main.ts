import { parseArgs } from 'node:util';
import { messageOf } from '../src/base/errors.ts';
import { nearest } from '../src/base/suggest.ts';
import { advisor } from './advisor.ts';
import type { Benchmark, Row } from './benchmark.ts';
import { calls } from './calls.ts';
import { cold } from './cold.ts';
import { events } from './events.ts';
import { gateway } from './gateway.ts';
import { table } from './report.ts';
import { scaling } from './scaling.ts';
import { simulator } from './simulator.ts';
import { usage } from './usage.ts';

const BENCHMARKS: readonly Benchmark[] = [gateway, cold, usage, scaling, events, calls, simulator, advisor];
const USAGE = 'npm run bench -- NAME… [--quick] [--slow] [--json]';

process.exitCode = await main();

/** @returns 0 where everything named has run, whatever it found; 1 where something did not run to its end; 2 for a wrong command line. */
async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) return 2;
  const { names, quick, slow, json } = given;
  if (names.length === 0) {
    console.log(`${USAGE}\n\n${list()}`);
    return 0;
  }
  const rows: Row[] = [];
  let status = 0;
  const chosen = BENCHMARKS.filter(({ name }) => names.includes('all') || names.includes(name));
  for (const benchmark of chosen) {
    try {
      const note = (text: string): void => console.error(`${benchmark.name}: ${text}`);
      rows.push(...(await benchmark.run({ quick, slow, note })));
    } catch (error) {
      console.error(`${benchmark.name} did not run to its end: ${messageOf(error)}`);
      status = 1;
    }
  }
  console.log(json ? JSON.stringify({ rows }, null, 2) : table(rows));
  return status;
}

function readArguments(): { names: string[]; quick: boolean; slow: boolean; json: boolean } | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        slow: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const known = ['all', ...BENCHMARKS.map(({ name }) => name)];
    for (const name of positionals) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      console.error(
        `There is no benchmark "${name}".${near === null ? '' : ` Did you mean "${near}"?`}\n\n${list()}`,
      );
      return null;
    }
    return { names: positionals, quick: values.quick, slow: values.slow, json: values.json };
  } catch (error) {
    console.error(`${messageOf(error)}\n${USAGE}`);
    return null;
  }
}

function list(): string {
  return [...BENCHMARKS, { name: 'all', about: 'every one of them' }]
    .map(({ name, about }) => `  ${name.padEnd(10)} ${about.replaceAll('\n', `\n${' '.repeat(13)}`)}`)
    .join('\n');
}
