import { newId } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { adminAuditEvents } from "../schema/organizations.ts";

/** Who did it. `system` is the installation itself: seeding, retries. */
export type Actor =
  | { readonly kind: "management_token"; readonly id: string }
  | { readonly kind: "member"; readonly id: string }
  | { readonly kind: "system"; readonly id: null };

/** One admin action. `metadata` says what changed and never holds a secret. */
export interface AdminEvent {
  readonly organizationId: string;
  readonly actor: Actor;
  readonly action: string;
  readonly subjectKind: "organization" | "integration" | "holder" | "key" | "management_token";
  readonly subjectId: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The event as a row. */
export function adminEventRow(event: AdminEvent): typeof adminAuditEvents.$inferInsert {
  return {
    id: newId(),
    organizationId: event.organizationId,
    actorKind: event.actor.kind,
    actorId: event.actor.id,
    action: event.action,
    subjectKind: event.subjectKind,
    subjectId: event.subjectId,
    metadata: JSON.stringify(event.metadata),
  };
}

/** A statement for the batch of the action itself: no action without its event, and no event without the action. */
export function insertAdminEvent(db: Database, event: AdminEvent) {
  return db.insert(adminAuditEvents).values(adminEventRow(event));
}
