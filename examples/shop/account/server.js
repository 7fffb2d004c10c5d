// The part of the shop that was there before: a plain HTTP server with sessions in its memory, unchanged.
'use strict';
const http = require('node:http');
const { randomBytes } = require('node:crypto');

const sessions = new Map();
const MAX_SESSIONS = 10_000;

function page(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><link rel="stylesheet" href="/assets/shop.css"></head><body><header class="top">
<a class="brand" href="/"><img src="/assets/mark.svg" alt="" width="28" height="28">Lever &amp; Co.</a></header>
<main class="narrow">${body}</main></body></html>`;
}

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/account/health') return response.end('ok');
  if (pathname !== '/account' && pathname !== '/account/') {
    response.statusCode = 404;
    return response.end('Not here.');
  }
  let id = /(?:^|;\s*)visits=([0-9a-f]{24})/.exec(request.headers.cookie || '')?.[1];
  if (!id || !sessions.has(id)) {
    id = randomBytes(12).toString('hex');
    if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value);
    sessions.set(id, 0);
    response.setHeader('Set-Cookie', `visits=${id}; Path=/account; HttpOnly; SameSite=Lax`);
  }
  const visits = sessions.get(id) + 1;
  sessions.set(id, visits);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(
    page(
      'Your account',
      `<h1>Your account</h1><p>You have looked at this page <strong>${visits}</strong> ${visits === 1 ? 'time' : 'times'}.
       The count is kept in the memory of an old program that knows nothing of functions or services; it runs unchanged as a service.</p>
       <p><a class="button" href="/">Back to the shop</a></p>`,
    ),
  );
});

server.listen(Number(process.env.PORT), () => console.log(`account listens on ${process.env.PORT}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
