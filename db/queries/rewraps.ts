import { and, asc, eq, isNull, lte, ne, not, or, sql } from "drizzle-orm";
import type { CustomerKey } from "@relaykey/core/custody/customer-key";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import type { Destination } from "@relaykey/core/destination";
import type { EnvelopeStarts } from "@relaykey/core/envelope";
import type { Database } from "../client.ts";
import { custodyKeys } from "../schema/custody.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { isCurrent } from "./custody.ts";
import { timestamp } from "./keys.ts";
import { bumpKeys } from "./outbox.ts";

/** A sealed vendor key whose data key is wrapped for keys that are not, or no longer, set. */
export interface DueRewrap {
  readonly id: string;
  readonly organizationId: string;
  readonly integrationId: string;
  readonly version: number;
  /** The one it was sealed for, as far as the integration still says so. */
  readonly destination: Destination;
  readonly envelope: string;
  readonly failures: number;
  readonly customerKey: CustomerKey | null;
}

/**
 * What is to be rewrapped. Nothing keeps a list: what an envelope is sealed for stands in it, so that a run that was
 * interrupted is gone on with by the next one.
 *
 * @param which of one organization, all that waits; null: of all of them, what is due.
 */
export async function dueRewraps(
  db: Database,
  starts: EnvelopeStarts,
  which: string | null,
  now: Date,
  limit: number,
): Promise<DueRewrap[]> {
  const rows = await db
    .select({
      id: integrationSecrets.id,
      organizationId: integrationSecrets.organizationId,
      integrationId: integrationSecrets.integrationId,
      version: integrationSecrets.version,
      destination: {
        origin: integrations.upstreamOrigin,
        basePath: integrations.upstreamBasePath,
        credential: integrations.credential,
        scrubResponses: integrations.scrubResponses,
      },
      envelope: integrationSecrets.envelope,
      failures: integrationSecrets.rewrapFailures,
      arn: custodyKeys.keyArn,
      publicKey: custodyKeys.publicKey,
    })
    .from(integrationSecrets)
    .innerJoin(integrations, eq(integrations.id, integrationSecrets.integrationId))
    .leftJoin(custodyKeys, eq(custodyKeys.organizationId, integrationSecrets.organizationId))
    .where(
      and(
        ne(integrationSecrets.envelope, ""),
        not(isCurrent(starts)),
        which === null
          ? or(isNull(integrationSecrets.rewrapDueAt), lte(integrationSecrets.rewrapDueAt, now))
          : eq(integrationSecrets.organizationId, which),
      ),
    )
    .orderBy(asc(integrationSecrets.rewrapFailures), asc(integrationSecrets.id))
    .limit(limit);
  return rows.map(({ arn, publicKey, ...row }) => ({
    ...row,
    customerKey: arn === null || publicKey === null ? null : { arn, publicKey },
  }));
}

/**
 * Puts a rewrapped envelope in the place of the one it was made from, and only of that one: what was rotated or destroyed
 * meanwhile stays as it is. The keys that use it get a new policy version.
 *
 * @returns the ids of the keys that now wait to be enforced; null when there is another envelope now.
 */
export async function storeRewrapped(
  db: Database,
  { id, organizationId, envelope: former }: DueRewrap,
  change: { readonly envelope: string; readonly now: Date; readonly event: AdminEvent },
): Promise<string[] | null> {
  const using = sql`${relayKeys.integrationId} = (
    SELECT integration.id FROM integrations AS integration
    JOIN integration_secrets AS secret
      ON secret.integration_id = integration.id AND secret.version = integration.secret_version
    WHERE secret.id = ${id}::uuid AND secret.envelope = ${change.envelope}::text)`;
  const [lock, bump] = bumpKeys(db, organizationId, using);
  const [changed, , bumped] = await db.batch([
    db.execute(sql`
      WITH changed AS (
        UPDATE ${integrationSecrets}
        SET envelope = ${change.envelope}::text, rewrapped_at = ${timestamp(change.now)},
          rewrap_problem = NULL, rewrap_failures = 0, rewrap_due_at = NULL
        WHERE id = ${id}::uuid AND organization_id = ${organizationId}::uuid AND envelope = ${former}::text
        RETURNING id
      ), ${adminEventCte(change.event)}
      SELECT id FROM changed`),
    lock,
    bump,
  ]);
  return changed.rows.length === 0 ? null : bumped.rows.map((row) => row.key_id);
}

/** Notes why an envelope could not be rewrapped, and when that is tried again. */
export async function markRewrapFailed(
  db: Database,
  { id, organizationId, envelope }: DueRewrap,
  failure: { readonly problem: CustodyProblem; readonly dueAt: Date },
): Promise<void> {
  await db
    .update(integrationSecrets)
    .set({
      rewrapProblem: failure.problem,
      rewrapDueAt: failure.dueAt,
      rewrapFailures: sql`${integrationSecrets.rewrapFailures} + 1`,
    })
    .where(
      and(
        eq(integrationSecrets.id, id),
        eq(integrationSecrets.organizationId, organizationId),
        eq(integrationSecrets.envelope, envelope),
      ),
    );
}
