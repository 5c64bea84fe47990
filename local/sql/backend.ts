/** A statement with its parameters as the driver serialised them: text, or null. */
export interface Statement {
  readonly query: string;
  readonly params: readonly (string | null)[];
}

/** Rows as text, as PostgreSQL's wire protocol carries them. */
export interface StatementResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (string | null)[][];
}

/** Transaction modes the HTTP protocol can ask for. */
export interface TransactionMode {
  readonly isolation: "read uncommitted" | "read committed" | "repeatable read" | "serializable" | null;
  readonly readOnly: boolean;
}

/** A PostgreSQL that the endpoint stands in front of. */
export interface SqlBackend {
  /** Runs all statements in one transaction, or a single one on its own. Throws what PostgreSQL reports. */
  run(statements: readonly Statement[], mode: TransactionMode): Promise<StatementResult[]>;
  /** Runs a script of several statements without parameters. */
  script(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The statements that open a transaction in a mode. */
export function beginStatement(mode: TransactionMode): string {
  const isolation = mode.isolation === null ? "" : ` ISOLATION LEVEL ${mode.isolation.toUpperCase()}`;
  return `BEGIN${isolation}${mode.readOnly ? " READ ONLY" : ""}`;
}

/** Runs one statement and gives its rows as text. */
export async function queryRows(
  backend: SqlBackend,
  query: string,
  params: readonly string[],
): Promise<readonly (readonly (string | null)[])[]> {
  const [result] = await backend.run([{ query, params: [...params] }], { isolation: null, readOnly: false });
  return result?.rows ?? [];
}
