import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import type { Traffic } from '../../model/simulation.ts';
import { importTrace, type ImportOptions, type ImportedTrace } from './import-trace.ts';
import { importOptions, TraceFolder } from './testing/trace-folder.ts';

const folder = new TraceFolder();
after(() => folder.end());

const REAL = process.env['FULCRUM_TRACES'];
const real = { skip: REAL === undefined ? 'FULCRUM_TRACES names no folder with real traces' : false };

function trafficOf(trace: ImportedTrace, i = 0): Traffic {
  return trace.functions[i]!.traffic({ span: trace.span, seed: 1, cpuShare: 1 });
}

async function told(
  name: string,
  lines: readonly string[],
  o: Partial<ImportOptions> = {},
): Promise<ImportedTrace> {
  return importTrace([folder.write(name, lines)], importOptions(o));
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FulcrumError, String(error));
  assert.equal(error.code, 'trace-invalid');
  return error.message.replaceAll(`${folder.path}/`, '');
}

function badOf(trace: ImportedTrace): string[] {
  return trace.bad.map(({ line, found, expected }) => `${line}: ${found} | ${expected}`);
}

function isInOrder(times: Float64Array): boolean {
  return times.every((time, i) => i === 0 || time >= times[i - 1]!);
}

const START_MS = Date.UTC(2026, 0, 31, 12);

describe('access logs', () => {
  const row = (second: number, rest = '', path = '/'): string =>
    `10.0.0.1 - - [31/Jan/2026:12:00:${String(second).padStart(2, '0')} +0000] "GET ${path} HTTP/1.1" 200 512 "-" "curl/8 [x] \\"y\\""${rest}`;

  test('of nginx: a row is written at the end of its request', async () => {
    const trace = await told('nginx.log', [
      row(10, ' 2.500'),
      row(11, ' "0.250"'),
      row(12, ' rt=0.100 urt=0.050'),
    ]);
    assert.equal(trace.format, 'access-log');
    assert.equal(trace.badRows, 0);
    const { component, arrivedAtMs, durationMs } = trafficOf(trace);
    assert.equal(component, 'nginx');
    assert.deepEqual([...durationMs], [2_500, 250, Math.fround(100)]);
    const seconds = [10 - 2.5, 11 - 0.25, 12 - 0.1];
    for (const [i, second] of seconds.entries()) {
      const late = arrivedAtMs[i]! - START_MS - second * 1_000;
      assert.ok(late >= 0 && late < 1_000, `${i} is ${late} ms late`);
    }
    assert.deepEqual(trace.span, { fromMs: START_MS, toMs: START_MS + 60_000 });
  });

  test('of Apache: a row tells the beginning, and %D is in µs', async () => {
    const { arrivedAtMs, durationMs } = trafficOf(await told('apache.log', [row(10, ' 2500')]));
    assert.equal(durationMs[0], 2.5);
    assert.ok(arrivedAtMs[0]! >= START_MS + 10_000 && arrivedAtMs[0]! < START_MS + 11_000);
  });

  test('without a time, durations are assumed, and that is said', async () => {
    const trace = await told('plain.log', [row(1), row(1), row(2)]);
    assert.deepEqual(trace.notes, [
      'Durations are not in the trace: log-normal with p50 100ms, p99 1s is assumed.',
    ]);
    const { durationMs, arrivedAtMs } = trafficOf(trace);
    assert.ok(durationMs.every((ms) => ms > 0));
    assert.equal(new Set(arrivedAtMs).size, 3, 'not all at the beginning of their second');
  });

  test('with a time here and there, the others are drawn from what fits those', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      row(Math.floor(i / 40), i % 2 === 0 ? ' 0.040' : ''),
    );
    const trace = await told('half.log', rows);
    assert.match(trace.notes[0]!, /^1,000 invocations have no duration: drawn/);
    assert.ok(trafficOf(trace).durationMs.every((ms) => Math.abs(ms - 40) < 0.01));
  });

  test('make a component of each path where that is asked for', async () => {
    const rows = [
      row(1, '', '/api/catalog/A?x=1'),
      row(2, '', '/api/catalog/B'),
      row(3, '', '/'),
      row(4, '', 'http://h/api/checkout#z'),
    ];
    const trace = await told('paths.log', rows, { pathSegments: 2 });
    assert.deepEqual(
      trace.functions.map(({ name, arrivals }) => [name, arrivals]),
      [
        ['/api/catalog', 2],
        ['/', 1],
        ['/api/checkout', 1],
      ],
    );
  });

  test('with bad rows: they are counted and shown with their lines', async () => {
    const rows = [
      row(1),
      'nonsense',
      row(2).replace('Jan', 'Foo'),
      row(2).replace('31/Jan', '31/Feb'),
      row(3),
    ];
    const trace = await told('broken.log', rows);
    assert.equal(trace.arrivals, 2);
    assert.equal(trace.badRows, 3);
    assert.deepEqual(badOf(trace), [
      '2: nonsense | a row of an access log: host - user [time] "request" status bytes …',
      '3: 31/Foo/2026:12:00:02 +0000 | a time such as 10/Oct/2026:13:55:36 +0000',
      '4: 31/Feb/2026:12:00:02 +0000 | a time such as 10/Oct/2026:13:55:36 +0000',
    ]);
    assert.equal(
      await refusal(told('broken.log', rows, { strict: true })),
      'broken.log:2: found "nonsense", expected a row of an access log: host - user [time] "request" status bytes ….',
    );
  });
});

describe('CloudWatch', () => {
  const report = (ms: number, more = ''): string =>
    `REPORT RequestId: 5f-1\tDuration: ${ms} ms\tBilled Duration: ${Math.ceil(ms)} ms\tMemory Size: 512 MB\tMax Memory Used: 70 MB${more}`;
  const at = '2026-01-31T12:00:10.500Z';

  test('REPORT lines among others, cold and warm', async () => {
    const trace = await told('resize.log', [
      `${at} START RequestId: 5f-1 Version: $LATEST`,
      `${at} my own line with Duration: 5 ms`,
      `${at} ${report(100.5, '\tInit Duration: 399.5 ms\t')}`,
      `2026-01-31T12:00:11.500 ${report(20)}`,
    ]);
    assert.equal(trace.format, 'cloudwatch');
    assert.equal(trace.badRows, 0);
    assert.equal(trace.functions[0]!.memoryBytes, 512 * 1024 ** 2);
    assert.deepEqual(trace.startsMs, [399.5]);
    const { arrivedAtMs, durationMs } = trafficOf(trace);
    assert.deepEqual([...durationMs], [100.5, 20]);
    assert.deepEqual([...arrivedAtMs], [START_MS + 10_000, START_MS + 11_480]);
  });

  test('as each tool writes it: time before, behind, in ms, or in a JSON log', async () => {
    const trace = await told('tools.txt', [
      `2026-01-31T12:00:10.500000+00:00 2026/01/31/[$LATEST]ab ${report(500)}`,
      `EVENTS\t37\t${START_MS + 20_000}\t/aws/lambda/other\t${report(1)}`,
      `${START_MS + 10_500},"${report(500)}\t"`,
      `{"time":"${at}","type":"platform.report","record":{"requestId":"5f","metrics":{"durationMs":500,"billedDurationMs":500,"memorySizeMB":128,"initDurationMs":100}}}`,
    ]);
    assert.equal(trace.badRows, 0);
    assert.deepEqual(
      trace.functions.map(({ name, arrivals }) => [name, arrivals]),
      [
        ['tools', 3],
        ['other', 1],
      ],
    );
    assert.deepEqual(
      [...trafficOf(trace).arrivedAtMs],
      [START_MS + 9_900, START_MS + 10_000, START_MS + 10_000],
    );
  });

  test('with bad rows: they are counted and shown with their lines', async () => {
    const trace = await told('broken-cloudwatch.log', [
      `${at} ${report(1)}`,
      report(2),
      `${at} REPORT RequestId: 5f Duration: x ms`,
      '{"type":"platform.report","time":1}',
    ]);
    assert.equal(trace.arrivals, 1);
    assert.deepEqual(
      trace.bad.map(({ line, expected }) => [line, expected.slice(0, 30)]),
      [
        [2, 'a time on the same line, as `a'],
        [3, 'REPORT RequestId: … Duration: '],
        [4, '{"time":"…","type":"platform.r'],
      ],
    );
  });
});

describe('JSON lines', () => {
  test('of our own records, with CPU time and memory, by component', async () => {
    const record = {
      component: 'catalog',
      mode: 'function',
      outcome: 'ok',
      arrivedAtMs: START_MS,
      durationMs: 12.5,
      cpuMs: 3,
      memoryBytes: 2 ** 27,
    };
    const trace = await told('records.jsonl', [
      JSON.stringify({ ...record, arrivedAtMs: START_MS + 9 }),
      JSON.stringify(record),
      JSON.stringify({ ...record, component: 'other', outcome: 'refused', durationMs: 0 }),
      '',
    ]);
    assert.equal(trace.format, 'jsonl');
    const catalog = trafficOf(trace);
    assert.deepEqual([...catalog.arrivedAtMs], [START_MS, START_MS + 9]);
    assert.deepEqual([...catalog.cpuMs], [3, 3]);
    assert.equal(trace.functions[0]!.memoryBytes, 2 ** 27);
    assert.ok(trafficOf(trace, 1).durationMs[0]! > 0, 'of a refused one the duration says nothing');
  });

  test('with a timestamp of any kind; CPU time is a share where it is not told', async () => {
    const times = [
      '2026-01-31T13:00:00+01:00',
      '2026-01-31 12:00:00',
      START_MS,
      START_MS / 1_000,
      START_MS * 1_000,
      `${START_MS * 1e6}`,
    ];
    const rows = times.map((timestamp) => JSON.stringify({ timestamp, durationMs: 8 }));
    const trace = await told('times.ndjson', rows);
    assert.equal(trace.badRows, 0);
    const { arrivedAtMs, cpuMs } = trace.functions[0]!.traffic({ span: trace.span, seed: 1, cpuShare: 0.25 });
    assert.deepEqual(new Set(arrivedAtMs), new Set([START_MS]));
    assert.deepEqual(new Set(cpuMs), new Set([2]));
  });

  test('with bad rows: they are counted and shown with their lines', async () => {
    const trace = await told('broken.jsonl', [
      '{"time":"2026-01-31T12:00:00Z"}',
      '{"time":',
      '[1]',
      '{"durationMs":1}',
      '{"time":"yesterday"}',
      '{"time":"2026-01-31T12:00:00Z","durationMs":-1}',
      '{"time":"2026-01-31T12:00:00Z","component":7}',
    ]);
    assert.equal(trace.arrivals, 1);
    assert.deepEqual(
      trace.bad.map(({ line, found }) => [line, found]),
      [
        [2, '{"time":'],
        [3, '[1]'],
        [4, '{"durationMs":1}'],
        [5, '"yesterday"'],
        [6, 'durationMs: -1'],
        [7, 'component: 7'],
      ],
    );
  });
});

describe('series', () => {
  test('of counts: so many within each interval, and none in a gap', async () => {
    const trace = await told('web.csv', [
      'timestamp,value',
      '2026-01-31 12:05:00,3.0',
      '2026-01-31 12:00:00,2',
      '2026-01-31 12:10:00,0',
      '2026-01-31 12:15:00,1',
      '2026-01-31 13:00:00,1',
    ]);
    assert.equal(trace.format, 'series');
    assert.deepEqual(trace.span, { fromMs: START_MS, toMs: START_MS + 65 * 60_000 });
    const { arrivedAtMs } = trafficOf(trace);
    assert.ok(isInOrder(arrivedAtMs));
    assert.deepEqual(
      [...arrivedAtMs].map((ms) => Math.floor((ms - START_MS) / 300_000)),
      [0, 0, 1, 1, 1, 3, 12],
    );
  });

  test('of values that are no whole numbers add up', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${START_MS / 1_000 + i * 60},0.25`);
    const trace = await told('rates.csv', ['timestamp,value', ...rows]);
    assert.equal(trace.arrivals, 10);
  });

  test('with bad rows: they are counted and shown with their lines', async () => {
    const trace = await told('broken.csv', [
      'timestamp,value',
      '2026-01-31 12:00:00,3',
      '2026-01-31 25:00:00,3',
      '2026-01-31 12:10:00,-1',
      '2026-01-31 12:15:00,',
      '2026-01-31 12:20:00',
    ]);
    assert.equal(trace.arrivals, 3);
    assert.deepEqual(badOf(trace), [
      '3: 2026-01-31 25:00:00 | a time such as 2026-01-31 12:00:00, or s or ms since the epoch',
      '4: -1 | a count of at least 0',
      '5:  | a count of at least 0',
      '6: 2026-01-31 12:20:00 | timestamp,value',
    ]);
  });
});

describe('lists of arrivals', () => {
  test('with other columns, with and without durations', async () => {
    const trace = await told('llm.csv', [
      'TIMESTAMP,durationMs,Tokens',
      '2026-01-31 12:00:00.2500000,5,1',
      '2026-01-31 12:00:01,,2',
    ]);
    assert.equal(trace.format, 'arrivals');
    const { arrivedAtMs, durationMs } = trafficOf(trace);
    assert.deepEqual([...arrivedAtMs], [START_MS + 250, START_MS + 1_000]);
    assert.ok(Math.abs(durationMs[1]! - 5) < 0.001);
  });

  test('with bad rows: they are counted and shown with their lines', async () => {
    const trace = await told('broken-list.csv', [
      'timestamp,durationMs',
      '2026-01-31 12:00:00,5',
      '2026-01-31,5',
      '2026-01-31 12:00:00',
      '2026-01-31 12:00:00,x',
    ]);
    assert.deepEqual(
      trace.bad.map(({ line, found }) => [line, found]),
      [
        [3, '2026-01-31'],
        [4, '1 columns: 2026-01-31 12:00:00'],
        [5, 'x'],
      ],
    );
  });
});

describe('the Azure Functions trace', () => {
  const invocations = (rows: readonly string[]): string[] => [
    'HashOwner,HashApp,HashFunction,Trigger,480,481,482',
    ...rows,
  ];
  const DURATIONS =
    'HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100';
  const MEMORY =
    'HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct99,AverageAllocatedMb_pct100';
  const dayMs = Date.UTC(2019, 6, 15);

  test('from three files, in whatever order', async () => {
    const own = new TraceFolder();
    try {
      own.write('a-memory.csv', [MEMORY, 'o,a,5,100,90,120,130.5']);
      own.write(
        'b-invocations.csv',
        invocations(['o,a,f,http,2,0,3', 'o,b,g,timer,0,1,0', 'o,b,never,timer,0,0,0']),
      );
      own.write('c-durations.csv', [DURATIONS, 'o,a,f,12,9,1,99,1,2,5,10,20,50,99']);
      own.write('notes.txt', ['something else']);
      const trace = await importTrace([own.path], importOptions());
      assert.equal(trace.format, 'azure');
      assert.deepEqual(
        trace.functions.map(({ name, arrivals, memoryBytes }) => [name, arrivals, memoryBytes]),
        [
          ['http-f', 5, 131 * 1024 ** 2],
          ['timer-g', 1, null],
        ],
      );
      assert.deepEqual(trace.span, { fromMs: dayMs + 479 * 60_000, toMs: dayMs + 482 * 60_000 });
      const { arrivedAtMs, durationMs } = trafficOf(trace);
      assert.ok(isInOrder(arrivedAtMs));
      assert.deepEqual(
        [...arrivedAtMs].map((ms) => Math.floor((ms - dayMs) / 60_000)),
        [479, 479, 481, 481, 481],
      );
      assert.ok(durationMs.every((ms) => ms >= 1 && ms <= 99));
      assert.deepEqual(trace.notes.slice(1), [
        '1 function has no durations in the trace: log-normal with p50 100ms, p99 1s is assumed.',
        '1 function has no memory in the trace.',
        `Left out, as no part of the trace: ${join(own.path, 'notes.txt')}.`,
      ]);
    } finally {
      own.end();
    }
  });

  test('of several days: each file of invocations is one', async () => {
    const first = folder.write('d01.csv', invocations(['o,a,f,http,1,0,0']));
    const second = folder.write('d02.csv', invocations(['o,a,f,http,0,0,1']));
    const trace = await importTrace([first, second], importOptions());
    const { arrivedAtMs } = trafficOf(trace);
    assert.deepEqual(
      [...arrivedAtMs].map((ms) => Math.floor((ms - dayMs) / 60_000)),
      [479, 1_440 + 481],
    );
  });

  test('with bad rows of each file: they are counted and shown with their lines', async () => {
    const paths = [
      folder.write(
        'i.csv',
        invocations([
          'o,a,f,http,2,x,3',
          'o,a,f,http,2,3',
          'o,a',
          'o,a,g,http,1,,1',
          'o,a,h,http,1,1,12345678901',
          'o,a,ok,http,1,1,1',
        ]),
      ),
      folder.write('d.csv', [
        DURATIONS,
        'o,a,f,12,9,1,99,1,2,5,-10,20,50,99',
        'o,a,f,?,9,1,99,1,2,5,10,20,50,99',
        'o,a,f',
      ]),
      folder.write('m.csv', [MEMORY, 'o,a,5,100,90,120,0']),
    ];
    const trace = await importTrace(paths, importOptions());
    assert.equal(trace.arrivals, 3);
    assert.deepEqual(
      trace.bad.map(({ file, line, found }) => [file.slice(-5), line, found]),
      [
        ['i.csv', 2, 'x'],
        ['i.csv', 3, '6 columns'],
        ['i.csv', 4, 'o,a'],
        ['i.csv', 5, ''],
        ['i.csv', 6, '12345678901'],
        ['d.csv', 2, '-10'],
        ['d.csv', 3, '?'],
        ['d.csv', 4, '3 columns'],
        ['m.csv', 2, '0'],
      ].map(([file, ...rest]) => [`/${file}`.slice(-5), ...rest]),
    );
  });

  test('without invocations there is nothing to replay', async () => {
    const message = await refusal(told('only.csv', [DURATIONS, 'o,a,f,12,9,1,99,1,2,5,10,20,50,99']));
    assert.match(
      message,
      /^only\.csv: of the Azure Functions trace the file with the invocations by minute is missing/,
    );
  });
});

describe('files', () => {
  test('that are compressed are read as they were; line ends of Windows and a byte order mark do not matter', async () => {
    const text = '\uFEFFtimestamp,value\r\n2026-01-31 12:00:00,2\r\n2026-01-31 12:01:00,3';
    const trace = await importTrace([folder.write('zipped.csv.gz', gzipSync(text))], importOptions());
    assert.equal(trace.badRows, 0);
    assert.equal(trace.arrivals, 5);
    assert.equal(trace.functions[0]!.name, 'zipped');
  });

  test('that are cut off while compressed say so', async () => {
    const zipped = gzipSync(
      Array.from({ length: 1_000 }, (_, i) => `{"time":${START_MS + i * 977}}`).join('\n'),
    );
    const path = folder.write('cut.gz', zipped.subarray(0, zipped.length / 2));
    assert.match(
      await refusal(importTrace([path], importOptions({ format: 'jsonl' }))),
      /^cut\.gz cannot be read: unexpected end of file/,
    );
  });

  test('without a line end do not fill the memory', async () => {
    const path = folder.write('endless.log', Buffer.alloc(5_000_000, 'x'));
    assert.match(
      await refusal(importTrace([path], importOptions({ format: 'jsonl' }))),
      /its only row is bad: endless\.log:1: found "xxx/,
    );
  });

  test('that are nothing known, missing, empty or mixed are refused in a sentence', async () => {
    assert.match(
      await refusal(told('what.txt', ['hello', 'world'])),
      /^what\.txt is not like any trace .* begins with "hello"\. Expected one of access-log, arrivals, .*; --format says which\.$/,
    );
    assert.match(
      await refusal(importTrace([join(folder.path, 'none.log')], importOptions())),
      /^none\.log cannot be read: ENOENT/,
    );
    assert.match(
      await refusal(told('empty.csv', ['timestamp,value'])),
      /^empty\.csv: no arrivals were found, as format series\.$/,
    );
    const series = folder.write('s.csv', ['timestamp,value', '2026-01-31 12:00:00,2']);
    const json = folder.write('j.jsonl', ['{"time":"2026-01-31T12:00:00Z"}']);
    assert.equal(
      await refusal(importTrace([series, json], importOptions())),
      's.csv is a trace of format series, j.jsonl of jsonl; all must be of one format.',
    );
  });

  test('show the first 20 bad rows of however many', async () => {
    const trace = await told('many.jsonl', [
      ...Array.from({ length: 5_000 }, () => '{}'),
      '{"time":"2026-01-31T12:00:00Z"}',
    ]);
    assert.equal(trace.badRows, 5_000);
    assert.equal(trace.bad.length, 20);
    assert.equal(trace.bad.at(-1)!.line, 20);
  });

  test('whatever they hold, are read or refused, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('access-log', 'arrivals', 'cloudwatch', 'jsonl', 'series', 'azure'),
        fc.array(
          fc.oneof(
            fc.string(),
            fc.string({ unit: 'binary' }),
            fc.json(),
            fc.constantFrom('REPORT RequestId: 1 2026-01-01T00:00:00Z', 'timestamp,value', '"', '1,2'),
          ),
        ),
        async (format, lines) => {
          try {
            await importTrace([folder.write('any', lines)], importOptions({ format }));
          } catch (error) {
            assert.ok(error instanceof FulcrumError && error.code === 'trace-invalid', String(error));
          }
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });
});

describe('the same seed', () => {
  test('gives the same traffic, another one another', async () => {
    const { functions, span } = await told('seeded.csv', [
      'timestamp,value',
      '2026-01-31 12:00:00,50',
      '2026-01-31 12:01:00,50',
    ]);
    const made = (seed: number): Traffic => functions[0]!.traffic({ span, seed, cpuShare: 1 });
    assert.deepEqual(made(3), made(3));
    assert.notDeepEqual(made(3).arrivedAtMs, made(4).arrivedAtMs);
  });
});

describe('real traces', real, () => {
  test('500 functions of Azure: every row is good, every invocation is there', async () => {
    const trace = await importTrace([REAL!], importOptions());
    assert.equal(trace.badRows, 0, JSON.stringify(trace.bad[0]));
    assert.equal(trace.functions.length, 500);
    assert.equal(trace.arrivals, 3_037_902);
    const sum = trace.functions.reduce(
      (all, one) => all + one.traffic({ span: trace.span, seed: 1, cpuShare: 1 }).arrivedAtMs.length,
      0,
    );
    assert.equal(sum, 3_037_902);
  });

  test('series of the Numenta benchmark', async () => {
    const elb = await importTrace([join(REAL!, 'nab-elb-requests-5min.csv')], importOptions());
    assert.deepEqual([elb.format, elb.badRows, elb.arrivals], ['series', 0, 249_327]);
    const tweets = await importTrace([join(REAL!, 'nab-twitter-ups-5min.csv')], importOptions());
    assert.deepEqual([tweets.format, tweets.badRows], ['series', 0]);
  });

  test('an hour of requests with their exact times', async () => {
    const trace = await importTrace([join(REAL!, 'azure-llm-code.csv')], importOptions());
    assert.deepEqual([trace.format, trace.badRows], ['arrivals', 0]);
    assert.ok(isInOrder(trafficOf(trace).arrivedAtMs));
  });
});
