import type { TrustedNetwork } from "@relaykey/core/rpc";
import { NO_NOTES, NOWHERE } from "./network-store.ts";
import type {
  HolderNotes,
  NetworkStore,
  StoredLink,
  StoredMessage,
  StoredPending,
  StoredReviewLink,
} from "./network-store.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS trusted_networks (network TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS pending_networks (id TEXT PRIMARY KEY, network TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS pending_by_network ON pending_networks (network);
  CREATE TABLE IF NOT EXISTS confirmation_links (
    token_hash TEXT PRIMARY KEY, pending_id TEXT NOT NULL, expires_at INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS review_links (token_hash TEXT PRIMARY KEY, expires_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS holder_notes (one INTEGER PRIMARY KEY CHECK (one = 1), record TEXT NOT NULL);
`;

/** Records are JSON of the types of network-store.ts, written and read here only; a member that is new has a default. */
interface Row extends Record<string, SqlStorageValue> {
  readonly record: string;
}

/** The network part of a holder's store, over the object's own SQLite database. */
export class SqliteNetworkStore implements NetworkStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
    this.#adoptFormerTable();
  }

  trusted(): TrustedNetwork[] {
    return this.#read<TrustedNetwork>("SELECT record FROM trusted_networks ORDER BY rowid");
  }

  trustedNetwork(network: string): TrustedNetwork | null {
    const query = "SELECT record FROM trusted_networks WHERE network = ?";
    return this.#read<TrustedNetwork>(query, network)[0] ?? null;
  }

  putTrusted(network: TrustedNetwork): void {
    this.#sql.exec(
      `INSERT INTO trusted_networks (network, record) VALUES (?, ?)
       ON CONFLICT (network) DO UPDATE SET record = excluded.record`,
      network.network,
      JSON.stringify(network),
    );
  }

  removeTrusted(network: string): void {
    this.#sql.exec("DELETE FROM trusted_networks WHERE network = ?", network);
  }

  pending(): StoredPending[] {
    return this.#read<StoredPending>("SELECT record FROM pending_networks ORDER BY rowid");
  }

  pendingOf(network: string): StoredPending[] {
    return this.#read<StoredPending>("SELECT record FROM pending_networks WHERE network = ?", network);
  }

  pendingById(id: string): StoredPending | null {
    return this.#read<StoredPending>("SELECT record FROM pending_networks WHERE id = ?", id)[0] ?? null;
  }

  putPending(entry: StoredPending): void {
    this.#sql.exec(
      `INSERT INTO pending_networks (id, network, record) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET record = excluded.record`,
      entry.id,
      entry.network,
      JSON.stringify(entry),
    );
  }

  removePending(id: string): void {
    this.#sql.exec("DELETE FROM pending_networks WHERE id = ?", id);
    this.#sql.exec("DELETE FROM confirmation_links WHERE pending_id = ?", id);
  }

  link(tokenHash: string): StoredLink | null {
    const query = "SELECT pending_id, expires_at FROM confirmation_links WHERE token_hash = ?";
    const row = this.#sql.exec<{ pending_id: string; expires_at: number }>(query, tokenHash).toArray()[0];
    return row === undefined ? null : { pendingId: row.pending_id, expiresAt: row.expires_at };
  }

  putLink(tokenHash: string, { pendingId, expiresAt }: StoredLink): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO confirmation_links (token_hash, pending_id, expires_at) VALUES (?, ?, ?)",
      tokenHash,
      pendingId,
      expiresAt,
    );
  }

  reviewLinks(): StoredReviewLink[] {
    return this.#sql
      .exec<{ token_hash: string; expires_at: number }>("SELECT token_hash, expires_at FROM review_links")
      .toArray()
      .map((row) => ({ tokenHash: row.token_hash, expiresAt: row.expires_at }));
  }

  reviewLink(tokenHash: string): number | null {
    const query = "SELECT expires_at FROM review_links WHERE token_hash = ?";
    return this.#sql.exec<{ expires_at: number }>(query, tokenHash).toArray()[0]?.expires_at ?? null;
  }

  putReviewLink({ tokenHash, expiresAt }: StoredReviewLink): void {
    this.#sql.exec(
      `INSERT INTO review_links (token_hash, expires_at) VALUES (?, ?)
       ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at`,
      tokenHash,
      expiresAt,
    );
  }

  removeReviewLink(tokenHash: string): void {
    this.#sql.exec("DELETE FROM review_links WHERE token_hash = ?", tokenHash);
  }

  messages(): StoredMessage[] {
    return this.#sql
      .exec<{
        id: number;
        queue: string;
        body: string;
        attempts: number;
        due: number;
      }>("SELECT * FROM messages ORDER BY id")
      .toArray()
      .map((row) => ({ ...row, queue: row.queue === "mail" ? "mail" : "notice" }));
  }

  addMessage({ queue, body, due }: Omit<StoredMessage, "id" | "attempts">): void {
    this.#sql.exec("INSERT INTO messages (queue, body, attempts, due) VALUES (?, ?, 0, ?)", queue, body, due);
  }

  putMessage({ id, attempts, due }: StoredMessage): void {
    this.#sql.exec("UPDATE messages SET attempts = ?, due = ? WHERE id = ?", attempts, due, id);
  }

  removeMessage(id: number): void {
    this.#sql.exec("DELETE FROM messages WHERE id = ?", id);
  }

  notes(): HolderNotes {
    return { ...NO_NOTES, ...this.#read<HolderNotes>("SELECT record FROM holder_notes")[0] };
  }

  putNotes(notes: HolderNotes): void {
    this.#sql.exec(
      "INSERT INTO holder_notes (one, record) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET record = excluded.record",
      JSON.stringify(notes),
    );
  }

  #read<T>(query: string, ...parameters: string[]): T[] {
    return this.#sql
      .exec<Row>(query, ...parameters)
      .toArray()
      .map(({ record }) => JSON.parse(record) as T);
  }

  /** Networks that were trusted before it was kept how, and from where. */
  #adoptFormerTable(): void {
    const former = this.#sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'trusted_ips'")
      .toArray();
    if (former.length === 0) return;
    const rows = this.#sql
      .exec<{ network: string; first_seen: number; last_seen: number }>("SELECT * FROM trusted_ips")
      .toArray();
    for (const { network, first_seen: firstSeen, last_seen: lastSeen } of rows) {
      this.putTrusted({ network, source: "first_use", firstSeen, lastSeen, place: NOWHERE });
    }
    if (rows.length > 0) this.putNotes({ ...this.notes(), firstUseTaken: true });
    this.#sql.exec("DROP TABLE trusted_ips");
  }
}
