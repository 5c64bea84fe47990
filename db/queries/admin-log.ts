import { and, desc, eq, gte, like, lt, lte, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { managementTokens } from "../schema/access.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminAuditEvents } from "../schema/organizations.ts";
import { users } from "../schema/people.ts";
import type { SubjectKind } from "./admin-events.ts";

/** An admin event with what its actor and its subject are called, as far as they are still there. */
export interface AdminEventRecord {
  readonly id: string;
  readonly at: Date;
  readonly actorKind: (typeof adminAuditEvents.$inferSelect)["actorKind"];
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly via: (typeof adminAuditEvents.$inferSelect)["via"];
  readonly ip: string | null;
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly subjectName: string | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  /** JSON. */
  readonly metadata: string;
}

export interface AdminEventFilter {
  readonly id?: string;
  readonly actorId?: string;
  readonly subjectKind?: SubjectKind;
  readonly subjectId?: string;
  readonly via?: AdminEventRecord["via"];
  /** "key.revoked", or "key." for all that begins so. */
  readonly action?: string;
  /** Inclusive. */
  readonly from?: Date;
  /** Inclusive. */
  readonly to?: Date;
  /** Id of the last entry of the page before. */
  readonly before?: string;
}

/** Newest first, of one organization. Ids are UUIDv7, so they are the order of time. */
export async function listAdminEvents(
  db: Database,
  organizationId: string,
  filter: AdminEventFilter,
  limit: number,
): Promise<AdminEventRecord[]> {
  const event = adminAuditEvents;
  return db
    .select({
      id: event.id,
      at: event.createdAt,
      actorKind: event.actorKind,
      actorId: event.actorId,
      actorName: actorName.as("actor_name"),
      via: event.via,
      ip: event.ip,
      action: event.action,
      subjectKind: event.subjectKind,
      subjectId: event.subjectId,
      subjectName: subjectName.as("subject_name"),
      before: event.before,
      after: event.after,
      metadata: event.metadata,
    })
    .from(event)
    .where(
      and(
        eq(event.organizationId, organizationId),
        filter.id === undefined ? undefined : eq(event.id, filter.id),
        filter.actorId === undefined ? undefined : eq(event.actorId, filter.actorId),
        filter.subjectKind === undefined ? undefined : eq(event.subjectKind, filter.subjectKind),
        filter.subjectId === undefined ? undefined : eq(event.subjectId, filter.subjectId),
        filter.via === undefined ? undefined : eq(event.via, filter.via),
        filter.action === undefined ? undefined : whereAction(filter.action),
        filter.from === undefined ? undefined : gte(event.createdAt, filter.from),
        filter.to === undefined ? undefined : lte(event.createdAt, filter.to),
        filter.before === undefined ? undefined : lt(event.id, filter.before),
      ),
    )
    .orderBy(desc(event.id))
    .limit(limit);
}

function whereAction(action: string) {
  return action.endsWith(".")
    ? like(adminAuditEvents.action, `${action.replace(/[\\%_]/g, "\\$&")}%`)
    : eq(adminAuditEvents.action, action);
}

const actorName = sql<string | null>`CASE ${adminAuditEvents.actorKind}
  WHEN 'user' THEN (SELECT ${users.email} FROM ${users} WHERE ${users.id} = ${adminAuditEvents.actorId})
  WHEN 'management_token' THEN (SELECT ${managementTokens.name} FROM ${managementTokens}
    WHERE ${managementTokens.id} = ${adminAuditEvents.actorId})
  WHEN 'holder' THEN (SELECT ${holders.name} FROM ${holders} WHERE ${holders.id} = ${adminAuditEvents.actorId}) END`;

const subjectName = sql<string | null>`CASE ${adminAuditEvents.subjectKind}
  WHEN 'key' THEN (SELECT ${relayKeys.name} FROM ${relayKeys} WHERE ${relayKeys.id} = ${adminAuditEvents.subjectId})
  WHEN 'holder' THEN (SELECT ${holders.name} FROM ${holders} WHERE ${holders.id} = ${adminAuditEvents.subjectId})
  WHEN 'integration' THEN (SELECT ${integrations.name} FROM ${integrations}
    WHERE ${integrations.id} = ${adminAuditEvents.subjectId})
  WHEN 'management_token' THEN (SELECT ${managementTokens.name} FROM ${managementTokens}
    WHERE ${managementTokens.id} = ${adminAuditEvents.subjectId})
  WHEN 'user' THEN (SELECT ${users.email} FROM ${users} WHERE ${users.id} = ${adminAuditEvents.subjectId}) END`;
