import { and, desc, eq, isNull, lt, or, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { managementTokens } from "../schema/access.ts";
import { memberships } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { readTaken, take } from "./throttles.ts";
import type { Taken, Throttle } from "./throttles.ts";

export type ManagementToken = typeof managementTokens.$inferSelect;
export type NewManagementToken = typeof managementTokens.$inferInsert;

/**
 * Finds a management token by the SHA-256 (hex) of its text, and counts the call, in one transaction. Authentication
 * itself is the one look-up that cannot name an organization: the row says which one the caller belongs to.
 */
export async function presentManagementToken(
  db: Database,
  tokenHash: string,
  throttles: readonly Throttle[],
  now: Date,
): Promise<{ readonly token: ManagementToken | null; readonly taken: readonly Taken[] }> {
  const [rows, taken] = await db.batch([
    db
      .select({ token: managementTokens, ownerRole: memberships.role })
      .from(managementTokens)
      .leftJoin(
        memberships,
        and(
          eq(memberships.organizationId, managementTokens.organizationId),
          eq(memberships.userId, managementTokens.userId),
        ),
      )
      .where(eq(managementTokens.tokenHash, tokenHash)),
    take(db, throttles, now),
  ]);
  const [found] = rows;
  return { token: found === undefined ? null : asItsOwner(found, now), taken: readTaken(taken) };
}

/** What a person's command line may do is what they may: as a viewer it looks only, and once they are gone it is nothing. */
function asItsOwner(
  { token, ownerRole }: { readonly token: ManagementToken; readonly ownerRole: Role | null },
  now: Date,
): ManagementToken {
  if (token.userId === null || ownerRole === "admin") return token;
  return ownerRole === null ? { ...token, revokedAt: token.revokedAt ?? now } : { ...token, role: ownerRole };
}

/** Notes that a token was used, unless that was noted within the last minute. */
export async function noteTokenUse(
  db: Database,
  organizationId: string,
  tokenId: string,
  use: { readonly at: Date; readonly ip: string | null; readonly notSince: Date },
): Promise<void> {
  const { lastUsedAt } = managementTokens;
  await db
    .update(managementTokens)
    .set({ lastUsedAt: use.at, lastUsedIp: use.ip })
    .where(
      and(
        eq(managementTokens.organizationId, organizationId),
        eq(managementTokens.id, tokenId),
        or(isNull(lastUsedAt), lt(lastUsedAt, use.notSince)),
      ),
    );
}

/** A statement for a batch. */
export function insertManagementToken(db: Database, token: NewManagementToken) {
  return db.insert(managementTokens).values(token);
}

export async function createManagementToken(
  db: Database,
  token: NewManagementToken,
  event: AdminEvent,
): Promise<ManagementToken> {
  const [created] = await db.batch([
    db.insert(managementTokens).values(token).returning(),
    insertAdminEvent(db, event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted token was not returned.");
  return row;
}

export async function findManagementToken(
  db: Database,
  organizationId: string,
  tokenId: string,
): Promise<ManagementToken | null> {
  const [row] = await db
    .select()
    .from(managementTokens)
    .where(and(eq(managementTokens.organizationId, organizationId), eq(managementTokens.id, tokenId)));
  return row ?? null;
}

/** Newest first; `before` is the last id of the page before. */
export async function listManagementTokens(
  db: Database,
  organizationId: string,
  page: { readonly limit: number; readonly before: string | null },
): Promise<ManagementToken[]> {
  const before = page.before === null ? undefined : lt(managementTokens.id, page.before);
  return db
    .select()
    .from(managementTokens)
    .where(and(eq(managementTokens.organizationId, organizationId), before))
    .orderBy(desc(managementTokens.id))
    .limit(page.limit);
}

/** @returns false when it is revoked already, or is not there. */
export async function revokeManagementToken(
  db: Database,
  organizationId: string,
  tokenId: string,
  at: Date,
  event: AdminEvent,
): Promise<boolean> {
  const result = await db.execute(sql`
    WITH changed AS (
      UPDATE ${managementTokens} SET revoked_at = ${at.toISOString()}::timestamptz
      WHERE id = ${tokenId} AND organization_id = ${organizationId} AND revoked_at IS NULL
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return result.rows.length > 0;
}
