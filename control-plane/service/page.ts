/** Which part of a list is asked for. `cursor` is the id of the last entry of the page before. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor: string | null;
}

export interface Page<T> {
  readonly entries: readonly T[];
  /** null on the last page. */
  readonly nextCursor: string | null;
}

/** Makes a page of rows that were read with a limit of one more than was asked for. */
export function toPage<T>(rows: readonly T[], limit: number, idOf: (row: T) => string): Page<T> {
  const entries = rows.slice(0, limit);
  const last = entries.at(-1);
  return { entries, nextCursor: rows.length > limit && last !== undefined ? idOf(last) : null };
}
