import { and, eq, gt } from "drizzle-orm";
import type { Database } from "../client.ts";
import { formDrafts } from "../schema/access.ts";

type FormDraft = typeof formDrafts.$inferInsert;

/** Whose a draft is, and where they typed it. */
type DraftOwner = Pick<FormDraft, "userId" | "organizationId">;

/** Keeps a draft in place of the one that the person had. */
export async function keepFormDraft(db: Database, draft: FormDraft): Promise<void> {
  const { userId: _, ...set } = draft;
  await db.insert(formDrafts).values(draft).onConflictDoUpdate({ target: formDrafts.userId, set });
}

/** @returns the ciphertext; null when there is none of this person, in this organization, under this cookie. */
export async function findFormDraft(
  db: Database,
  { userId, organizationId }: DraftOwner,
  tokenHash: string,
  now: Date,
): Promise<string | null> {
  const [row] = await db
    .select({ sealed: formDrafts.sealed })
    .from(formDrafts)
    .where(
      and(
        eq(formDrafts.tokenHash, tokenHash),
        eq(formDrafts.userId, userId),
        eq(formDrafts.organizationId, organizationId),
        gt(formDrafts.expiresAt, now),
      ),
    );
  return row?.sealed ?? null;
}

/** Forgets the draft of a browser, whoever's it is. */
export async function deleteFormDraft(db: Database, tokenHash: string): Promise<void> {
  await db.delete(formDrafts).where(eq(formDrafts.tokenHash, tokenHash));
}
