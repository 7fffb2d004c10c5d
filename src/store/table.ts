export type ColumnType = 'text' | 'integer' | 'real' | 'bytes';

export interface Column {
  readonly type: ColumnType;
  readonly nullable?: true;
}

export interface Table {
  readonly columns: Readonly<Record<string, Column>>;
  /** The primary key: rows are unique by it, and are copied in its order. */
  readonly key: readonly string[];
  /** Rows of a batch while copying: some megabytes at most. */
  readonly batchRows: number;
}

export const text = { type: 'text' } as const;
export const integer = { type: 'integer' } as const;
export const real = { type: 'real' } as const;
export const bytes = { type: 'bytes' } as const;
export const optionalText = { type: 'text', nullable: true } as const;
export const optionalInteger = { type: 'integer', nullable: true } as const;
export const optionalReal = { type: 'real', nullable: true } as const;
export const optionalBytes = { type: 'bytes', nullable: true } as const;
