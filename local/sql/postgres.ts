import pg from "pg";
import { beginStatement } from "./backend.ts";
import type { SqlBackend, Statement, StatementResult } from "./backend.ts";

/** Hands every value through as text. */
const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string | Buffer) => value.toString() };

/** A real PostgreSQL behind `DATABASE_URL`, over a small pool. */
export function openPostgres(databaseUrl: string): SqlBackend {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on("error", () => undefined);
  return {
    async run(statements, mode) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        const [single] = statements;
        if (single !== undefined && statements.length === 1) return [await query(client, single)];
        await client.query(beginStatement(mode));
        try {
          const results: StatementResult[] = [];
          for (const statement of statements) results.push(await query(client, statement));
          await client.query("COMMIT");
          return results;
        } catch (error) {
          await client.query("ROLLBACK").catch((reason: unknown) => {
            broken = reason instanceof Error ? reason : new Error("The connection is broken.");
          });
          throw error;
        }
      } finally {
        client.release(broken);
      }
    },
    async script(text) {
      await pool.query(text);
    },
    close: () => pool.end(),
  };
}

async function query(client: pg.PoolClient, statement: Statement): Promise<StatementResult> {
  const result = await client.query<(string | null)[]>({
    text: statement.query,
    values: [...statement.params],
    rowMode: "array",
    types: asText,
  });
  return {
    command: result.command,
    rowCount: result.rowCount,
    fields: result.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })),
    rows: result.rows,
  };
}
