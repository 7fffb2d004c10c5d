import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ConfigIssue } from './issues.ts';
import { app, appFolder, cmd, failure, folder, issuesOf, load, one } from './testing/configs.ts';

/** What no message shows. */
const TOKEN = 'a-token-of-the-tests';
const LONG = 'a'.repeat(42);

const three = (rest: object): object =>
  app({ a: { entry: './a.ts' }, b: { entry: './catalog.ts' }, c: { entry: './src/deep.mts' } }, rest);

/** An app of two modules. */
const pair = (a: object, b: object, rest: object = {}): object =>
  app({ a: { entry: './a.ts', ...a }, b: { entry: './catalog.ts', ...b } }, rest);

/** A config with one problem, and `path | found | a part of the message | a part of what is expected`. */
const WRONG: readonly (readonly [config: unknown, issue: string])[] = [
  // The app.
  [undefined, ' | nothing | not an object | defineApp'],
  [[], ' | an empty list | not an object | defineApp'],
  [{ components: { a: { entry: './a.ts' } } }, 'name | nothing | missing | lower-case letters'],
  [app({ a: { entry: './a.ts' } }, { name: 7 }), 'name | 7 | wrong type | lower-case letters'],
  [app({ a: { entry: './a.ts' } }, { name: 'My Shop' }), "name | 'My Shop' | not a name | 'my-shop'"],
  [app({ a: { entry: './a.ts' } }, { name: '' }), "name | '' | empty | lower-case"],
  [{ name: 'shop' }, 'components | nothing | missing | hello.ts'],
  [app({}), 'components | an empty object | there is no component | 1 to 1000 components'],
  [app(['./a.ts']), 'components | a list of 1 | wrong type | an object of'],
  [one({}, { component: {} }), "component | the key 'component' | unknown key | 'components'"],
  [
    one({}, { zzz: 1 }),
    "zzz | the key 'zzz' | unknown key | 'name', 'env', 'trustedProxies', 'cors', 'events', 'groups', 'advisor' or 'components'",
  ],
  [one({}, { trustedProxies: '10.0.0.1' }), "trustedProxies | '10.0.0.1' | wrong type | ['10.0.0.0/8']"],
  [one({}, { trustedProxies: ['::1', 'proxy'] }), "trustedProxies[1] | 'proxy' | not an address | CIDR"],
  [
    one({}, { trustedProxies: ['10.0.0.0/33'] }),
    "trustedProxies[0] | '10.0.0.0/33' | not a CIDR block | 10.0.0.0/8",
  ],
  [one({}, { cors: false }), 'cors | false | wrong type | true or an object'],
  [one({}, { cors: { origin: '*' } }), "cors.origin | the key 'origin' | unknown key | 'origins'"],
  [
    one({}, { cors: { origins: ['https://x.example/'] } }),
    "cors.origins[0] | 'https://x.example/' | nothing more | 'https://x.example'",
  ],
  [
    one({}, { cors: { origins: 'https://x.example' } }),
    "cors.origins | 'https://x.example' | wrong type | '*' or a list of origins",
  ],
  [
    one({}, { cors: { credentials: true } }),
    "cors | an object with credentials | never sent to the origin '*' | origins by name",
  ],
  [one({}, { cors: { methods: ['get'] } }), "cors.methods[0] | 'get' | not a method | 'PUT'"],
  [one({}, { cors: { maxAge: 600 } }), "cors.maxAge | 600 | wrong type | '600s'"],

  // Groups, and what may be called.
  [
    pair({}, {}, { groups: ['a', 'b'] }),
    "groups | a list of 2 | wrong type | { core: ['checkout', 'inventory'] }",
  ],
  [pair({}, {}, { groups: { Core: ['a', 'b'] } }), "groups.Core | the key 'Core' | not a name | lower-case"],
  [pair({}, {}, { groups: { core: 'a' } }), "groups.core | 'a' | wrong type | two modules or more"],
  [
    pair({}, {}, { groups: { core: ['a'] } }),
    'groups.core | a list of 1 | fewer than two members | two modules or more',
  ],
  [pair({}, {}, { groups: { core: ['a', 7] } }), "groups.core[1] | 7 | wrong type | a component's name"],
  [pair({}, {}, { groups: { core: ['a', 'c'] } }), "groups.core[1] | 'c' | there is no such component | 'a'"],
  [
    pair({}, {}, { groups: { core: ['a', 'a'] } }),
    "groups.core[1] | 'a' | named twice | each component once",
  ],
  [
    pair({}, {}, { groups: { a: ['a', 'b'] } }),
    "groups.a | 'a' | a component has this name | a name of its own",
  ],
  [
    three({ groups: { core: ['a', 'b'], more: ['b', 'c'] } }),
    "groups.more[0] | 'b' | in the group 'core' already | no other group",
  ],
  [
    app({ a: { entry: './a.ts' }, b: { command: 'node x.js' } }, { groups: { core: ['a', 'b'] } }),
    "groups.core[1] | 'b' | it is a command | a module (entry)",
  ],
  [
    pair({ mode: 'service' }, { mode: 'function' }, { groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in mode | the same mode for all, or none',
  ],
  [
    pair({ replicas: 2 }, { replicas: { max: 4 } }, { groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in replicas | the same replicas',
  ],
  [
    pair({ network: 'none' }, {}, { groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in network | the same network for all',
  ],
  [
    pair({ env: { KEY: 'x' } }, { env: { KEY: 'y' } }, { groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in the variable KEY | one value, or two names',
  ],
  [
    pair({ env: { KEY: 'x' } }, {}, { env: { KEY: 'y' }, groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in the variable KEY | one value, or two names',
  ],
  [
    pair({}, {}, { groups: { core: Array.from({ length: 101 }, () => 'a') } }),
    'groups.core | a list of 101 | too many members | at most 100',
  ],
  [
    pair({ fresh: true }, { concurrency: 8 }, { groups: { core: ['a', 'b'] } }),
    'components.b.concurrency | 8 | a process of its own | 1, or no fresh',
  ],
  [
    pair({ mode: 'auto' }, { timeout: '20m' }, { groups: { core: ['a', 'b'] } }),
    "components.b.timeout | 20m | longer than a function may take | mode: 'service'",
  ],
  [
    pair({ calls: ['core'] }, {}, { groups: { core: ['a', 'b'] } }),
    "components.a.calls[0] | 'core' | it is a group, which nobody calls | 'a' or 'b'",
  ],
  [
    three({ groups: { core: ['a', 'b'], more: ['core', 'c'] } }),
    "groups.more[0] | 'core' | it is a group | a module (entry)",
  ],
  [pair({ calls: 'b' }, {}), "components.a.calls | 'b' | wrong type | a list such as"],
  [pair({ calls: ['c'] }, {}), "components.a.calls[0] | 'c' | there is no such component | 'b'"],
  [pair({ calls: ['a'] }, {}), "components.a.calls[0] | 'a' | does not call itself | another"],
  [
    app({ a: { entry: './a.ts', calls: ['b'] }, b: { static: './public' } }),
    "components.a.calls[0] | 'b' | a folder of files | a module or a command",
  ],
  [
    folder({ calls: [] }),
    'components.a.calls | an empty list | does not belong here | static component has no instances',
  ],

  // By what the advisor decides.
  [one({}, { advisor: true }), "advisor | true | wrong type | { objective: { p99: '200ms' } }"],
  [one({}, { advisor: { book: [] } }), "advisor.book | the key 'book' | unknown key | 'books'"],
  [
    one({}, { advisor: { books: 'own-machine' } }),
    "advisor.books | 'own-machine' | wrong type | a list of price books",
  ],
  [one({}, { advisor: { books: [] } }), 'advisor.books | an empty list | none | a list of price books'],
  [
    one({}, { advisor: { books: ['aws-lamda-x86'] } }),
    "advisor.books[0] | 'aws-lamda-x86' | there is no such price book | 'aws-lambda-x86'",
  ],
  [
    one({}, { advisor: { books: ['zzz'] } }),
    "advisor.books[0] | 'zzz' | there is no such price book | fulcrum books ls",
  ],
  [
    one({}, { advisor: { books: ['aws-ec2', 'aws-ec2'] } }),
    "advisor.books | a list of 2 | 'aws-ec2' is listed twice | a list of price books",
  ],
  [
    one({}, { advisor: { machine: { vcpu: 4, gb: 16 } } }),
    'advisor.machine.perMonth | nothing | missing | a number from 0 to 1,000,000,000',
  ],
  [
    one({}, { advisor: { machine: { perMonth: 40, vcpu: 0, gb: 16 } } }),
    'advisor.machine.vcpu | 0 | less than 0.01 | a number from 0.01 to 10,000',
  ],
  [
    one({}, { advisor: { machine: { perMonth: 40, vcpu: 4, gb: 16, currency: 'euro' } } }),
    "advisor.machine.currency | 'euro' | not a currency | three letters, such as 'USD'",
  ],
  [one({}, { advisor: { objective: 200 } }), "advisor.objective | 200 | wrong type | { p99: '200ms' }"],
  [one({}, { advisor: { objective: { p99: 200 } } }), "advisor.objective.p99 | 200 | wrong type | '200s'"],
  [
    one({}, { advisor: { objective: { p95: '1s' } } }),
    "advisor.objective.p95 | the key 'p95' | unknown key | 'p99'",
  ],
  [
    one({}, { advisor: { operations: { perHour: 60 } } }),
    'advisor.operations.hoursPerMonth | nothing | missing | { function: 0.5, service: 2 }',
  ],
  [
    one({}, { advisor: { operations: { hoursPerMonth: { service: 731 }, perHour: 60 } } }),
    'advisor.operations.hoursPerMonth.service | 731 | more than 730 | a number from 0 to 730',
  ],
  [
    one({}, { advisor: { operations: { hoursPerMonth: { service: 2 }, perHour: -1 } } }),
    'advisor.operations.perHour | -1 | less than 0 | a number from 0',
  ],
  [one({}, { advisor: { auto: { acts: 'no' } } }), "advisor.auto.acts | 'no' | wrong type | true or false"],
  [
    one({}, { advisor: { auto: { dwell: '31d' } } }),
    "advisor.auto.dwell | '31d' | more than 30d | such as '6h'",
  ],
  [
    one({}, { advisor: { auto: { window: '1s' } } }),
    "advisor.auto.window | '1s' | less than 1m | such as '1h'",
  ],
  [
    one({}, { advisor: { auto: { leastSaving: 10 } } }),
    'advisor.auto.leastSaving | 10 | more than 1 | a number from 0 to 1',
  ],
  [one({ objective: '200ms' }), "components.a.objective | '200ms' | wrong type | { p99: '200ms' }"],
  [
    folder({ objective: {} }),
    'components.a.objective | an empty object | does not belong here | a static component has no instances',
  ],
  [
    pair({ objective: { p99: '1s' } }, { objective: {} }, { groups: { core: ['a', 'b'] } }),
    'groups.core | a and b | differ in objective | the same objective for all',
  ],

  // What a component is, and its name.
  [app({ a: './a.ts' }), "components.a | './a.ts' | not an object | entry"],
  [
    app({ a: { routes: ['/*'] } }),
    'components.a | an object with routes | does not say what it is | exactly one of entry, command or static',
  ],
  [
    app({ a: { entry: './a.ts', command: 'x' } }),
    'components.a | an object with entry, command | entry and command | exactly one of',
  ],
  [app({ a: { entyr: './a.ts' } }), "components.a.entyr | the key 'entyr' | unknown key | 'entry'"],
  [app({ 'My-Comp': { entry: './a.ts' } }), "components['My-Comp'] | 'My-Comp' | not a name | 'my-comp'"],
  [app({ events: { entry: './a.ts' } }), "components.events | 'events' | reserved | another name than"],
  [
    app({ constructor: { entry: './a.ts' } }),
    "components.constructor | 'constructor' | reserved | another name",
  ],
  [app({ [LONG]: { entry: './a.ts' } }), `components.${LONG} | '${LONG}' | longer than 41 | a name of`],
  [one({ tiemout: '3s' }), "components.a.tiemout | the key 'tiemout' | unknown key | 'timeout'"],
  [one({ mode: 'lambda' }), "components.a.mode | 'lambda' | not one of | 'function', 'service' or 'auto'"],

  // Keys of another kind.
  [
    cmd({ schedule: '0 2 * * *' }),
    "components.a.schedule | '0 2 * * *' | does not belong here | only a module",
  ],
  [cmd({ events: ['x'] }), 'components.a.events | a list of 1 | of the wrong type | { types:'],
  [one({ health: '/up' }), "components.a.health | '/up' | does not belong here | pinged over the wire"],
  [
    cmd({ zygoteKeepAlive: '1m' }),
    "components.a.zygoteKeepAlive | '1m' | does not belong here | only a module (entry) has a zygote",
  ],
  [
    folder({ zygoteKeepAlive: '1m' }),
    "components.a.zygoteKeepAlive | '1m' | does not belong here | no instances",
  ],
  [one({ cwd: './legacy' }), "components.a.cwd | './legacy' | does not belong here | only a command"],
  [
    one({ cacheControl: 'no-store' }),
    "components.a.cacheControl | 'no-store' | does not belong here | static",
  ],
  [folder({ mode: 'service' }), "components.a.mode | 'service' | does not belong here | no instances"],
  [
    folder({ env: { KEY: 'sesame' } }),
    'components.a.env | an object with KEY | does not belong here | no instances',
  ],

  // Quantities.
  [one({ memory: 128 }), "components.a.memory | 128 | wrong type | such as '128MB'"],
  [one({ memory: '256' }), "components.a.memory | '256' | the unit is missing | such as '256MB'"],
  [one({ memory: '1MB' }), "components.a.memory | '1MB' | less than 64MB | from 64MB to 64GB"],
  [one({ memory: '65GB' }), "components.a.memory | '65GB' | more than 64GB | from 64MB to 64GB"],
  [one({ memory: '128MiB' }), "components.a.memory | '128MiB' | not a size | '128MB'"],
  [one({ timeout: 30 }), "components.a.timeout | 30 | wrong type | such as '30s'"],
  [one({ timeout: '2500' }), "components.a.timeout | '2500' | the unit is missing | such as '2500ms'"],
  [
    one({ timeout: '16m' }),
    "components.a.timeout | 16m | longer than a function | at most '15m', or mode: 'service'",
  ],
  [one({ timeout: '16m', mode: 'auto' }), "components.a.timeout | 16m | longer than a function | '15m'"],
  [one({ timeout: '25h', mode: 'service' }), "components.a.timeout | '25h' | more than 24h | to 24h"],
  [one({ timeout: '0s' }), "components.a.timeout | '0s' | less than 1ms | from 1ms"],
  [one({ keepAlive: '2h' }), "components.a.keepAlive | '2h' | more than 1h | from 0s to 1h"],
  [one({ keepAlive: 'soon' }), "components.a.keepAlive | 'soon' | units are ms, s, m, h or d | '1s'"],
  [
    one({ zygoteKeepAlive: 0 }),
    "components.a.zygoteKeepAlive | 0 | wrong type | from 0s to 24h, such as '0s'",
  ],
  [one({ zygoteKeepAlive: '25h' }), "components.a.zygoteKeepAlive | '25h' | more than 24h | from 0s to 24h"],
  [one({ concurrency: 0 }), 'components.a.concurrency | 0 | less than 1 | from 1 to 10,000'],
  [one({ concurrency: 1.5 }), 'components.a.concurrency | 1.5 | not a whole number | a whole number'],
  [one({ concurrency: '10' }), "components.a.concurrency | '10' | wrong type | a whole number"],
  [one({ concurrency: 10_001 }), 'components.a.concurrency | 10001 | more than 10,000 | from 1 to 10,000'],
  [one({ concurrency: Number.NaN }), 'components.a.concurrency | NaN | wrong type | a whole number'],
  [one({ replicas: 101 }), 'components.a.replicas | 101 | more than 100 | from 1 to 100'],
  [
    one({ replicas: { min: 3, max: 2 } }),
    'components.a.replicas | an object with min, max | max is 2 and min 3 | max at least as',
  ],
  [one({ replicas: { max: 0 } }), 'components.a.replicas.max | 0 | less than 1 | from 1 to 100'],
  [one({ replicas: '2' }), "components.a.replicas | '2' | wrong type | from 1 to 100"],
  [one({ keepAlive: 'adaptve' }), "components.a.keepAlive | 'adaptve' | not a duration | '1s'"],
  [one({ affinity: 'cookies' }), "components.a.affinity | 'cookies' | tell clients apart | 'header:X-User'"],
  [one({ affinity: 'header:' }), "components.a.affinity | 'header:' | not a header's name | 'header:X-User'"],
  [one({ weight: 0 }), 'components.a.weight | 0 | less than 1 | from 1 to 100'],
  [
    one({ limits: { burst: 5 } }),
    'components.a.limits | an object with burst | a burst without rps | rps beside burst',
  ],
  [one({ limits: { rps: 0 } }), 'components.a.limits.rps | 0 | less than 0.01 | from 0.01 to 1,000,000'],
  [one({ limits: { concurrency: -1 } }), 'components.a.limits.concurrency | -1 | less than 0 | from 0'],
  [one({ limits: { rp: 5 } }), "components.a.limits.rp | the key 'rp' | unknown | rps"],
  [
    one({ limits: { perClient: { burst: 5 } } }),
    'components.a.limits.perClient.rps | nothing | missing | 0.01',
  ],
  [one({ max: 1_001 }), 'components.a.max | 1001 | more than 1,000 | from 1 to 1,000'],
  [one({ queue: -1 }), 'components.a.queue | -1 | less than 1 | from 1 to 100,000'],
  [one({ healthInterval: '10ms' }), "components.a.healthInterval | '10ms' | less than 100ms | from 100ms"],
  [one({ drain: '30 seconds' }), "components.a.drain | '30 seconds' | not a duration | '30s'"],
  [one({ fresh: 'yes' }), "components.a.fresh | 'yes' | wrong type | true or false"],
  [
    one({ fresh: true, concurrency: 2 }),
    'components.a.concurrency | 2 | process of its own | 1, or no fresh',
  ],

  // Routes.
  [one({ routes: '/*' }), "components.a.routes | '/*' | wrong type | ['/api/*']"],
  [
    one({ routes: [7] }),
    "components.a.routes[0] | 7 | wrong type | a path such as '/api/catalog' or '/api/*'",
  ],
  [one({ routes: ['api/*x'] }), "components.a.routes[0] | 'api/*x' | * can only be | a path such as"],
  [one({ routes: ['catalog'] }), "components.a.routes[0] | 'catalog' | begins with / | a path such as"],
  [one({ routes: ['/a*'] }), "components.a.routes[0] | '/a*' | whole of the last segment | '/api/*'"],
  [one({ routes: ['/a/*/b'] }), "components.a.routes[0] | '/a/*/b' | whole of the last segment | '/api/*'"],
  [one({ routes: ['/a//b'] }), "components.a.routes[0] | '/a//b' | empty segment | '/api/*'"],
  [one({ routes: ['/a/../b'] }), "components.a.routes[0] | '/a/../b' | segment . or .. | '/api/*'"],
  [one({ routes: ['/a/%2E./b'] }), "components.a.routes[0] | '/a/%2E./b' | segment . or .. | '/api/*'"],
  [one({ routes: ['/a?b=1'] }), "components.a.routes[0] | '/a?b=1' | no ? or # | '/api/*'"],
  [one({ routes: ['/a b'] }), "components.a.routes[0] | '/a b' | white space | '/api/*'"],
  [one({ routes: ['/a%zz'] }), "components.a.routes[0] | '/a%zz' | % | '/api/*'"],
  [
    one({ routes: ['https://u:pw@x.example/*'] }),
    "components.a.routes[0] | 'https://…@x.example/*' | no scheme | a path",
  ],
  [one({ routes: ['x.example:8080/*'] }), "components.a.routes[0] | 'x.example:8080/*' | no port | a path"],
  [one({ routes: ['a.*.example/*'] }), "components.a.routes[0] | 'a.*.example/*' | first label | a path"],
  [one({ routes: ['-x.example/*'] }), "components.a.routes[0] | '-x.example/*' | not a host name | a path"],
  [
    one({ routes: [{ host: 'x.example' }] }),
    'components.a.routes[0].path | nothing | missing | a path such as',
  ],
  [
    one({ routes: [{ path: '/a', striprefix: true }] }),
    "components.a.routes[0].striprefix | the key 'striprefix' | unknown key | 'stripPrefix'",
  ],
  [
    one({ routes: [{ path: '/a', stripPrefix: true }] }),
    "components.a.routes[0] | an object with path, stripPrefix | no prefix to strip | ends in '/*'",
  ],
  [
    one({ routes: [{ path: '/a', bodyLimit: 10 }] }),
    "components.a.routes[0].bodyLimit | 10 | wrong type | '10MB'",
  ],
  [
    one({ routes: [{ path: '/a', host: 'x y' }] }),
    "components.a.routes[0].host | 'x y' | not a host name | 'shop.example.com'",
  ],
  [one({ routes: ['/x', '/x'] }), "components.a.routes[1] | '/x' | components.a.routes[0] claims | once"],
  [
    app({
      a: { entry: './a.ts', routes: ['X.example/api/*'] },
      b: { command: 'x', routes: [{ host: 'x.example', path: '/api/*' }] },
    }),
    "components.b.routes[0] | 'x.example/api/*' | components.a.routes[0] claims this route already | each route once",
  ],

  [
    {
      ...one({ routes: ['/x', '/events'] }),
      events: { endpoint: { path: '/events', token: 'sixteen-letters-0' } },
    },
    "components.a.routes[1] | '/events' | events.endpoint claims this route already | each route once",
  ],

  // Events and schedules.
  [one({ events: 'order.paid' }), "components.a.events | 'order.paid' | wrong type | ['order.paid']"],
  [one({ events: ['order paid'] }), "components.a.events[0] | 'order paid' | letters, digits | 'order.paid'"],
  [one({ events: ['x', 'x'] }), "components.a.events | a list of 2 | 'x' is listed twice | once"],
  [one({ schedule: 'daily' }), "components.a.schedule | 'daily' | has 1 field | five or six fields"],
  [
    one({ schedule: '61 * * * *' }),
    "components.a.schedule | '61 * * * *' | invalid value for minute: 61 | a cron line",
  ],
  [one({ schedule: '0 0 31 2 *' }), "components.a.schedule | '0 0 31 2 *' | never comes | a cron line"],
  [
    one({ schedule: { cron: '0 0 0 * * * 2030' } }),
    "components.a.schedule.cron | '0 0 0 * * * 2030' | has 7 fields | five or six",
  ],
  [
    one({ schedule: { cron: '0 2 * * *', timeZone: 'Europe/Berlim' } }),
    "components.a.schedule.timeZone | 'Europe/Berlim' | no such time zone | 'Europe/Berlin'",
  ],
  [
    one({ schedule: { cron: '0 2 * * *', timezone: 'UTC' } }),
    "components.a.schedule.timezone | the key 'timezone' | unknown key | 'timeZone'",
  ],
  [
    one({ schedule: 5 }),
    'components.a.schedule | 5 | wrong type | a cron line of five or six fields, such as',
  ],
  [
    one({ schedule: ['0 2 * * *', 'daily'] }),
    "components.a.schedule[1] | 'daily' | has 1 field | five or six fields",
  ],
  [
    one({ schedule: ['0 2 * * *', '0 3 * * *'] }),
    "components.a.schedule | a list of 2 | two have the name 'schedule' | each with a name of its own",
  ],
  [
    one({ schedule: Array.from({ length: 101 }, (_, i) => ({ cron: '0 2 * * *', name: `s${i}` })) }),
    'components.a.schedule | a list of 101 | 101 schedules | at most 100',
  ],
  [
    one({ schedule: [{ cron: '0 2 * * *', name: 'Nightly' }] }),
    "components.a.schedule[0].name | 'Nightly' | lower-case letters | 'nightly'",
  ],
  [
    one({ schedule: [{ cron: '0 2 * * *', naem: 'x' }] }),
    "components.a.schedule[0].naem | the key 'naem' | unknown key | 'name'",
  ],
  [one({ schedule: {} }), 'components.a.schedule | an empty object | one of cron and at | { at }'],
  [
    one({ schedule: { cron: '0 2 * * *', at: '2026-12-24T18:00:00Z' } }),
    'components.a.schedule | an object with cron, at | one of cron and at | { at }',
  ],
  [
    one({ schedule: { at: '2026-12-24' } }),
    "components.a.schedule.at | '2026-12-24' | its offset from UTC | '2026-12-24T18:00:00+01:00'",
  ],
  [
    one({ schedule: { at: '2026-02-30T00:00:00Z' } }),
    "components.a.schedule.at | '2026-02-30T00:00:00Z' | no such time | '2026-12-24T18:00:00+01:00'",
  ],
  [
    one({ schedule: { at: '2026-02-20T12:00:00+99:99' } }),
    "components.a.schedule.at | '2026-02-20T12:00:00+99:99' | no such time | '2026-12-24T18:00:00+01:00'",
  ],
  [
    one({ schedule: { cron: '@every 30s', timeZone: 'UTC' } }),
    'components.a.schedule | an object with cron, timeZone | a time zone is for a cron line | { cron, timeZone }',
  ],
  [one({ schedule: '@every 30' }), "components.a.schedule | '@every 30' | not a duration | '@every 30s'"],
  [one({ schedule: '@every 10ms' }), "components.a.schedule | '@every 10ms' | less than 1s | '@every 30s'"],
  [one({ schedule: '@every 400d' }), "components.a.schedule | '@every 400d' | more than 365d | '@every 30s'"],
  [one({ schedule: '@daily' }), "components.a.schedule | '@daily' | only @every is known | '0 0 * * *'"],
  [
    one({ schedule: { cron: '0 2 * * *', missed: 'ignore' } }),
    "components.a.schedule.missed | 'ignore' | not one of the values | 'run' or 'skip'",
  ],
  [
    one({ schedule: { cron: '0 2 * * *', overlap: true } }),
    "components.a.schedule.overlap | true | not one of the values | 'skip' or 'allow'",
  ],
  [
    one({ schedule: { cron: '0 2 * * *', retry: { first: '10m', longest: '1m' } } }),
    'components.a.schedule.retry | an object with first, longest | shorter than the first | no shorter',
  ],
  [
    one({ schedule: { cron: '0 2 * * *', retry: { attempts: 0 } } }),
    'components.a.schedule.retry.attempts | 0 | less than 1 | from 1 to 100',
  ],
  [
    one({ events: ['order*'] }),
    "components.a.events[0] | 'order*' | comes last and behind a '.' | 'order.*' for all that begin so",
  ],
  [
    one({ events: { types: [] } }),
    "components.a.events.types | an empty list | none | at least one type, such as ['order.paid']",
  ],
  [one({ events: { batch: { size: 2 } } }), "components.a.events.types | nothing | missing | ['order.paid']"],
  [
    one({ events: { types: ['x'], batch: { size: 1_001 } } }),
    'components.a.events.batch.size | 1001 | more than 1,000 | from 1 to 1,000',
  ],
  [
    one({ events: { types: ['x'], path: '/events' } }),
    "components.a.events.path | the key 'path' | unknown key | 'types', 'batch', 'concurrency' or 'retry'",
  ],
  [cmd({ events: { types: ['x'] } }), "components.a.events.path | nothing | missing | '/events'"],
  [
    cmd({ events: { types: ['x'], path: '/events', batch: { size: 5 } } }),
    "components.a.events | an object with types, batch, path | 'binary' holds one event | mode: 'batched'",
  ],
  [one({ async: 'yes' }), "components.a.async | 'yes' | wrong type | true or false or an object such as"],
  [
    one({ async: { onSuccess: 'a b' } }),
    "components.a.async.onSuccess | 'a b' | letters, digits | 'order.paid'",
  ],
  [one({ async: { keep: '15d' } }), "components.a.async.keep | '15d' | more than 14d | from 1s to 14d"],
  [
    folder({ async: true }),
    'components.a.async | true | does not belong here | a static component has no instances',
  ],
  [one({}, { events: true }), "events | true | wrong type | { unmatched: 'refuse' }"],
  [
    one({}, { events: { unmatched: 'drop' } }),
    "events.unmatched | 'drop' | not one of the values | 'keep' or 'refuse'",
  ],
  [one({}, { events: { dedupeWindow: '8d' } }), "events.dedupeWindow | '8d' | more than 7d | from 1s to 7d"],
  [
    one({}, { events: { endpoint: { path: '/events' } } }),
    "events.endpoint.token | nothing | missing | secret('NAME')",
  ],
  [
    one({}, { events: { endpoint: { path: '/events/*', token: TOKEN } } }),
    "events.endpoint.path | '/events/*' | an exact path | '/events'",
  ],
  [
    one({}, { events: { endpoint: { path: '/a/../events', token: TOKEN } } }),
    "events.endpoint.path | '/a/../events' | no segment . or .. | '/events'",
  ],
  [
    one({}, { events: { endpoint: { path: '/events', host: '*.example', token: TOKEN } } }),
    "events.endpoint.host | '*.example' | an exact host | 'events.example.com'",
  ],
  // Never shown either.
  [
    one({}, { events: { endpoint: { path: '/events', token: 'sesame' } } }),
    'events.endpoint.token | a string | shorter than 16 characters | without spaces',
  ],
  [
    one({}, { events: { endpoint: { path: '/events', token: 'open sesame, open sesame' } } }),
    "events.endpoint.token | a string | not what a header can carry | secret('NAME')",
  ],
  [
    one({}, { events: { endpoint: { path: '/events', token: { $secret: 'open sesame' } } } }),
    "events.endpoint.token.$secret | a string | not a name | 'API_KEY'",
  ],

  // Environment: what was written there is never shown.
  [
    one({ env: { PORT: 8080 } }),
    "components.a.env.PORT | a number | wrong type | a string in quotes or secret('NAME')",
  ],
  [one({ env: { DEBUG: true } }), 'components.a.env.DEBUG | a boolean | wrong type | a string in quotes'],
  [one({ env: { KEY: undefined } }), "components.a.env.KEY | nothing | missing | secret('NAME')"],
  [one({ env: { '1KEY': 'x' } }), "components.a.env['1KEY'] | the key '1KEY' | not a name | 'API_KEY'"],
  [
    one({ env: { 'KEY=sesame': '' } }),
    "components.a.env['KEY=…'] | the key 'KEY=…' | not a name | 'API_KEY'",
  ],
  [
    one({ env: { KEY: { $secret: 'open sesame' } } }),
    "components.a.env.KEY.$secret | a string | not a name | 'API_KEY'",
  ],
  [
    one({ env: { KEY: { $secret: 'KEY', secret: 'KEY' } } }),
    "components.a.env.KEY.secret | the key 'secret' | unknown key | '$secret'",
  ],
  [
    one({ env: { events: 'sesame' } }),
    "components.a.env.events | the key 'events' | handlers publish with env.events | 'EVENTS'",
  ],
  [one({}, { env: { events: 'sesame' } }), "env.events | the key 'events' | reserved | 'EVENTS'"],
  [one({}, { env: 'KEY=sesame' }), 'env | a string | wrong type | an object such as'],
  [one({}, { env: { KEY: 'a\0sesame' } }), 'env.KEY | a string | NUL | a string'],

  // Files and folders.
  [app({ a: { entry: 5 } }), "components.a.entry | 5 | wrong type | a module's file"],
  [app({ a: { entry: ' ' } }), "components.a.entry | ' ' | empty | a module's file"],
  [
    app({ a: { entry: './catalgo.ts' } }),
    "components.a.entry | './catalgo.ts' | no such file | './catalog.ts'",
  ],
  [app({ a: { entry: './catalog' } }), "components.a.entry | './catalog' | no such file | './catalog.ts'"],
  [
    app({ a: { entry: './catalog.js' } }),
    "components.a.entry | './catalog.js' | no such file | './catalog.ts'",
  ],
  [
    app({ a: { entry: './scr/deep.mts' } }),
    "components.a.entry | './scr/deep.mts' | no folder './scr' | './src/deep.mts'",
  ],
  [app({ a: { entry: './src' } }), "components.a.entry | './src' | it is a folder | a file"],
  [app({ a: { entry: './server.py' } }), "components.a.entry | './server.py' | not a JavaScript | command"],
  [
    app({ a: { entry: './src/quite-another.ts' } }),
    "components.a.entry | './src/quite-another.ts' | no such file | in './src' there is 'deep.mts'",
  ],
  [cmd({ cwd: './legcay' }), "components.a.cwd | './legcay' | no such folder | './legacy'"],
  [cmd({ cwd: './a.ts' }), "components.a.cwd | './a.ts' | it is a file | a folder"],
  [app({ a: { command: '' } }), "components.a.command | '' | empty | a command line"],
  [cmd({ health: 'up' }), "components.a.health | 'up' | begins with / | '/healthz'"],
  [app({ a: { static: './pubic' } }), "components.a.static | './pubic' | no such folder | './public'"],
  [app({ a: { static: '.' } }), "components.a.static | '.' | .env would be served | './public'"],
  [app({ a: { static: '..' } }), "components.a.static | '..' | .env would be served | './public'"],
  [
    folder({ cacheControl: 'a\nb' }),
    String.raw`components.a.cacheControl | 'a\nb' | not the value of a header | Cache-Control`,
  ],
  [one({ storage: './data' }), "components.a.storage | './data' | wrong type | ['./data']"],
  [
    one({ storage: ['../data'] }),
    "components.a.storage[0] | '../data' | outside the app's folder | './data'",
  ],
  [one({ storage: ['/var/data'] }), "components.a.storage[0] | '/var/data' | not a relative path | './data'"],
  [one({ storage: ['.'] }), "components.a.storage[0] | '.' | the app's folder itself | './data'"],
  [
    one({ storage: ['./.fulcrum/db'] }),
    "components.a.storage[0] | './.fulcrum/db' | meets .fulcrum | './data'",
  ],
  [
    app({
      a: { entry: './a.ts', storage: ['./data'] },
      b: { entry: './a.ts', storage: ['./data', './data/b'] },
    }),
    `components.b.storage[1] | './data/b' | inside './data', which the component "a" stores | one beside it`,
  ],
  [
    app({ a: { entry: './a.ts', storage: ['./public'] }, b: { static: './public/img' } }),
    `components.b.static | './public/img' | inside './public', which the component "a" stores | no component writes`,
  ],
  [
    app({ a: { entry: './a.ts', storage: ['./legacy'] }, b: { command: 'x', cwd: './to-legacy/in' } }),
    `components.b.cwd | './to-legacy/in' | inside './legacy', which the component "a" stores | no component writes`,
  ],
  [
    app({ a: { entry: './src/deep.mts', storage: ['./src'] } }),
    `components.a.entry | './src/deep.mts' | inside './src', which the component "a" stores | no component writes`,
  ],
  [one({ storage: ['./a.ts'] }), "components.a.storage[0] | './a.ts' | not a folder | './data'"],
  [
    one({ storage: ['./leads-out/data'] }),
    "components.a.storage[0] | './leads-out/data' | outside the app's folder | './data'",
  ],
  [
    one({ isolation: true }),
    "components.a.isolation | true | not one of the values | 'best-effort' or 'required'",
  ],
  [
    one({ isolation: 'require' }),
    "components.a.isolation | 'require' | not one of the values | 'best-effort' or 'required'",
  ],
  [one({ network: 'host' }), "components.a.network | 'host' | not one of the values | 'full' or 'none'"],
  [
    cmd({ network: 'none' }),
    "components.a.network | 'none' | not one of the values | a command listens on the network",
  ],
  [
    folder({ isolation: 'required' }),
    "components.a.isolation | 'required' | does not belong here | a static component has no instances",
  ],
  [
    folder({ network: 'none' }),
    "components.a.network | 'none' | does not belong here | a static component has no instances",
  ],
];

describe('a config that is wrong', () => {
  for (const [config, issueText] of WRONG) {
    it(issueText, async (t) => {
      const [path, found, message, expected] = issueText.split(' | ') as [string, string, string, string];
      const directory = await appFolder(t);
      await symlink(tmpdir(), join(directory, 'leads-out'));
      await symlink('legacy', join(directory, 'to-legacy'));
      for (const name of ['public/img', 'legacy/in']) await mkdir(join(directory, name), { recursive: true });
      const issues = await issuesOf(directory, config);
      assert.deepEqual(
        issues.map((issue) => [issue.path, issue.found]),
        [[path, found]],
      );
      const [issue] = issues as [ConfigIssue];
      assert.ok(issue.message.includes(message), issue.message);
      assert.ok(issue.expected.includes(expected), issue.expected);
    });
  }
});

describe('the error', () => {
  it('tells every problem at once, with file, path, what was found and what would be right', async (t) => {
    const directory = await appFolder(t);
    const config = {
      nam: 'shop',
      components: {
        a: { entry: './catalgo.ts', memory: 128, routes: ['/x', '/y*'], schedule: 'daily' },
        'b-c': { command: 'x', routes: ['/x'], events: ['e'], cwd: './nowhere' },
        d: { static: './public', memory: '1MB', routes: 7 },
      },
    };
    const error = await failure(load(directory, config));
    const issues = error.details['issues'] as ConfigIssue[];
    assert.deepEqual(
      issues.map((issue) => issue.path),
      [
        'nam',
        'name',
        'components.a.memory',
        'components.a.routes[1]',
        'components.a.schedule',
        "components['b-c'].events",
        'components.d.memory',
        'components.d.routes',
        'components.a.entry',
        "components['b-c'].cwd",
      ],
    );
    assert.equal(error.details['file'], join(directory, 'fulcrum.config.ts'));
    assert.ok(error.message.startsWith(`${join(directory, 'fulcrum.config.ts')} has 10 problems:`));
    for (const issue of issues) {
      for (const part of [issue.path, issue.found, issue.message, issue.expected]) {
        assert.ok(error.message.includes(part), part);
      }
    }
  });

  it('never shows what stands in an env, nor the value of a key nobody knows', async (t) => {
    const directory = await appFolder(t);
    const config = {
      name: 'shop',
      env: { A: 4711_0815, 'B C': 'sesame', D: ['sesame'], E: { $secret: 'sesame street' } },
      secrets: { KEY: 'sesame' },
      components: {
        a: {
          entry: './a.ts',
          env: { F: { sesame: 1, value: 'sesame' } },
          environment: 'sesame',
          enviroment: { KEY: 'sesame' },
        },
        b: { static: './public', env: { KEY: 'sesame' } },
      },
    };
    const error = await failure(load(directory, config));
    const text = JSON.stringify([error.message, error.details])
      .replaceAll("key 'sesame'", '')
      .replaceAll('env.F.sesame', '');
    assert.doesNotMatch(text, /sesame|47110815/);
  });
});
