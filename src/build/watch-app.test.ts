import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { FakeClock } from '../base/fake-clock.ts';
import { systemClock } from '../base/clock.ts';
import { watchApp, type AppWatch } from './watch-app.ts';

/** A watched folder, and the changes told of it, one by one. */
class Watched {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-watch-')));
  files: string[] = [];
  directories: string[] = [];
  watch!: AppWatch;
  readonly told: string[][] = [];
  #next: (() => void) | null = null;
  #read = 0;

  constructor(t: TestContext, names: string[], clock = systemClock) {
    // The system's watches deliver nothing while the process has no other work.
    const alive = setInterval(() => undefined, 1_000);
    t.after(async () => {
      clearInterval(alive);
      await this.watch.close();
      rmSync(this.directory, { recursive: true, force: true });
    });
    this.files = names.map((name) => this.path(name));
    this.#clock = clock;
  }

  readonly #clock: typeof systemClock;

  start(sinceMs?: number): void {
    this.watch = watchApp({
      ...(sinceMs === undefined ? {} : { sinceMs }),
      files: () => this.files,
      directories: () => this.directories,
      clock: this.#clock,
      onChange: (paths) => {
        this.told.push(paths.map((path) => path.slice(this.directory.length + 1)).sort());
        this.#next?.();
      },
    });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** As editors do: the new text in a file of its own, which then takes the old one's place. */
  save(name: string, text: string): void {
    this.write(`.${name}.tmp`, text);
    renameSync(this.path(`.${name}.tmp`), this.path(name));
  }

  /** Resolves when the system has told of a change, so that a look is due. */
  async heard(clock: FakeClock): Promise<void> {
    while (clock.pending < 2) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** The next change that is told. */
  async next(): Promise<string[]> {
    while (this.told.length <= this.#read) await new Promise<void>((resolve) => (this.#next = resolve));
    return this.told[this.#read++]!;
  }
}

void suite('watching an app', { concurrency: true }, () => {
  void test('a file that is written, and written again with a text of the same length', async (t) => {
    const app = new Watched(t, ['a.ts']);
    app.write('a.ts', '1');
    app.start();
    for (const text of ['2', '3', '4']) {
      app.write('a.ts', text);
      assert.deepEqual(await app.next(), ['a.ts']);
    }
  });

  void test('a write that leaves length and time as they were, as two within one tick do', async (t) => {
    const app = new Watched(t, ['a.ts']);
    const at = new Date(Date.now() + 60_000);
    app.write('a.ts', '1');
    utimesSync(app.path('a.ts'), at, at);
    app.start();
    app.write('a.ts', '2');
    utimesSync(app.path('a.ts'), at, at);
    assert.deepEqual(await app.next(), ['a.ts']);
  });

  void test('an atomic save, time after time', async (t) => {
    const app = new Watched(t, ['a.ts']);
    app.write('a.ts', '1');
    app.start();
    for (const text of ['2', '3', '4']) {
      app.save('a.ts', text);
      assert.deepEqual(await app.next(), ['a.ts']);
    }
  });

  void test('a save that empties the file or moves it away first is one change, of a file that is there', async (t) => {
    const begin = [
      (app: Watched) => app.write('a.ts', ''),
      (app: Watched) => renameSync(app.path('a.ts'), app.path('a.ts~')),
    ];
    for (const half of begin) {
      const clock = new FakeClock(Date.now());
      const app = new Watched(t, ['a.ts'], clock);
      app.write('a.ts', '1');
      app.start();
      half(app);
      await app.heard(clock);
      await clock.advance(10);
      assert.deepEqual(app.told, [], 'the save may not be over');
      app.write('a.ts', '22');
      await clock.advance(60);
      assert.deepEqual(app.told, [['a.ts']]);
    }
  });

  void test('a file that stays empty is told all the same', async (t) => {
    const clock = new FakeClock(Date.now());
    const app = new Watched(t, ['a.ts'], clock);
    app.write('a.ts', '1');
    app.start();
    app.write('a.ts', '');
    await app.heard(clock);
    await clock.advance(10);
    assert.deepEqual(app.told, []);
    await clock.advance(60);
    assert.deepEqual(app.told, [['a.ts']]);
  });

  void test('many files at once are one change', async (t) => {
    const names = Array.from({ length: 50 }, (_, i) => `f${i}.ts`);
    const app = new Watched(t, names);
    for (const name of names) app.write(name, '1');
    app.start();
    for (const name of names) app.write(name, '22');
    assert.deepEqual(await app.next(), names.sort());
    app.write('f0.ts', '333');
    assert.deepEqual(await app.next(), ['f0.ts']);
  });

  void test('a file that goes for good, and one that comes', async (t) => {
    const app = new Watched(t, ['a.ts', '.env']);
    app.write('a.ts', '1');
    app.start();
    app.write('.env', 'KEY=1');
    assert.deepEqual(await app.next(), ['.env']);
    rmSync(app.path('a.ts'));
    assert.deepEqual(await app.next(), ['a.ts']);
    app.write('a.ts', '2');
    assert.deepEqual(await app.next(), ['a.ts']);
  });

  void test('a folder that goes and comes back, as when a branch is checked out', async (t) => {
    const app = new Watched(t, ['src/lib/a.ts']);
    mkdirSync(app.path('src/lib'), { recursive: true });
    app.write('src/lib/a.ts', '1');
    app.start();
    rmSync(app.path('src'), { recursive: true });
    assert.deepEqual(await app.next(), ['src/lib/a.ts']);
    mkdirSync(app.path('src/lib'), { recursive: true });
    app.write('src/lib/a.ts', '2');
    assert.deepEqual(await app.next(), ['src/lib/a.ts']);
    app.write('src/lib/a.ts', '33');
    assert.deepEqual(await app.next(), ['src/lib/a.ts']);
  });

  void test('a folder that is swapped for another by renaming', async (t) => {
    const app = new Watched(t, ['src/a.ts']);
    mkdirSync(app.path('src'));
    mkdirSync(app.path('next'));
    app.write('src/a.ts', '1');
    app.write('next/a.ts', '22');
    app.start();
    renameSync(app.path('src'), app.path('old'));
    renameSync(app.path('next'), app.path('src'));
    assert.deepEqual(await app.next(), ['src/a.ts']);
    app.write('src/a.ts', '333');
    assert.deepEqual(await app.next(), ['src/a.ts']);
  });

  void test('other files in the same folder, and a new time without a new text, are followed as they should be', async (t) => {
    const app = new Watched(t, ['a.ts']);
    app.write('a.ts', '1');
    app.write('other.ts', '1');
    app.start();
    app.write('other.ts', '2');
    utimesSync(app.path('a.ts'), new Date(0), new Date(0));
    assert.deepEqual(await app.next(), ['a.ts']);
  });

  void test('update takes files in and out', async (t) => {
    const app = new Watched(t, ['a.ts']);
    app.write('a.ts', '1');
    app.write('b.ts', '1');
    app.start();
    app.files = [app.path('b.ts')];
    app.watch.update();
    app.write('a.ts', '22');
    app.write('b.ts', '22');
    assert.deepEqual(await app.next(), ['b.ts']);
  });

  void test('what has changed between the read and the watch is told', async (t) => {
    const app = new Watched(t, ['a.ts']);
    app.write('a.ts', '1');
    app.start();
    app.write('old.ts', '1');
    utimesSync(app.path('old.ts'), new Date(0), new Date(0));
    const sinceMs = Date.now() + 60_000;
    app.files.push(app.path('old.ts'));
    app.watch.update(sinceMs);
    assert.deepEqual(app.told, []);
    app.write('new.ts', '1');
    app.files.push(app.path('new.ts'));
    app.watch.update(Date.now() - 60_000);
    assert.deepEqual(app.told, [['new.ts']]);
  });

  void test('every file of a folder, those that come and go as well', async (t) => {
    const app = new Watched(t, []);
    app.directories = [app.path('public')];
    mkdirSync(app.path('public'));
    app.write('public/a.css', '1');
    app.start();
    app.write('public/b.css', '1');
    assert.deepEqual(await app.next(), ['public/b.css']);
    app.write('public/a.css', '22');
    assert.deepEqual(await app.next(), ['public/a.css']);
    rmSync(app.path('public/b.css'));
    assert.deepEqual(await app.next(), ['public/b.css']);
  });

  void test('where the system tells nothing, a regular look does', async (t) => {
    const clock = new FakeClock(Date.now());
    const app = new Watched(t, ['a.ts'], clock);
    app.write('a.ts', '1');
    app.start();
    app.write('a.ts', '22');
    // Nothing yields to the system's events in between; only the clock moves.
    await clock.advance(1_000);
    assert.deepEqual(app.told, [['a.ts']]);
  });

  void test('after close nothing is told, and no timer is left', async (t) => {
    const clock = new FakeClock(Date.now());
    const app = new Watched(t, ['a.ts'], clock);
    app.write('a.ts', '1');
    app.start();
    app.write('a.ts', '22');
    await app.watch.close();
    app.watch.update();
    await clock.advance(5_000);
    assert.deepEqual(app.told, []);
    assert.equal(clock.pending, 0);
  });
});

test('what changed between the first reading and the first look is told at once', (t) => {
  const watched = new Watched(t, ['a.ts', 'b.ts']);
  watched.write('a.ts', 'old');
  watched.write('b.ts', 'read before it was saved');
  watched.start(Date.now() + 60_000);
  assert.deepEqual(watched.told, []);
  void watched.watch.close();
  watched.start(Date.now() - 60_000);
  assert.deepEqual(watched.told, [['a.ts', 'b.ts']]);
});
