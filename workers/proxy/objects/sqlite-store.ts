import type { HolderStore, StoredKey, StoredLease, StoredSlots, StoredUse } from "./holder-store.ts";
import { SqliteNetworkStore } from "./sqlite-network-store.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    snapshot TEXT, enforced_at INTEGER, edition INTEGER, freezes INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS leases (token_hash TEXT PRIMARY KEY, until INTEGER NOT NULL, incarnation TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS uses (
    key_id TEXT PRIMARY KEY, taken INTEGER NOT NULL, window_start INTEGER NOT NULL, window_taken INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS held_slots (
    key_id TEXT NOT NULL, lessee TEXT NOT NULL, count INTEGER NOT NULL, number INTEGER NOT NULL,
    until INTEGER NOT NULL, incarnation TEXT NOT NULL, PRIMARY KEY (key_id, lessee)
  );
`;

/** The store over the object's own SQLite database. */
export class SqliteHolderStore extends SqliteNetworkStore implements HolderStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    super(sql);
    this.#sql = sql;
    sql.exec(SCHEMA);
    addKeyColumns(sql);
  }

  keyByHash(tokenHash: string): StoredKey | null {
    return this.#keys("WHERE token_hash = ?", tokenHash)[0] ?? null;
  }

  keyById(keyId: string): StoredKey | null {
    return this.#keys("WHERE key_id = ?", keyId)[0] ?? null;
  }

  keys(): StoredKey[] {
    return this.#keys("ORDER BY rowid");
  }

  #keys(clause: string, ...parameters: string[]): StoredKey[] {
    return this.#sql
      .exec<{
        key_id: string;
        token_hash: string;
        version: number;
        edition: number | null;
        snapshot: string | null;
        enforced_at: number | null;
        freezes: number;
      }>(`SELECT * FROM keys ${clause}`, ...parameters)
      .toArray()
      .map((row) => ({
        keyId: row.key_id,
        tokenHash: row.token_hash,
        version: row.version,
        edition: row.edition ?? row.version,
        snapshot: row.snapshot,
        enforcedAt: row.enforced_at,
        freezes: row.freezes,
      }));
  }

  putKey(key: StoredKey): void {
    this.#sql.exec(
      `INSERT INTO keys (key_id, token_hash, version, edition, snapshot, enforced_at, freezes)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key_id) DO UPDATE SET token_hash = excluded.token_hash, version = excluded.version,
         edition = excluded.edition, snapshot = excluded.snapshot, enforced_at = excluded.enforced_at,
         freezes = excluded.freezes`,
      key.keyId,
      key.tokenHash,
      key.version,
      key.edition,
      key.snapshot,
      key.enforcedAt,
      key.freezes,
    );
  }

  lease(tokenHash: string): StoredLease | null {
    const query = "SELECT until, incarnation FROM leases WHERE token_hash = ?";
    return this.#sql.exec<{ until: number; incarnation: string }>(query, tokenHash).toArray()[0] ?? null;
  }

  leases(): StoredLease[] {
    return this.#sql
      .exec<{ until: number; incarnation: string }>("SELECT until, incarnation FROM leases")
      .toArray();
  }

  putLease(tokenHash: string, lease: StoredLease): void {
    this.#sql.exec(
      `INSERT INTO leases (token_hash, until, incarnation) VALUES (?, ?, ?)
       ON CONFLICT (token_hash) DO UPDATE SET until = excluded.until, incarnation = excluded.incarnation`,
      tokenHash,
      lease.until,
      lease.incarnation,
    );
  }

  use(keyId: string): StoredUse | null {
    const row = this.#sql
      .exec<{
        taken: number;
        window_start: number;
        window_taken: number;
      }>("SELECT taken, window_start, window_taken FROM uses WHERE key_id = ?", keyId)
      .toArray()[0];
    return row === undefined
      ? null
      : { taken: row.taken, windowStart: row.window_start, windowTaken: row.window_taken };
  }

  putUse(keyId: string, use: StoredUse): void {
    this.#sql.exec(
      `INSERT INTO uses (key_id, taken, window_start, window_taken) VALUES (?, ?, ?, ?)
       ON CONFLICT (key_id) DO UPDATE SET taken = excluded.taken, window_start = excluded.window_start,
         window_taken = excluded.window_taken`,
      keyId,
      use.taken,
      use.windowStart,
      use.windowTaken,
    );
  }

  slots(): StoredSlots[] {
    return this.#sql
      .exec<{
        key_id: string;
        lessee: string;
        count: number;
        number: number;
        until: number;
        incarnation: string;
      }>("SELECT * FROM held_slots")
      .toArray()
      .map((row) => ({
        keyId: row.key_id,
        lessee: row.lessee,
        count: row.count,
        number: row.number,
        until: row.until,
        incarnation: row.incarnation,
      }));
  }

  putSlots(slots: StoredSlots): void {
    this.#sql.exec(
      `INSERT INTO held_slots (key_id, lessee, count, number, until, incarnation) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (key_id, lessee) DO UPDATE SET count = excluded.count, number = excluded.number,
         until = excluded.until, incarnation = excluded.incarnation`,
      slots.keyId,
      slots.lessee,
      slots.count,
      slots.number,
      slots.until,
      slots.incarnation,
    );
  }

  removeSlots(keyId: string, lessee: string): void {
    this.#sql.exec("DELETE FROM held_slots WHERE key_id = ? AND lessee = ?", keyId, lessee);
  }
}

/** Objects that were made before keys had these columns. */
function addKeyColumns(sql: SqlStorage): void {
  const columns = sql.exec<{ name: string }>("PRAGMA table_info(keys)").toArray();
  if (columns.some(({ name }) => name === "edition")) return;
  sql.exec("ALTER TABLE keys ADD COLUMN edition INTEGER");
  sql.exec("ALTER TABLE keys ADD COLUMN freezes INTEGER NOT NULL DEFAULT 0");
}
