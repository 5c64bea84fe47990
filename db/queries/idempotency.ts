import { and, eq, isNull, lte, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { idempotencyKeys } from "../schema/access.ts";

/** One request that must not be done twice. */
export interface IdempotentRequest {
  readonly organizationId: string;
  /** SHA-256 (hex) of caller and Idempotency-Key. */
  readonly keyHash: string;
  /** SHA-256 (hex) of method, path and body. */
  readonly requestHash: string;
}

/** One attempt at it. What it makes is noted by its admin event (`adminEventCte`), if it is still the one that may. */
export interface Claim extends IdempotentRequest {
  readonly claim: string;
}

/** What there is of an earlier attempt. `status` is null while it is being done. */
export type Earlier = Pick<
  typeof idempotencyKeys.$inferSelect,
  "requestHash" | "status" | "answer" | "madeId" | "sealed" | "createdAt"
>;

/**
 * Claims a request. Of several at the same time exactly one gets it.
 *
 * @param times.abandoned an attempt that began before and has made nothing yet is taken over: it can no longer commit.
 * @returns null when it is the caller's to do, else what there is already.
 */
export async function claimRequest(
  db: Database,
  { organizationId, keyHash, requestHash, claim }: Claim,
  times: { readonly now: Date; readonly expiresAt: Date; readonly abandoned: Date | null },
): Promise<Earlier | null> {
  const { now: createdAt, expiresAt, abandoned } = times;
  const [, claimed, found] = await db.batch([
    db
      .delete(idempotencyKeys)
      .where(
        and(eq(idempotencyKeys.organizationId, organizationId), lte(idempotencyKeys.expiresAt, createdAt)),
      ),
    db
      .insert(idempotencyKeys)
      .values({ organizationId, keyHash, requestHash, claim, expiresAt, createdAt })
      .onConflictDoUpdate({
        target: [idempotencyKeys.organizationId, idempotencyKeys.keyHash],
        set: { claim, expiresAt, createdAt },
        setWhere: sql`${idempotencyKeys.requestHash} = ${requestHash} AND ${idempotencyKeys.status} IS NULL
          AND ${idempotencyKeys.madeId} IS NULL
          AND ${idempotencyKeys.createdAt} <= ${abandoned?.toISOString() ?? null}::timestamptz`,
      })
      .returning({ keyHash: idempotencyKeys.keyHash }),
    db
      .select({
        requestHash: idempotencyKeys.requestHash,
        status: idempotencyKeys.status,
        answer: idempotencyKeys.answer,
        madeId: idempotencyKeys.madeId,
        sealed: idempotencyKeys.sealed,
        createdAt: idempotencyKeys.createdAt,
      })
      .from(idempotencyKeys)
      .where(and(eq(idempotencyKeys.organizationId, organizationId), eq(idempotencyKeys.keyHash, keyHash))),
  ]);
  const [earlier] = found;
  if (claimed.length > 0) return null;
  if (earlier === undefined) throw new Error("A claimed request was not found.");
  return earlier;
}

/** Keeps the answer of a request that was done, the first one. `answer` is ciphertext, or an id: never a secret. */
export async function keepAnswer(
  db: Database,
  { organizationId, keyHash }: IdempotentRequest,
  done: { readonly status: number; readonly answer: string },
): Promise<void> {
  await db
    .update(idempotencyKeys)
    .set(done)
    .where(
      and(
        eq(idempotencyKeys.organizationId, organizationId),
        eq(idempotencyKeys.keyHash, keyHash),
        isNull(idempotencyKeys.answer),
      ),
    );
}

/** Gives a claim back that has made nothing, so that the request may be made again. It can no longer make anything. */
export async function releaseRequest(
  db: Database,
  { organizationId, keyHash, claim }: Pick<Claim, "organizationId" | "keyHash" | "claim">,
): Promise<void> {
  await db
    .delete(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.organizationId, organizationId),
        eq(idempotencyKeys.keyHash, keyHash),
        eq(idempotencyKeys.claim, claim),
        isNull(idempotencyKeys.status),
        isNull(idempotencyKeys.madeId),
      ),
    );
}
