/** A key as the holder object keeps it. `snapshot` is null for a key revoked before it was ever applied. */
export interface StoredKey {
  readonly keyId: string;
  readonly tokenHash: string;
  readonly version: number;
  readonly snapshot: string | null;
  readonly enforcedAt: number | null;
}

/** The latest moment (object clock, epoch ms) until which leases on a token are out, and who granted them. */
export interface StoredLease {
  readonly until: number;
  /** Identifies the object's incarnation: clocks are compared only within one. */
  readonly incarnation: string;
}

/** Counters behind limits. `windowStart` is epoch ms. */
export interface StoredUse {
  readonly taken: number;
  readonly windowStart: number;
  readonly windowTaken: number;
}

/** Requests that a lessee (one isolate on behalf of one network) may have under way with a key. */
export interface StoredSlots {
  readonly keyId: string;
  readonly lessee: string;
  readonly count: number;
  /** Of the lessee's question that this is the answer to. */
  readonly number: number;
  /** Until when (object clock, epoch ms) what it started in them may be under way. */
  readonly until: number;
  /** Of the object that granted them: clocks are compared only within one. */
  readonly incarnation: string;
}

export interface TrustedIp {
  readonly network: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/**
 * Durable state of one key holder. Every method is synchronous, as SQLite in a Durable Object is: what is read and
 * written in one turn is one transaction, and the object's output gate holds its answers back until it is on disk.
 */
export interface HolderStore {
  keyByHash(tokenHash: string): StoredKey | null;
  keyById(keyId: string): StoredKey | null;
  putKey(key: StoredKey): void;
  lease(tokenHash: string): StoredLease | null;
  putLease(tokenHash: string, lease: StoredLease): void;
  use(keyId: string): StoredUse | null;
  putUse(keyId: string, use: StoredUse): void;
  /** Slots of all lessees of the holder. */
  slots(): StoredSlots[];
  putSlots(slots: StoredSlots): void;
  removeSlots(keyId: string, lessee: string): void;
  trustedIps(): TrustedIp[];
  putTrustedIp(ip: TrustedIp): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    snapshot TEXT, enforced_at INTEGER
  );
  CREATE TABLE IF NOT EXISTS leases (token_hash TEXT PRIMARY KEY, until INTEGER NOT NULL, incarnation TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS uses (
    key_id TEXT PRIMARY KEY, taken INTEGER NOT NULL, window_start INTEGER NOT NULL, window_taken INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS held_slots (
    key_id TEXT NOT NULL, lessee TEXT NOT NULL, count INTEGER NOT NULL, number INTEGER NOT NULL,
    until INTEGER NOT NULL, incarnation TEXT NOT NULL, PRIMARY KEY (key_id, lessee)
  );
  CREATE TABLE IF NOT EXISTS trusted_ips (
    network TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL
  );
`;

/** The store over the object's own SQLite database. */
export class SqliteHolderStore implements HolderStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  keyByHash(tokenHash: string): StoredKey | null {
    return this.#key("SELECT * FROM keys WHERE token_hash = ?", tokenHash);
  }

  keyById(keyId: string): StoredKey | null {
    return this.#key("SELECT * FROM keys WHERE key_id = ?", keyId);
  }

  #key(query: string, parameter: string): StoredKey | null {
    const row = this.#sql
      .exec<{
        key_id: string;
        token_hash: string;
        version: number;
        snapshot: string | null;
        enforced_at: number | null;
      }>(query, parameter)
      .toArray()[0];
    return row === undefined
      ? null
      : {
          keyId: row.key_id,
          tokenHash: row.token_hash,
          version: row.version,
          snapshot: row.snapshot,
          enforcedAt: row.enforced_at,
        };
  }

  putKey(key: StoredKey): void {
    this.#sql.exec(
      `INSERT INTO keys (key_id, token_hash, version, snapshot, enforced_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key_id) DO UPDATE SET token_hash = excluded.token_hash, version = excluded.version,
         snapshot = excluded.snapshot, enforced_at = excluded.enforced_at`,
      key.keyId,
      key.tokenHash,
      key.version,
      key.snapshot,
      key.enforcedAt,
    );
  }

  lease(tokenHash: string): StoredLease | null {
    const row = this.#sql
      .exec<{
        until: number;
        incarnation: string;
      }>("SELECT until, incarnation FROM leases WHERE token_hash = ?", tokenHash)
      .toArray()[0];
    return row ?? null;
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

  trustedIps(): TrustedIp[] {
    return this.#sql
      .exec<{
        network: string;
        first_seen: number;
        last_seen: number;
      }>("SELECT * FROM trusted_ips ORDER BY first_seen")
      .toArray()
      .map((row) => ({ network: row.network, firstSeen: row.first_seen, lastSeen: row.last_seen }));
  }

  putTrustedIp(ip: TrustedIp): void {
    this.#sql.exec(
      `INSERT INTO trusted_ips (network, first_seen, last_seen) VALUES (?, ?, ?)
       ON CONFLICT (network) DO UPDATE SET last_seen = excluded.last_seen`,
      ip.network,
      ip.firstSeen,
      ip.lastSeen,
    );
  }
}
