import { and, desc, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { sessions } from "../schema/access.ts";
import { organizations } from "../schema/organizations.ts";
import { invitations, memberships, users } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { planGuard } from "./plans.ts";
import { revisionGuard } from "./revisions.ts";

/** An invitation that was neither accepted nor revoked. It may have expired: then it can be sent again. */
export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  /** Address of the person who asked; null when a token did. */
  readonly invitedBy: string | null;
  readonly expiresAt: Date;
  readonly revision: number;
  readonly createdAt: Date;
}

const columns = {
  id: invitations.id,
  email: invitations.email,
  role: invitations.role,
  invitedBy: users.email,
  expiresAt: invitations.expiresAt,
  revision: invitations.revision,
  createdAt: invitations.createdAt,
};

/** Open invitations, the newest first. `before` is the id of the last one of the page before. */
export async function listInvitations(
  db: Database,
  organizationId: string,
  page: { readonly limit: number; readonly before: string | null },
): Promise<Invitation[]> {
  return db
    .select(columns)
    .from(invitations)
    .leftJoin(users, eq(users.id, invitations.invitedBy))
    .where(
      and(
        eq(invitations.organizationId, organizationId),
        isOpen(),
        page.before === null ? undefined : lt(invitations.id, page.before),
      ),
    )
    .orderBy(desc(invitations.id))
    .limit(page.limit);
}

export async function findInvitation(
  db: Database,
  organizationId: string,
  id: string,
): Promise<Invitation | null> {
  const [row] = await db
    .select(columns)
    .from(invitations)
    .leftJoin(users, eq(users.id, invitations.invitedBy))
    .where(and(eq(invitations.organizationId, organizationId), eq(invitations.id, id), isOpen()));
  return row ?? null;
}

/**
 * Stores an invitation in place of any that the address has already: one link works at a time.
 *
 * @throws what `isPlanLimit` knows when the plan allows no more members.
 */
export async function insertInvitation(
  db: Database,
  invitation: typeof invitations.$inferInsert,
  event: AdminEvent,
  now: Date,
): Promise<void> {
  await db.batch([
    db
      .update(invitations)
      .set({ revokedAt: now, revision: sql`${invitations.revision} + 1` })
      .where(
        and(
          eq(invitations.organizationId, invitation.organizationId),
          eq(invitations.email, invitation.email),
          isOpen(),
        ),
      ),
    ...planGuard(db, invitation.organizationId, "members"),
    db.insert(invitations).values(invitation),
    insertAdminEvent(db, event),
  ]);
}

/**
 * Gives an open invitation a new link and new time; the link before is dead.
 *
 * @param renewal.expected the revision that it must be at; null = any.
 * @returns its revision now; null when there was no open one.
 * @throws what `isStale` knows when the revision is another.
 */
export async function renewInvitation(
  db: Database,
  organizationId: string,
  renewal: {
    readonly id: string;
    readonly tokenHash: string;
    readonly expiresAt: Date;
    readonly expected: number | null;
    readonly event: AdminEvent;
  },
): Promise<number | null> {
  const [, , changed] = await db.batch([
    ...revisionGuard(db, invitations, organizationId, renewal.id, renewal.expected),
    db.execute<{ revision: number }>(sql`
      WITH changed AS (
        UPDATE ${invitations} SET token_hash = ${renewal.tokenHash},
          expires_at = ${renewal.expiresAt.toISOString()}::timestamptz, revision = ${invitations.revision} + 1
        WHERE ${invitations.organizationId} = ${organizationId}::uuid AND ${invitations.id} = ${renewal.id}::uuid
          AND ${isOpen()}
        RETURNING revision
      ), ${adminEventCte(renewal.event)}
      SELECT revision FROM changed`),
  ]);
  return changed.rows[0]?.revision ?? null;
}

/**
 * Withdraws an open invitation.
 *
 * @param revocation.expected the revision that it must be at; null = any.
 * @returns whether there was an open one.
 * @throws what `isStale` knows when the revision is another.
 */
export async function revokeInvitation(
  db: Database,
  organizationId: string,
  revocation: {
    readonly id: string;
    readonly now: Date;
    readonly expected: number | null;
    readonly event: AdminEvent;
  },
): Promise<boolean> {
  const [, , changed] = await db.batch([
    ...revisionGuard(db, invitations, organizationId, revocation.id, revocation.expected),
    db.execute<{ id: string }>(sql`
      WITH changed AS (
        UPDATE ${invitations} SET revoked_at = ${revocation.now.toISOString()}::timestamptz,
          revision = ${invitations.revision} + 1
        WHERE ${invitations.organizationId} = ${organizationId}::uuid AND ${invitations.id} = ${revocation.id}::uuid
          AND ${isOpen()}
        RETURNING id
      ), ${adminEventCte(revocation.event)}
      SELECT id FROM changed`),
  ]);
  return changed.rows.length > 0;
}

/** What the link of an invitation leads to. */
export interface OfferedInvitation extends Omit<Invitation, "createdAt" | "revision"> {
  readonly organizationId: string;
  readonly organizationName: string;
}

/** Looks at a link and changes nothing; null when nothing can be accepted with it. The token is what names the tenant. */
export async function findOffer(
  db: Database,
  tokenHash: string,
  now: Date,
): Promise<OfferedInvitation | null> {
  const [row] = await db
    .select({
      id: invitations.id,
      email: invitations.email,
      role: invitations.role,
      invitedBy: users.email,
      expiresAt: invitations.expiresAt,
      organizationId: invitations.organizationId,
      organizationName: organizations.name,
    })
    .from(invitations)
    .innerJoin(organizations, eq(organizations.id, invitations.organizationId))
    .leftJoin(users, eq(users.id, invitations.invitedBy))
    .where(
      and(
        eq(invitations.tokenHash, tokenHash),
        isOpen(),
        gt(invitations.expiresAt, now),
        isNull(organizations.deleteAfter),
      ),
    );
  return row ?? null;
}

/**
 * Accepts an invitation for the address it was sent to: makes the membership and shows the organization in the session.
 * Of several acceptances at once one does it. Somebody who is a member already stays what they are.
 *
 * @returns whether it could still be accepted.
 */
export async function acceptInvitation(
  db: Database,
  accepted: {
    readonly tokenHash: string;
    readonly email: string;
    readonly userId: string;
    readonly sessionId: string;
    readonly membershipId: string;
    readonly now: Date;
    readonly event: AdminEvent;
  },
): Promise<boolean> {
  const now = sql`${accepted.now.toISOString()}::timestamptz`;
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${invitations} SET accepted_at = ${now}, revision = ${invitations.revision} + 1
      WHERE ${invitations.tokenHash} = ${accepted.tokenHash} AND ${invitations.email} = ${accepted.email}
        AND ${isOpen()} AND ${invitations.expiresAt} > ${now}
        AND EXISTS (SELECT 1 FROM ${organizations} WHERE ${organizations.id} = ${invitations.organizationId}
          AND ${organizations.deleteAfter} IS NULL)
      RETURNING organization_id, role
    ), joined AS (
      INSERT INTO ${memberships} (id, organization_id, user_id, role)
      SELECT ${accepted.membershipId}::uuid, organization_id, ${accepted.userId}::uuid, role FROM changed
      ON CONFLICT (organization_id, user_id) DO NOTHING
    ), shown AS (
      UPDATE ${sessions} SET organization_id = changed.organization_id FROM changed
      WHERE ${sessions.id} = ${accepted.sessionId}::uuid AND ${sessions.userId} = ${accepted.userId}::uuid
    ), ${adminEventCte(accepted.event)}
    SELECT 1 FROM changed`);
  return rows.length > 0;
}

function isOpen() {
  return and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt));
}
