/** Runs SQL outside the Workers' driver: a script of several statements, or a query. */
export interface SqlExecutor {
  script(text: string): Promise<void>;
  rows(query: string, params: readonly string[]): Promise<(string | null)[][]>;
}

/** A migration file: its name orders it, its text never changes once it was applied. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** The database was migrated by another history than this one. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** Serialises migrations of several starts on one database; any constant number does. */
const LOCK = "7265617";

const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Applies what is not applied yet, each migration in a transaction of its own. Migrations only expand first and contract
 * later, so that the version before and after can run at the same time.
 *
 * @returns the names that were applied now.
 * @throws MigrationError when an applied migration is missing here or has changed.
 */
export async function migrate(
  database: SqlExecutor,
  migrations: readonly Migration[],
  onProgress: (name: string) => void = () => undefined,
): Promise<string[]> {
  await database.script(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK}); ${BOOKKEEPING}; COMMIT;`);
  const applied = new Map(
    (await database.rows("SELECT name, checksum FROM schema_migrations ORDER BY name", [])).map(
      ([name, checksum]) => [name ?? "", checksum ?? ""],
    ),
  );
  const known = new Set(migrations.map(({ name }) => name));
  const missing = [...applied.keys()].find((name) => !known.has(name));
  if (missing !== undefined) {
    throw new MigrationError(`The database was migrated by a newer version: "${missing}" is not known here.`);
  }
  const done: string[] = [];
  for (const { name, sql } of [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const checksum = await sha256(sql);
    const before = applied.get(name);
    if (before === checksum) continue;
    if (before !== undefined)
      throw new MigrationError(`The migration "${name}" was changed after it was applied.`);
    onProgress(name);
    await database.script(
      `BEGIN; SELECT pg_advisory_xact_lock(${LOCK}); ${sql};
       INSERT INTO schema_migrations (name, checksum) VALUES ('${name}', '${checksum}'); COMMIT;`,
    );
    done.push(name);
  }
  return done;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
