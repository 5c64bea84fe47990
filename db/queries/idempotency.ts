import { and, eq, isNull, lte } from "drizzle-orm";
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

/** What there is of an earlier request with the same key. `status` is null while it is being done. */
export type Earlier = Pick<
  typeof idempotencyKeys.$inferSelect,
  "requestHash" | "status" | "answer" | "createdAt"
>;

/**
 * Claims a request. Of several at the same time exactly one gets it.
 *
 * @returns null when it is the caller's to do, else what there is already.
 */
export async function claimRequest(
  db: Database,
  request: IdempotentRequest,
  times: { readonly now: Date; readonly expiresAt: Date },
): Promise<Earlier | null> {
  const { organizationId, keyHash } = request;
  const isIt = and(eq(idempotencyKeys.organizationId, organizationId), eq(idempotencyKeys.keyHash, keyHash));
  const [, claimed, found] = await db.batch([
    db
      .delete(idempotencyKeys)
      .where(
        and(eq(idempotencyKeys.organizationId, organizationId), lte(idempotencyKeys.expiresAt, times.now)),
      ),
    db
      .insert(idempotencyKeys)
      .values({ ...request, expiresAt: times.expiresAt, createdAt: times.now })
      .onConflictDoNothing()
      .returning({ keyHash: idempotencyKeys.keyHash }),
    db
      .select({
        requestHash: idempotencyKeys.requestHash,
        status: idempotencyKeys.status,
        answer: idempotencyKeys.answer,
        createdAt: idempotencyKeys.createdAt,
      })
      .from(idempotencyKeys)
      .where(isIt),
  ]);
  const [earlier] = found;
  if (claimed.length > 0) return null;
  if (earlier === undefined) throw new Error("A claimed request was not found.");
  return earlier;
}

/** Keeps the answer of a request that was done. `answer` is ciphertext, or an id: never a secret. */
export async function keepAnswer(
  db: Database,
  { organizationId, keyHash }: IdempotentRequest,
  done: { readonly status: number; readonly answer: string },
): Promise<void> {
  await db
    .update(idempotencyKeys)
    .set(done)
    .where(and(eq(idempotencyKeys.organizationId, organizationId), eq(idempotencyKeys.keyHash, keyHash)));
}

/** Gives a claim back: nothing was done, so that the request may be made again. */
export async function releaseRequest(
  db: Database,
  { organizationId, keyHash }: IdempotentRequest,
): Promise<void> {
  await db
    .delete(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.organizationId, organizationId),
        eq(idempotencyKeys.keyHash, keyHash),
        isNull(idempotencyKeys.status),
      ),
    );
}
