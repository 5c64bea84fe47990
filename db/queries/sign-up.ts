import { eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { sessions } from "../schema/access.ts";
import { organizations } from "../schema/organizations.ts";
import { memberships } from "../schema/people.ts";
import { insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import type { Organization } from "./organizations.ts";
import { insertDomainClaim } from "./domains.ts";

/**
 * Makes an organization with its first admin, shows it in their session, and claims a domain for it. All or nothing: of two
 * people who sign up with one domain at the same time the second one fails on DOMAIN_HELD_INDEX.
 */
export async function openOrganization(
  db: Database,
  opened: {
    readonly organization: Pick<Organization, "id" | "name" | "plan" | "auditRetentionDays">;
    readonly admin: { readonly membershipId: string; readonly userId: string; readonly sessionId: string };
    readonly claim: { readonly id: string; readonly domain: string } | null;
    readonly events: readonly AdminEvent[];
  },
): Promise<void> {
  const { organization, admin, claim } = opened;
  const organizationId = organization.id;
  await db.batch([
    db.insert(organizations).values(organization),
    db
      .insert(memberships)
      .values({ id: admin.membershipId, organizationId, userId: admin.userId, role: "admin" }),
    ...(claim === null ? [] : [insertDomainClaim(db, { ...claim, organizationId })]),
    db
      .update(sessions)
      .set({ organizationId })
      .where(sql`${eq(sessions.id, admin.sessionId)} AND ${eq(sessions.userId, admin.userId)}`),
    ...opened.events.map((event) => insertAdminEvent(db, event)),
  ]);
}
