import { createHash } from 'node:crypto';

/**
 * The admin page: everything inline, nothing from elsewhere, every value put in as text. Its requests go to `v1/…` relative to its own
 * address, which carries the session.
 */
const STYLE = `
:root { color-scheme: light dark; --line: #8883; --soft: #8889; --accent: #2563eb; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 66rem; padding: 2rem 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin-bottom: 1.25rem; }
h1 { font-size: 1.35rem; margin: 0; }
h2 { font-size: 1rem; margin: 2rem 0 .25rem; }
small, .soft { color: light-dark(#666, #aaa); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { font-weight: 500; font-size: .85rem; color: light-dark(#666, #aaa); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
#components td:first-child, #edges td:nth-child(2) { white-space: normal; overflow-wrap: anywhere; width: 100%; min-width: 7rem; }
.routes { font-family: ui-monospace, monospace; font-size: .8rem; }
.modes { display: inline-flex; border: 1px solid var(--soft); border-radius: 6px; overflow: hidden; }
.modes button { font: inherit; font-size: .85rem; border: 0; border-right: 1px solid var(--line); background: none; color: inherit; padding: .15rem .6rem; cursor: pointer; }
.modes button:last-child { border-right: 0; }
.modes button[aria-pressed=true] { background: var(--accent); color: #fff; }
.modes button:disabled { cursor: wait; opacity: .6; }
.modes button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.error { color: light-dark(#b91c1c, #f87171); white-space: pre-wrap; }
td.member { padding-left: 1.5rem; }
#message { min-height: 1.5em; margin: 1rem 0 0; }
`;

const SCRIPT = `
'use strict';
const REFRESH_MS = 2000;
const rows = document.querySelector('#components');
const edges = document.querySelector('#edges');
const message = document.querySelector('#message');
const switching = new Set();
const picker = document.querySelector('#app');

// The one that the address names; a server with one app needs none.
const app = () => 'apps/' + encodeURIComponent(picker.value);

async function load() {
  const apps = (await ask('apps')).filter((each) => each.running);
  if (apps.length === 0) throw new Error('Nothing serves yet. Deploy an app first.');
  const ids = apps.map((each) => each.id);
  if (ids.join() !== [...picker.options].map((option) => option.value).join()) {
    const wanted = picker.value || decodeURIComponent(location.hash.slice(1));
    picker.replaceChildren(...ids.map((id) => element('option', { value: id }, id)));
    picker.value = ids.includes(wanted) ? wanted : ids[0];
    picker.hidden = ids.length === 1;
  }
  const [details, components, groups, graph] = await Promise.all([ask(app()), ask(app() + '/components'), ask(app() + '/groups'), ask(app() + '/calls')]);
  return [details.status, components, groups, graph];
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

async function ask(path, init) {
  const response = await fetch('v1/' + path, { cache: 'no-store', ...init });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail ?? body.title ?? response.statusText), { code: body.code });
  return body;
}

function say(text, isError) {
  message.textContent = text;
  message.className = isError ? 'error' : 'soft';
}

async function switchMode(name, mode, force = false) {
  switching.add(name);
  say('Switching ' + name + ' …', false);
  await refresh(false);
  try {
    const done = await ask(app() + '/components/' + encodeURIComponent(name) + '/mode', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode, force }),
    });
    say(name + ': ' + done.from + ' → ' + done.to + ' in ' + Math.round(done.tookMs) + ' ms', false);
  } catch (error) {
    if (error.code === 'switch-unsafe' && !force && confirm(error.message + '\\n\\nSwitch all the same?')) {
      return switchMode(name, mode, true);
    }
    say(name + ': ' + error.message, true);
  }
  switching.delete(name);
  await refresh(false);
}

function modeButtons(component) {
  if (component.modeSetting === null) return element('span', { class: 'soft' }, 'static');
  const group = element('span', { class: 'modes', role: 'group', 'aria-label': 'mode of ' + component.name });
  for (const mode of ['function', 'service', 'auto']) {
    const button = element('button', { type: 'button', 'aria-pressed': String(component.modeSetting === mode), 'data-mode': mode }, mode);
    button.disabled = switching.has(component.name);
    button.addEventListener('click', () => void switchMode(component.name, mode));
    group.append(button);
  }
  return group;
}

// A group stands where its first member does, and its members below it: what they share is told once.
function blocks(components, groups) {
  return components.flatMap((component) => {
    const group = groups.find((each) => each.name === component.group);
    if (group === undefined) return [row(component)];
    if (group.members[0] !== component.name) return [];
    const members = group.members.flatMap((name) => components.filter((each) => each.name === name));
    return [groupRow(group), ...members.map(row)];
  });
}

const readyOf = ({ instances }) => String(instances.filter((instance) => instance.state === 'ready').length);

function groupRow(group) {
  const name = element('td', {}, element('strong', {}, group.name), ' ', element('small', {}, 'group'));
  if (group.modeSetting === 'auto') name.append(' ', element('small', {}, 'as ' + group.mode));
  if (group.lastError) name.append(element('div', { class: 'error' }, group.lastError));
  return element('tr', { 'data-component': group.name },
    name,
    element('td', {}, modeButtons(group)),
    element('td', { class: 'number' }, readyOf(group)),
    element('td', { class: 'number' }, String(group.queued)),
    element('td', { colspan: '5' }),
  );
}

const milliseconds = (value) => (value === null || value === undefined ? '–' : value.toFixed(value < 0.1 ? 3 : value < 10 ? 1 : 0) + ' ms');

// What is not told apart has an asterisk for a name.
const named = (name) => (name === '*' ? '(others)' : name);

function edgeRow(edge) {
  const callee = edge.to === '*' ? named(edge.to) : edge.to + (edge.function === null ? ' (request)' : '.' + edge.function);
  const number = (value) => element('td', { class: 'number' }, value);
  return element('tr', { 'data-edge': edge.from + ' ' + callee },
    element('td', {}, named(edge.from)),
    element('td', {}, callee),
    number(edge.perSecond < 0.01 ? '<0.01' : edge.perSecond.toFixed(edge.perSecond < 10 ? 2 : 0)),
    number(milliseconds(edge.p50Ms)),
    number(milliseconds(edge.p99Ms)),
    number(String(edge.failed)),
    number(edge.inProcess === 0 ? '–' : Math.round((edge.inProcess / edge.count) * 100) + ' %'),
  );
}

function row(component) {
  const minute = component.lastMinute;
  const isMember = component.group !== null;
  const name = element('td', isMember ? { class: 'member' } : {}, element('strong', {}, component.name));
  if (component.modeSetting === 'auto' && !isMember) name.append(' ', element('small', {}, 'as ' + component.mode));
  if (component.routes.length > 0) name.append(element('div', { class: 'soft routes' }, component.routes.join('  ')));
  if (component.lastError && !isMember) name.append(element('div', { class: 'error' }, component.lastError));
  return element('tr', { 'data-component': component.name },
    name,
    element('td', {}, isMember ? '' : modeButtons(component)),
    element('td', { class: 'number' }, isMember ? '' : component.modeSetting === null ? '–' : readyOf(component)),
    element('td', { class: 'number' }, isMember ? '' : String(component.queued)),
    element('td', { class: 'number' }, minute ? String(minute.count) : '–'),
    element('td', { class: 'number' }, minute ? String(minute.failed) : '–'),
    element('td', { class: 'number' }, minute ? String(minute.cold) : '–'),
    element('td', { class: 'number' }, milliseconds(minute?.p50Ms)),
    element('td', { class: 'number' }, milliseconds(minute?.p99Ms)),
  );
}

async function refresh(tellErrors) {
  try {
    const [status, components, groups, graph] = await load();
    document.title = status.name + ' · Fulcrum';
    document.querySelector('h1').textContent = status.name;
    document.querySelector('#environment').textContent = status.environment;
    const gateway = document.querySelector('#gateway');
    gateway.textContent = status.gatewayUrl;
    if (/^https?:/.test(status.gatewayUrl)) gateway.href = status.gatewayUrl;
    const failed = document.querySelector('#failed');
    failed.textContent = status.failedDeploy === null ? '' : 'The last change did not go live:\\n' + status.failedDeploy.message;
    const focused = document.activeElement?.closest?.('[data-component]')?.dataset.component;
    const mode = document.activeElement?.dataset?.mode;
    rows.replaceChildren(...blocks(components, groups));
    // As many as a person looks at; the command shows all.
    edges.replaceChildren(...graph.edges.slice(0, 50).map(edgeRow));
    document.querySelector('#calls').hidden = graph.edges.length === 0;
    if (focused && mode) rows.querySelector('[data-component="' + CSS.escape(focused) + '"] [data-mode="' + mode + '"]')?.focus();
    if (message.dataset.lost) {
      delete message.dataset.lost;
      say('', false);
    }
  } catch (error) {
    if (!tellErrors) return;
    message.dataset.lost = '1';
    say(error instanceof TypeError ? 'The server does not answer. Is it still running?' : error.message, true);
  }
}

picker.addEventListener('change', () => {
  location.hash = encodeURIComponent(picker.value);
  void refresh(true);
});

async function loop() {
  if (!document.hidden) await refresh(true);
  setTimeout(loop, REFRESH_MS);
}
void loop();
`;

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fulcrum</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>Fulcrum</h1><select id="app" aria-label="app" hidden></select><small id="environment"></small><a id="gateway" rel="noreferrer"></a></header>
<p id="failed" class="error"></p>
<div class="scroll">
<table>
<thead><tr><th>component</th><th>mode</th><th class="number">ready</th><th class="number">waiting</th><th class="number">calls/min</th><th class="number">failed</th><th class="number">cold</th><th class="number">p50</th><th class="number">p99</th></tr></thead>
<tbody id="components"></tbody>
</table>
</div>
<div class="scroll" id="calls" hidden>
<h2>Calls of the last minutes</h2>
<table>
<thead><tr><th>from</th><th>to</th><th class="number">calls/s</th><th class="number">p50</th><th class="number">p99</th><th class="number">failed</th><th class="number">in process</th></tr></thead>
<tbody id="edges"></tbody>
</table>
</div>
<p id="message" role="status"></p>
<noscript>This page needs JavaScript; <code>fulcrum ps</code> shows the same.</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;

/** For whoever comes without a link that is valid. Says nothing about the app. */
export const NOT_OPEN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fulcrum</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>This page is locked</h1></header>
<p>Open the admin link that <code>fulcrum dev</code> printed when it started, or one that <code>fulcrum page</code> makes. Links of an earlier start are not valid any more, and one of <code>fulcrum page</code> opens once.</p>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only the page's own script and style run, and it may talk to nobody but its server. */
export const PAGE_CSP = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
