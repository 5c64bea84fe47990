import { and, eq, gt, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { deviceLogins, managementTokens } from "../schema/access.ts";
import { memberships } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { timestamp } from "./keys.ts";

export type DeviceLogin = typeof deviceLogins.$inferSelect;

/** Keeps a command line's question, and forgets those that nobody answered. */
export async function createDeviceLogin(
  db: Database,
  login: typeof deviceLogins.$inferInsert,
  forgetBefore: Date,
): Promise<void> {
  await db.batch([
    db.delete(deviceLogins).where(sql`${deviceLogins.expiresAt} < ${timestamp(forgetBefore)}`),
    db.insert(deviceLogins).values(login),
  ]);
}

/** The login that waits under a code which a person typed; null when there is none, or it is answered or expired. */
export async function findWaitingLogin(
  db: Database,
  userCodeHash: string,
  now: Date,
): Promise<DeviceLogin | null> {
  const [row] = await db.select().from(deviceLogins).where(waiting(userCodeHash, now));
  return row ?? null;
}

/** What a person decides about a command line. */
export type Decision =
  | { readonly state: "denied"; readonly organizationId: string; readonly userId: string }
  | {
      readonly state: "approved";
      readonly organizationId: string;
      readonly userId: string;
      readonly role: Role;
      readonly tokenSeconds: number;
    };

/** Answers a login that waits. Of several answers the first one counts. @returns false when there is none any more. */
export async function decideLogin(
  db: Database,
  userCodeHash: string,
  decision: Decision,
  now: Date,
  event: AdminEvent,
): Promise<boolean> {
  const granted = decision.state === "approved" ? decision : { role: null, tokenSeconds: null };
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${deviceLogins} SET state = ${decision.state}, organization_id = ${decision.organizationId}::uuid,
        user_id = ${decision.userId}::uuid, role = ${granted.role}::text, token_seconds = ${granted.tokenSeconds}::int
      WHERE ${waiting(userCodeHash, now)} RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return rows.length > 0;
}

/**
 * Notes that the command line asked.
 *
 * @returns the login as it was before, with when it had asked last; null when there is no such login.
 */
export async function noteLoginPoll(
  db: Database,
  deviceHash: string,
  now: Date,
): Promise<DeviceLogin | null> {
  const [found] = await db.batch([
    db.select().from(deviceLogins).where(eq(deviceLogins.deviceHash, deviceHash)).for("update"),
    db.update(deviceLogins).set({ lastPolledAt: now }).where(eq(deviceLogins.deviceHash, deviceHash)),
  ]);
  return found[0] ?? null;
}

/**
 * Uses an approved login up and makes its token, if the person who approved it may still give it: the role is theirs of
 * now, and never more than was approved.
 *
 * @returns false when there is nothing to use (any more).
 */
export async function useApprovedLogin(
  db: Database,
  deviceHash: string,
  token: {
    readonly id: string;
    readonly name: string;
    readonly tokenHash: string;
    readonly display: string;
    readonly expiresAt: Date;
  },
  now: Date,
  event: AdminEvent,
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${deviceLogins} AS login SET state = 'used'
      FROM ${memberships} AS member
      WHERE login.device_hash = ${deviceHash} AND login.state = 'approved' AND login.expires_at > ${timestamp(now)}
        AND member.organization_id = login.organization_id AND member.user_id = login.user_id AND member.role = 'admin'
      RETURNING login.id, login.organization_id, login.user_id, login.role
    ), made AS (
      INSERT INTO ${managementTokens} (id, organization_id, name, kind, role, token_hash, display, created_by_kind,
        created_by_id, user_id, expires_at)
      SELECT ${token.id}::uuid, organization_id, ${token.name}::text, 'standard', role, ${token.tokenHash}::text,
        ${token.display}::text, 'user', user_id, user_id, ${timestamp(token.expiresAt)}
      FROM changed
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return rows.length > 0;
}

/** Ends a management token by itself. Doing it again changes nothing. */
export async function endManagementToken(
  db: Database,
  organizationId: string,
  tokenId: string,
  now: Date,
  event: AdminEvent,
): Promise<void> {
  await db.batch([
    db
      .update(managementTokens)
      .set({ revokedAt: now })
      .where(and(eq(managementTokens.organizationId, organizationId), eq(managementTokens.id, tokenId))),
    insertAdminEvent(db, event),
  ]);
}

function waiting(userCodeHash: string, now: Date) {
  return and(
    eq(deviceLogins.userCodeHash, userCodeHash),
    eq(deviceLogins.state, "pending"),
    gt(deviceLogins.expiresAt, now),
  );
}
