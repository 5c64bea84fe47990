import { DurableObject } from "cloudflare:workers";

export interface KvEntry {
  readonly value: ArrayBuffer;
  /** Seconds since the epoch, or null. */
  readonly expiration: number | null;
  /** JSON text, or null. */
  readonly metadata: string | null;
}

export interface KvListing {
  readonly keys: readonly {
    readonly name: string;
    readonly expiration: number | null;
    readonly metadata: string | null;
  }[];
  readonly complete: boolean;
}

/** One KV namespace as a SQLite object on disk. Keys are ordered by their UTF-8 bytes, as in KV. */
export class KvStore extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS entries (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL,
        expiration INTEGER,
        metadata TEXT
      ) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS entries_by_expiration ON entries (expiration) WHERE expiration IS NOT NULL;
    `);
  }

  read(name: string): KvEntry | null {
    const [row] = this.#sql
      .exec<{ value: ArrayBuffer; expiration: number | null; metadata: string | null }>(
        "SELECT value, expiration, metadata FROM entries WHERE name = ? AND (expiration IS NULL OR expiration > ?)",
        name,
        nowSeconds(),
      )
      .toArray();
    return row ?? null;
  }

  write(name: string, entry: KvEntry): void {
    this.#sql.exec("DELETE FROM entries WHERE expiration <= ?", nowSeconds());
    this.#sql.exec(
      "INSERT OR REPLACE INTO entries (name, value, expiration, metadata) VALUES (?, ?, ?, ?)",
      name,
      entry.value,
      entry.expiration,
      entry.metadata,
    );
  }

  remove(name: string): void {
    this.#sql.exec("DELETE FROM entries WHERE name = ?", name);
  }

  /** Names that start with `prefix` and come after `after`, `limit` at most. */
  list(prefix: string, after: string, limit: number): KvListing {
    const rows = this.#sql
      .exec<{ name: string; expiration: number | null; metadata: string | null }>(
        `SELECT name, expiration, metadata FROM entries
         WHERE name > ? AND name >= ? AND substr(name, 1, length(?)) = ? AND (expiration IS NULL OR expiration > ?)
         ORDER BY name LIMIT ?`,
        after,
        prefix,
        prefix,
        prefix,
        nowSeconds(),
        limit + 1,
      )
      .toArray();
    return { keys: rows.slice(0, limit), complete: rows.length <= limit };
  }

  /** Empties the namespace. */
  clear(): void {
    this.#sql.exec("DELETE FROM entries");
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
