import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, InvalidArgumentError } from 'commander';
import type { Asker, ChoiceQuestion, TextQuestion } from './asker.ts';
import { addNewOptions, needsOf, programOf, rateOf, workOf } from './interview-options.ts';
import { asked, assumed } from './interview.ts';

const MB = 1024 ** 2;

/** Answers by what the question begins with; what is left out is answered with Enter. */
function asker(answers: Readonly<Record<string, string>> = {}): { asker: Asker; messages: string[] } {
  const messages: string[] = [];
  const answerTo = (message: string): string | undefined => {
    messages.push(message);
    return Object.entries(answers).find(([start]) => message.startsWith(start))?.[1];
  };
  return {
    messages,
    asker: {
      text: async ({ message, standard, check }: TextQuestion) => {
        const answer = answerTo(message) ?? standard;
        assert.equal(check(answer), null, answer);
        return answer;
      },
      one: async <T extends string>({ message, options, standard }: ChoiceQuestion<T> & { standard: T }) => {
        const answer = answerTo(message) ?? standard;
        return options.find(({ value }) => value === answer)!.value;
      },
      some: async <T extends string>({ message, options }: ChoiceQuestion<T>) => {
        const answer = answerTo(message)?.split(',') ?? [];
        return options.map(({ value }) => value).filter((value) => answer.includes(value));
      },
    },
  };
}

test('Enter to every question gives a component', async () => {
  const { asker: all, messages } = asker();
  assert.deepEqual(await asked({}, all), {
    name: 'component',
    trigger: 'http',
    perSecond: 1,
    rateText: '1/s',
    shape: 'daily',
    duration: { p50Ms: 100, p99Ms: 500 },
    cpuShare: 0.3,
    memoryBytes: 256 * MB,
    needs: [],
    programStartMs: null,
    p99Ms: null,
    operations: null,
  });
  assert.equal(messages.length, 11);
});

test('what was answered is what is described', async () => {
  const { asker: some } = asker({
    'What is it': 'chat',
    'How often': '300/h',
    'How do': 'bursty',
    'Does it': 'memory,sockets',
    'Is it a program': '3s',
    Within: '300ms',
    Hours: '1,4,60',
  });
  const answers = await asked({}, some);
  assert.deepEqual([answers.name, answers.rateText, answers.shape], ['chat', '300/h', 'bursty']);
  assert.equal(answers.perSecond, 300 / 3_600);
  assert.deepEqual(
    [answers.needs, answers.programStartMs, answers.p99Ms],
    [['memory', 'sockets'], 3_000, 300],
  );
  assert.deepEqual(answers.operations, { function: 1, service: 4, perHour: 60 });
});

test('what a flag says is not asked, and a schedule has no shape', async () => {
  const { asker: few, messages } = asker();
  const answers = await asked(
    { name: 'report', trigger: 'schedule', memory: 512 * MB, needs: [], cpu: 0.9, program: null },
    few,
  );
  assert.deepEqual([answers.rateText, answers.memoryBytes, answers.cpuShare], ['1/d', 512 * MB, 0.9]);
  assert.deepEqual(
    messages.map((message) => message.split(' ').slice(0, 2).join(' ')),
    ['How often,', 'How long', 'Within what', 'Hours of'],
  );
});

test('an answer that cannot be understood is told, and not taken', async () => {
  const seen: (string | null)[] = [];
  const { asker: base } = asker();
  const all: Asker = {
    ...base,
    text: async (question) => {
      seen.push(question.check('nonsense, really'));
      return question.standard;
    },
  };
  await asked({}, all);
  assert.ok(seen.length > 0 && seen.every((each) => each !== null && each.length > 0));
});

test('without a terminal it says which flags are missing', () => {
  assert.throws(() => assumed({ trigger: 'http', memory: MB }), {
    code: 'usage',
    message:
      'Without a terminal nobody can be asked. Give also: --rate 20/s; --duration 120ms,600ms; --needs memory,sockets,background or none.',
  });
});

test('flags alone are enough', () => {
  const answers = assumed({
    trigger: 'event',
    rate: rateOf('3000/d'),
    duration: { p50Ms: 800, p99Ms: 4_000 },
    memory: 1_024 * MB,
    needs: [],
  });
  assert.deepEqual([answers.shape, answers.cpuShare, answers.rateText], ['bursty', 0.3, '3000/d']);
});

test('flags are read as they are written', () => {
  assert.deepEqual(rateOf('20/s'), { perSecond: 20, text: '20/s' });
  assert.deepEqual(needsOf('memory, sockets,memory'), ['memory', 'sockets']);
  assert.deepEqual(needsOf('none'), []);
  assert.deepEqual([programOf('1.5s'), programOf('none')], [1_500, null]);
  assert.deepEqual(workOf('1,4,60'), { function: 1, service: 4, perHour: 60 });
  for (const wrong of [
    () => rateOf('often'),
    () => rateOf('0/s'),
    () => rateOf('20000/s'),
    () => needsOf('memroy'),
    () => programOf('slow'),
    () => workOf('1,4'),
    () => workOf('1,,60'),
    () => workOf('-1,4,60'),
  ])
    assert.throws(wrong, InvalidArgumentError);
  assert.throws(() => needsOf('memroy'), /Did you mean "memory"\?/);
});

test('the flags are there', () => {
  const command = addNewOptions(new Command());
  const names = command.options.map(({ long }) => long);
  assert.deepEqual(names, ['--name', '--trigger', '--rate', '--shape', '--needs', '--program', '--work']);
});
