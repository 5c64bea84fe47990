import { PGlite } from "@electric-sql/pglite";
import type { Results } from "@electric-sql/pglite";
import { beginStatement } from "./backend.ts";
import type { SqlBackend, Statement, StatementResult, TransactionMode } from "./backend.ts";

/** PGlite's converters by type OID. */
type Converters = Record<number, (value: string) => string>;

/**
 * PostgreSQL in WebAssembly, stored in a folder. It is one session: statements and transactions run one after the
 * other.
 *
 * @param dataDir a folder, or `memory://` for a database that ends with the process.
 */
export async function openPglite(dataDir: string): Promise<SqlBackend> {
  const db = await PGlite.create(dataDir);
  const asText = await identityConverters(db);
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work, work);
    tail = turn.catch(() => undefined);
    return turn;
  };
  return {
    run: (statements, mode) => inTurn(() => runInTurn(db, asText, statements, mode)),
    script: (text) =>
      inTurn(async () => {
        await db.exec(text);
      }),
    close: () => inTurn(() => db.close()),
  };
}

async function runInTurn(
  db: PGlite,
  asText: Converters,
  statements: readonly Statement[],
  mode: TransactionMode,
): Promise<StatementResult[]> {
  const [single] = statements;
  if (single !== undefined && statements.length === 1) return [await query(db, asText, single)];
  await db.exec(beginStatement(mode));
  try {
    const results: StatementResult[] = [];
    for (const statement of statements) results.push(await query(db, asText, statement));
    await db.exec("COMMIT");
    return results;
  } catch (error) {
    await db.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Hands every value through as text, whatever its type: the driver at the other end knows how to read it. PGlite has
 * converters for array types too, so every type the database knows is named.
 */
async function identityConverters(db: PGlite): Promise<Converters> {
  const { rows } = await db.query<{ oid: number }>("SELECT oid::int4 AS oid FROM pg_type");
  return Object.fromEntries(rows.map(({ oid }) => [oid, (value: string) => value]));
}

async function query(db: PGlite, asText: Converters, statement: Statement): Promise<StatementResult> {
  const result: Results<(string | null)[]> = await db.query(statement.query, [...statement.params], {
    rowMode: "array",
    parsers: asText,
    serializers: asText,
  });
  const command = /^\s*(\w+)/.exec(statement.query)?.[1]?.toUpperCase() ?? "";
  const isRead = result.fields.length > 0 && (result.affectedRows ?? 0) === 0;
  return {
    command,
    rowCount: isRead ? result.rows.length : (result.affectedRows ?? 0),
    fields: result.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    rows: result.rows,
  };
}
