import { eq, sql } from "drizzle-orm";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import type { Database } from "../client.ts";
import { relayKeys } from "../schema/keys.ts";
import { organizations } from "../schema/organizations.ts";
import { insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";

/**
 * Sets how an organization's people confirm addresses. Their keys carry it, so each gets a new policy version.
 *
 * @returns how many keys now wait to be enforced.
 */
export async function setConfirmation(
  db: Database,
  organizationId: string,
  change: { readonly confirmation: ConfirmationPolicy; readonly event: AdminEvent },
): Promise<number> {
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.ipMode} = 'confirm'`);
  const [, , bumped] = await db.batch([
    db
      .update(organizations)
      .set({ confirmation: change.confirmation, revision: sql`${organizations.revision} + 1` })
      .where(eq(organizations.id, organizationId)),
    lock,
    bump,
    insertAdminEvent(db, change.event),
  ]);
  return bumped.rows.length;
}
