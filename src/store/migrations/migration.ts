/** One step of the schema. Once released it is never changed: another is added behind it. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sqlite: string;
}
