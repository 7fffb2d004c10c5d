// A server's vault over a real store, in a process that is killed while it changes its key: it stands still at the step that it is told.
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import type { SecretStore } from '../../../src/model/secret-store.ts';
import { KeyFile } from '../../../src/secrets/key-file.ts';
import type { KeyHolder } from '../../../src/secrets/keys.ts';
import { Vault } from '../../../src/secrets/vault.ts';
import { openStore } from '../../../src/store/open-store.ts';

const [path, keyPath, step] = process.argv.slice(2);
let left = Number(step);

/** Before and after each write: where its process may be killed. */
async function mayStand(): Promise<void> {
  if (left-- > 0) return;
  process.stdout.write('here\n');
  await new Promise(() => setInterval(() => undefined, 1_000));
}

const store = await openStore({ databaseUrl: null, path: path!, clock: systemClock, logger: silentLogger });
const { secrets } = store;
const standing: SecretStore = {
  list: (app) => secrets.list(app),
  put: (secret) => secrets.put(secret),
  remove: (app, name) => secrets.remove(app, name),
  all: () => secrets.all(),
  async replace(pairs) {
    await mayStand();
    const replaced = await secrets.replace(pairs);
    await mayStand();
    return replaced;
  },
};
const file = new KeyFile(keyPath!);
const holder: KeyHolder = {
  label: file.label,
  read: () => file.read(),
  create: (key) => file.create(key),
  async change(change) {
    await mayStand();
    const keys = await file.change(change);
    await mayStand();
    return keys;
  },
};
const vault = await Vault.open({
  store: standing,
  holder,
  clock: systemClock,
  logger: silentLogger,
  mayMakeKey: true,
});
await vault.rotate();
process.stdout.write('whole\n');
await store.close();
