import { formatBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { isVariableName } from '../base/variable-name.ts';
import type { SealedSecret, SecretStore } from '../model/secret-store.ts';
import { KeyFile } from './key-file.ts';
import { KeyVariable } from './key-variable.ts';
import type { KeyHolder, Keys } from './keys.ts';
import { newSealKey, seal, unseal, type SealKey } from './seal.ts';

const MAX_VALUE_BYTES = 64 * 1024;
const MAX_NAME_CHARS = 200;
const MAX_PER_APP = 500;
const BATCH = 100;
/** A secret that is set while a rotation runs waits for it, so that one round is enough; more tells of another server at work. */
const MAX_ROUNDS = 5;
const MAX_TOLD = 20;

export interface VaultOptions {
  readonly store: SecretStore;
  readonly holder: KeyHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether a key may be made where there is none and nothing is kept. Not where other servers share the store: each would make its own. */
  readonly mayMakeKey: boolean;
}

export interface Rotation {
  /** Of the key that everything is sealed with now. */
  readonly keyId: string;
  readonly resealed: number;
  /** What did not open, and is as it was: `KEY of 'shop'`. */
  readonly unopened: readonly string[];
}

export interface ForgottenKeys {
  readonly keyId: string;
  readonly forgotten: readonly string[];
  /** Retired, but something is still sealed with them. */
  readonly kept: readonly string[];
}

interface SealedAnew {
  readonly resealed: number;
  readonly unopened: readonly SealedSecret[];
}

/** Where a server's key is: `FULCRUM_KEY` where it is set, else the file, which is made at the first start. */
export function keyHolder(env: NodeJS.ProcessEnv, file: string): KeyHolder {
  const current = env['FULCRUM_KEY'];
  if (current === undefined || current === '') return new KeyFile(file);
  return new KeyVariable(current, env['FULCRUM_PREVIOUS_KEY'] || null);
}

/**
 * Apps' secrets: values go in, are kept sealed, and come out only for a release that names them.
 *
 * A rotation writes the new key down before the old one and seals every secret anew. The old key stays, retired, until somebody has it
 * forgotten: backups are sealed with it. What is kept under a retired key, after a rotation that was killed or a restore, is sealed anew at
 * the next start.
 */
export class Vault {
  readonly #store: SecretStore;
  readonly #holder: KeyHolder;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #keys: Keys;
  /** Every key of this process's time that was not forgotten here, for another server may take one out of the file while we seal with it. */
  readonly #known = new Map<string, SealKey>();
  /** What changes something takes turns. Other servers of the machine do not: they are met by looking again after each write. */
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * Rejects with `secret-key-invalid` where there is no key although something is kept, where the key cannot be used, and where one
   * would have to be made but may not. A secret that no key opens keeps nobody from starting but its own app.
   */
  static async open(options: VaultOptions): Promise<Vault> {
    const { store, holder, logger, mayMakeKey } = options;
    const kept = await store.all();
    let keys = await holder.read();
    if (keys === null) {
      if (kept.length > 0) throw noKey(kept[0]!.keyId, holder);
      if (!mayMakeKey) throw keyNeeded();
      keys = await holder.create(newSealKey());
    }
    const vault = new Vault(options, keys);
    const { current } = keys;
    if (keys.retired.length > 0 || kept.some(({ keyId }) => keyId !== current.id)) {
      await vault
        .#inTurn(() => vault.#sealAnew())
        .then(({ unopened }) => vault.#tellOf(unopened))
        .catch((error: unknown) => {
          logger.error({ error: messageOf(error) }, 'secrets could not all be sealed with the new key');
        });
    }
    return vault;
  }

  private constructor({ store, holder, clock, logger }: VaultOptions, keys: Keys) {
    this.#store = store;
    this.#holder = holder;
    this.#clock = clock;
    this.#logger = logger;
    this.#keys = keys;
    this.#learn(keys);
  }

  /** By name, without values. */
  async list(app: string): Promise<readonly { readonly name: string; readonly updatedAtMs: number }[]> {
    return (await this.#store.list(app)).map(({ name, updatedAtMs }) => ({ name, updatedAtMs }));
  }

  /** Rejects with `bad-request` for a name or value that no environment variable can have, and where there are too many. */
  async set(app: string, name: string, value: string): Promise<void> {
    assertName(name);
    assertValue(value);
    await this.#inTurn(async () => {
      const there = await this.#store.list(app);
      if (there.length >= MAX_PER_APP && !there.some((secret) => secret.name === name)) {
        throw new FulcrumError('bad-request', `An app may have ${MAX_PER_APP} secrets, and '${app}' has.`);
      }
      await this.#refresh();
      let mine = this.#sealed({ app, name, updatedAtMs: this.#clock.nowMs() }, value);
      await this.#store.put(mine);
      // Another server may have rotated, and even have the key forgotten, between our reading of the key and the write.
      for (let round = 0; round < MAX_ROUNDS; round++) {
        await this.#refresh();
        if (this.#keys.current.id === mine.keyId) return;
        const after = this.#sealed(mine, value);
        // Who has sealed it anew already, or set it to something else, was not wrong.
        if ((await this.#store.replace([{ before: mine, after }])) === 0) return;
        mine = after;
      }
    });
  }

  /** @returns whether there was one. */
  remove(app: string, name: string): Promise<boolean> {
    return this.#inTurn(() => this.#store.remove(app, name));
  }

  /**
   * The values of those of `names` that are kept. Rejects with `secret-damaged`, and with `secret-key-invalid` where one was sealed
   * with a key that the server does not have; both name the secret.
   */
  values(app: string, names: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const wanted = new Set(names);
    // In turn as well: what was read sealed with a retired key must be opened before that is forgotten.
    return this.#inTurn(async () => {
      const values = new Map<string, string>();
      for (const secret of await this.#store.list(app)) {
        if (wanted.has(secret.name)) values.set(secret.name, await this.#open(secret));
      }
      return values;
    });
  }

  /**
   * Makes a new key and seals everything with it, also what an earlier rotation that was cut off has left. What does not open stays as it is,
   * and is told. Rejects with `conflict` where the key is not the server's to change, or where there are too many.
   */
  rotate(): Promise<Rotation> {
    return this.#inTurn(async () => {
      this.#learn(
        await this.#holder.change(({ current, retired }) => ({
          current: newSealKey(),
          retired: [current, ...retired],
        })),
      );
      const { resealed, unopened } = await this.#sealAnew();
      return { keyId: this.#keys.current.id, resealed, unopened: unopened.map(placeOf) };
    });
  }

  /**
   * Takes the retired keys out that nothing in the store is sealed with. What was backed up before the last rotation cannot be opened any
   * more then, but with a copy of the key file. Rejects with `conflict` where the key is not the server's to change.
   */
  forgetKeys(): Promise<ForgottenKeys> {
    return this.#inTurn(async () => {
      if (!(this.#holder instanceof KeyVariable)) await this.#sealAnew();
      const needed = new Set((await this.#store.all()).map(({ keyId }) => keyId));
      let forgotten: readonly SealKey[] = [];
      const { current, retired } = await this.#holder.change((keys) => {
        forgotten = keys.retired.filter(({ id }) => !needed.has(id));
        return { ...keys, retired: keys.retired.filter(({ id }) => needed.has(id)) };
      });
      this.#learn({ current, retired });
      for (const { id } of forgotten) this.#known.delete(id);
      return { keyId: current.id, forgotten: idsOf(forgotten), kept: idsOf(retired) };
    });
  }

  /** Seals with the current key whatever opens and is not sealed with it. */
  async #sealAnew(): Promise<SealedAnew> {
    let resealed = 0;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await this.#refresh();
      const { current } = this.#keys;
      const old = (await this.#store.all()).filter(({ keyId }) => keyId !== current.id);
      const unopened: SealedSecret[] = [];
      for (let at = 0; at < old.length; at += BATCH) {
        const pairs = [];
        for (const before of old.slice(at, at + BATCH)) {
          const key = this.#known.get(before.keyId);
          const value = key === undefined ? null : unseal(key, before, before.sealed);
          if (value === null) unopened.push(before);
          else
            pairs.push({
              before,
              after: { ...before, keyId: current.id, sealed: seal(current, before, value) },
            });
        }
        if (pairs.length > 0) resealed += await this.#store.replace(pairs);
      }
      if (unopened.length === old.length) return { resealed, unopened };
    }
    throw new FulcrumError(
      'conflict',
      'Secrets are being set with the old key all the while, by another server. End that one first, then rotate again.',
    );
  }

  /** At a start. */
  #tellOf(unopened: readonly SealedSecret[]): void {
    if (unopened.length > 0) {
      const places = unopened.slice(0, MAX_TOLD).map(placeOf).join(', ');
      const more = unopened.length > MAX_TOLD ? ` and ${unopened.length - MAX_TOLD} more` : '';
      this.#logger.error({}, `secrets do not open, so their apps cannot start: ${places}${more}`);
    } else if (this.#holder instanceof KeyVariable) {
      // What was given as a variable is taken away by whoever gave it.
      this.#logger.info(
        {},
        'every secret is sealed with FULCRUM_KEY; FULCRUM_PREVIOUS_KEY is not needed any more, but for older backups',
      );
    }
  }

  #sealed(place: Omit<SealedSecret, 'keyId' | 'sealed'>, value: string): SealedSecret {
    const { current } = this.#keys;
    const { app, name, updatedAtMs } = place;
    return { app, name, updatedAtMs, keyId: current.id, sealed: seal(current, { app, name }, value) };
  }

  async #open(secret: SealedSecret): Promise<string> {
    if (!this.#known.has(secret.keyId)) await this.#refresh();
    const key = this.#known.get(secret.keyId);
    if (key === undefined) throw foreign(secret, this.#keys.current.id, this.#holder);
    const value = unseal(key, secret, secret.sealed);
    if (value !== null) return value;
    throw new FulcrumError(
      'secret-damaged',
      `The secret ${placeOf(secret)} is not what was sealed for it: it was changed, or moved there. Set it again with \`${setAgain(secret)}\`.`,
    );
  }

  /** Another server of this machine, which hands over to us or has, may have changed the key. */
  async #refresh(): Promise<void> {
    this.#learn((await this.#holder.read()) ?? this.#keys);
  }

  #learn(keys: Keys): void {
    this.#keys = keys;
    for (const key of [keys.current, ...keys.retired]) this.#known.set(key.id, key);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function idsOf(keys: readonly SealKey[]): string[] {
  return keys.map(({ id }) => id);
}

function placeOf({ app, name }: SealedSecret): string {
  return `${name} of '${app}'`;
}

function setAgain({ app, name }: SealedSecret): string {
  return `fulcrum secrets set ${name} --app ${app}`;
}

function noKey(expected: string, { label }: KeyHolder): FulcrumError {
  return new FulcrumError(
    'secret-key-invalid',
    `Secrets in the store were sealed with the key ${expected}, and ${label} is not there. Give the server the key that they were sealed with.`,
    { details: { expected, found: null } },
  );
}

function keyNeeded(): FulcrumError {
  return new FulcrumError(
    'secret-key-invalid',
    'With DATABASE_URL every server of that database needs the same key for secrets: give it in FULCRUM_KEY (`openssl rand -base64 32` makes one), or start with --make-key where no other server will use the database.',
  );
}

function foreign(secret: SealedSecret, found: string, { label }: KeyHolder): FulcrumError {
  const more = label === 'FULCRUM_KEY' ? 'in FULCRUM_PREVIOUS_KEY' : 'as a further line of the file';
  return new FulcrumError(
    'secret-key-invalid',
    `The secret ${placeOf(secret)} was sealed with the key ${secret.keyId}, and the one in ${label} is ${found}. Give the server that key too, ${more}, or set the secret again with \`${setAgain(secret)}\`.`,
    { details: { expected: secret.keyId, found } },
  );
}

function assertName(name: string): void {
  if (isVariableName(name) && name.length <= MAX_NAME_CHARS) return;
  throw new FulcrumError(
    'bad-request',
    `'${name.slice(0, MAX_NAME_CHARS)}' cannot be a secret's name: letters, digits and _, not beginning with a digit, at most ${MAX_NAME_CHARS}.`,
  );
}

/** Says nothing of the value itself. */
function assertValue(value: string): void {
  if (value.includes('\0')) {
    throw new FulcrumError(
      'bad-request',
      'The value has a NUL character, which no environment variable can hold.',
    );
  }
  if (!value.isWellFormed()) {
    throw new FulcrumError(
      'bad-request',
      'The value is not valid Unicode. Encode binary data, in base64 for instance.',
    );
  }
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw new FulcrumError('bad-request', `The value is longer than ${formatBytes(MAX_VALUE_BYTES)}.`);
  }
}
