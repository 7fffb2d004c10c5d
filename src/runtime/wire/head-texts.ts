import type { RawHeaders } from '../../model/http.ts';
import { splitFields } from './messages.ts';

/** Takes the fields of an instance's answers apart. Most answers of a component have the same ones, and are then given the same list. */
export class HeadTexts {
  #text = '';
  #fields: RawHeaders = [];

  /** @returns a list that must not be changed. Throws `wire-protocol` where a field has no value. */
  split(text: string): RawHeaders {
    // Frozen, the list tells that it stays what it is, and that what was read out of it may be kept.
    if (text === this.#text) return Object.freeze(this.#fields);
    this.#fields = splitFields(text);
    this.#text = text;
    return this.#fields;
  }
}
