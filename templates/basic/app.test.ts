import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startApp, type TestApp } from 'fulcrum/testing';

let app: TestApp;
before(async () => {
  app = await startApp({ directory: import.meta.dirname });
});
after(() => app?.close());

test('the function greets whoever asks', async () => {
  const answer = await app.fetch('/api/hello?name=Ada');
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { message: 'Hello, Ada!' });
});

test('the function can be called by name', async () => {
  assert.equal(await app.call('hello', 'greeting', 'Grace'), 'Hello, Grace!');
});

test('the service counts visits and calls the function', async () => {
  assert.match(await (await app.fetch('/')).text(), /<h1>Hello, world!<\/h1>[^]*<strong>1<\/strong> visit /);
  assert.match(await (await app.fetch('/')).text(), /<strong>2<\/strong> visits /);
  assert.equal((await app.fetch('/nowhere')).status, 404);
});
