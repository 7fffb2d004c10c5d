import type { RawHeaders, RequestHead } from '../model/http.ts';

/** A request's head as a component sees it. Its fields are one text, which is how the wire carries them; a list for whoever wants one. */
export class ComponentHead implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly target: string;
  readonly fields: string;

  /** @param fields name, value, … with NUL between. */
  constructor(method: string, url: string, target: string, fields: string) {
    this.method = method;
    this.url = url;
    this.target = target;
    this.fields = fields;
  }

  get headers(): RawHeaders {
    return this.fields.split('\0');
  }
}
