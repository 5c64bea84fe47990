import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { openSigner, readChainKeys } from "@relaykey/core/audit-chain/keys";
import type { ChainCheck } from "@relaykey/core/audit-chain/problem";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { newId } from "@relaykey/core/ids";
import type { Notice } from "@relaykey/core/notice";
import { openDatabase } from "@relaykey/db/client";
import { appendAuditEvents } from "@relaykey/db/queries/audit-append";
import { readChainCheck } from "@relaykey/db/queries/audit-chain-checks";
import { organizations } from "@relaykey/db/schema/organizations";
import { ChainVerifier } from "../chain-verifier.ts";
import { verifyChain } from "../verify-chains.ts";

export const db = openDatabase(env.DATABASE_URL, env.RELAYKEY_SQL_ENDPOINT);
export const signer = await openSigner(env.RELAYKEY_AUDIT_KEY);
export const chainKeys = (await readChainKeys(env.RELAYKEY_AUDIT_PUBLIC_KEYS)) ?? [];

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** An organization whose chain began an hour ago, so that nothing counts as older than it. */
export class ChainTenant {
  readonly id: string;
  readonly notices: Notice[] = [];
  readonly #began = Date.now() - HOUR_MS;
  #made = 0;

  private constructor(id: string) {
    this.id = id;
  }

  static async create(): Promise<ChainTenant> {
    const id = newId();
    await db.insert(organizations).values({ id, name: "Chained" });
    return new ChainTenant(id);
  }

  /** An event, each a second after the one before, some fields of a caller's choice. */
  event(changes: Partial<AuditEvent> = {}): AuditEvent {
    this.#made += 1;
    const at = changes.at ?? this.#began + this.#made * 1_000;
    return {
      v: 1,
      requestId: idAt(at),
      at,
      organizationId: this.id,
      integrationId: newId(),
      integrationSlug: "openai",
      keyId: newId(),
      holderId: newId(),
      method: "GET",
      path: `/v1/models/${String(this.#made)}`,
      query: null,
      decision: "allowed",
      reason: null,
      outcome: "completed",
      status: 200,
      upstreamStatus: 200,
      ip: "203.0.113.7",
      userAgent: 'it\'s "quoted" \\ 漢字 \u2028',
      durationMs: 3,
      bytesIn: 0,
      bytesOut: 2 ** 40,
      retentionDays: 30,
      droppedHeaders: ["cookie"],
      ...changes,
    };
  }

  /** Writes so many events as one batch. */
  async write(count: number, changes: Partial<AuditEvent> = {}): Promise<AuditEvent[]> {
    const events = Array.from({ length: count }, () => this.event(changes));
    await appendAuditEvents(db, signer, events, this.#began);
    return events;
  }

  /** Does what somebody who owns the database can do. */
  async tamper(...statements: readonly SQL[]): Promise<void> {
    for (const statement of statements) await db.execute(statement);
  }

  /** What a look at the whole chain finds, each check once. */
  async checks(keys = chainKeys): Promise<ChainCheck[]> {
    const verifier = new ChainVerifier(db, this.id, keys, new Date().toISOString().slice(0, 10));
    const { problems } = await verifier.after(null);
    return [...new Set(problems.map(({ check }) => check))];
  }

  /** Checks the chain as the job does, and gives what was noted of it. */
  async verify() {
    const send = (notice: Notice): Promise<void> => {
      this.notices.push(notice);
      return Promise.resolve();
    };
    await verifyChain(db, this.id, chainKeys, send, Date.now());
    return readChainCheck(db, this.id);
  }

  rows(): SQL {
    return sql`organization_id = ${this.id}`;
  }
}

/** A request id of a moment. */
function idAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newId().slice(13)}`;
}
