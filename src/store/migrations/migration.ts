/** One step of the schema. Once released it is never changed: another is added behind it. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sqlite: string;
  /** Runs with our own schema as the search path. Texts are `COLLATE "C"`: in the order of their bytes, as SQLite has them. */
  readonly postgres: string;
}
