import * as fc from 'fast-check';

type Damage = { readonly at: number; readonly kind: number; readonly byte: number };

/** Flips, drops, doubles or inserts bytes, overwrites a length or a type, or cuts the rest off. */
export function damage(bytes: Buffer, { at, kind, byte }: Damage): Buffer {
  const place = at % bytes.length;
  const [before, behind] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 0: {
      const changed = Buffer.from(bytes);
      changed[place] = changed[place]! ^ (1 << (byte & 7));
      return changed;
    }
    case 1:
      return Buffer.concat([before, behind.subarray(1 + (byte & 15))]);
    case 2:
      return Buffer.concat([before, behind.subarray(0, byte & 31), behind]);
    case 3:
      return Buffer.concat([before, Buffer.alloc(1 + (byte & 31), byte), behind]);
    case 4:
      return before;
    default: {
      const changed = Buffer.from(bytes);
      for (let i = 0; i < 4 && place + i < changed.length; i++) changed[place + i] = byte;
      return changed;
    }
  }
}

/** A few hurts to one transcript. */
export const damages = fc.array(fc.record({ at: fc.nat(6_000), kind: fc.nat(5), byte: fc.nat(255) }), {
  minLength: 1,
  maxLength: 3,
});
