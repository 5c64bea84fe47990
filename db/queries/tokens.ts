import { eq } from "drizzle-orm";
import type { Database } from "../client.ts";
import { managementTokens } from "../schema/access.ts";

export type ManagementToken = typeof managementTokens.$inferSelect;
export type NewManagementToken = typeof managementTokens.$inferInsert;

/**
 * Finds a management token by the SHA-256 (hex) of its text. Authentication itself is the one look-up that cannot name an
 * organization: the row says which one the caller belongs to.
 */
export async function findManagementToken(db: Database, tokenHash: string): Promise<ManagementToken | null> {
  const [row] = await db.select().from(managementTokens).where(eq(managementTokens.tokenHash, tokenHash));
  return row ?? null;
}

/** A statement for a batch. */
export function insertManagementToken(db: Database, token: NewManagementToken) {
  return db.insert(managementTokens).values(token);
}
