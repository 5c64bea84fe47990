import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { newId } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { idempotencyKeys } from "../schema/access.ts";
import { adminAuditEvents } from "../schema/organizations.ts";
import type { VIAS } from "../schema/organizations.ts";

/** Who did it. `system` is the installation itself: seeding, retries. `holder` acts through a confirmation page. */
export type Actor =
  | { readonly kind: "management_token"; readonly id: string }
  | { readonly kind: "user"; readonly id: string }
  | { readonly kind: "holder"; readonly id: string }
  | { readonly kind: "system"; readonly id: null };

export const SUBJECT_KINDS = [
  "organization",
  "integration",
  "holder",
  "key",
  "management_token",
  "user",
  "membership",
  "invitation",
  "domain_claim",
  "webhook_endpoint",
  "webhook_delivery",
  "notice",
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

type Facts = Readonly<Record<string, unknown>>;

/** One admin action. `before`, `after` and `metadata` say what changed and never hold a secret. */
export interface AdminEvent {
  readonly organizationId: string;
  readonly actor: Actor;
  /** Through which face. */
  readonly via: (typeof VIAS)[number];
  /** Canonical address of who did it; null when nobody called. */
  readonly ip: string | null;
  /** "noun.verb-ed", such as "key.revoked". */
  readonly action: string;
  readonly subjectKind: SubjectKind;
  readonly subjectId: string;
  readonly before?: Facts;
  readonly after?: Facts;
  readonly metadata: Facts;
  /** The request that makes the subject, where it must not be done twice. */
  readonly request?: MakingRequest;
}

/** A claim of `queries/idempotency`, and what its answer shows once, as ciphertext. */
export interface MakingRequest {
  readonly organizationId: string;
  readonly keyHash: string;
  readonly claim: string;
  readonly sealed: string | null;
}

/** The event as a row. */
export function adminEventRow(event: AdminEvent): typeof adminAuditEvents.$inferInsert & { id: string } {
  return {
    id: newId(),
    organizationId: event.organizationId,
    actorKind: event.actor.kind,
    actorId: event.actor.id,
    via: event.via,
    ip: event.ip,
    action: event.action,
    subjectKind: event.subjectKind,
    subjectId: event.subjectId,
    before: event.before ?? null,
    after: event.after ?? null,
    metadata: JSON.stringify(event.metadata),
  };
}

/** A statement for the batch of the action itself: no action without its event, and no event without the action. */
export function insertAdminEvent(db: Database, event: AdminEvent) {
  return db.execute(sql`WITH changed AS (SELECT 1), ${adminEventCte(event)} SELECT 1`);
}

/**
 * The event as a CTE that follows one called `changed`: written once, and only if `changed` has a row. For changes whose
 * condition is part of the statement. With it is noted what a request made; when the request is another attempt's by now, the
 * whole transaction fails.
 *
 * @param name of the CTE, where a statement records several events.
 */
export function adminEventCte(event: AdminEvent, name: `recorded${string}` = "recorded"): SQL {
  const row = adminEventRow(event);
  return sql`${event.request === undefined ? sql`` : notedCte(event.request, row.subjectId)}${sql.raw(name)} AS (
      INSERT INTO ${adminAuditEvents} (${COLUMNS})
      SELECT ${row.id}::uuid, ${columnsOf(row)}, ${row.subjectId}::uuid
      WHERE ${event.request === undefined ? sql`EXISTS (SELECT 1 FROM changed)` : IS_NOTED}
    )`;
}

function notedCte({ organizationId, keyHash, claim, sealed }: MakingRequest, madeId: string): SQL {
  return sql`noted AS (
      UPDATE ${idempotencyKeys} SET made_id = ${madeId}::uuid, sealed = ${sealed}::text
      WHERE organization_id = ${organizationId}::uuid AND key_hash = ${keyHash} AND claim = ${claim}::uuid
        AND made_id IS NULL AND EXISTS (SELECT 1 FROM changed)
      RETURNING 1
    ), `;
}

/** Fails, by what can be read as no boolean, when something changed for a claim that is not held any more. */
const IS_NOTED = sql`CASE
        WHEN NOT EXISTS (SELECT 1 FROM changed) THEN false
        WHEN EXISTS (SELECT 1 FROM noted) THEN true
        ELSE (SELECT ('the claim is lost ' || count(*))::boolean FROM noted)
      END`;

/** The same for what concerns several organizations, or none: a comma before each. */
export function adminEventCtes(events: readonly AdminEvent[]): SQL {
  return sql.join(events.map((event, index) => sql`, ${adminEventCte(event, `recorded_${String(index)}`)}`));
}

/** The same for a change of many things at once: one event for each row of `changed`, whose id is its subject. */
export function adminEventsCte(event: Omit<AdminEvent, "subjectId">, now: Date): SQL {
  const row = adminEventRow({ ...event, subjectId: "" });
  return sql`recorded AS (
      INSERT INTO ${adminAuditEvents} (${COLUMNS})
      SELECT ${timeOrderedId(now)}, ${columnsOf(row)}, changed.id FROM changed
    )`;
}

const COLUMNS = sql.raw(
  "id, organization_id, actor_kind, actor_id, via, ip, action, subject_kind, before, after, metadata, subject_id",
);

function columnsOf(row: ReturnType<typeof adminEventRow>): SQL {
  const json = (facts: Facts | null | undefined): string | null =>
    facts === null || facts === undefined ? null : JSON.stringify(facts);
  return sql`${row.organizationId}::uuid, ${row.actorKind}::text, ${row.actorId}::uuid, ${row.via}::text,
        ${row.ip}::text, ${row.action}::text, ${row.subjectKind}::text, ${json(row.before)}::jsonb,
        ${json(row.after)}::jsonb, ${row.metadata}::text`;
}

/** A UUIDv7 made by the database, where the application does not know how many rows there will be. */
function timeOrderedId(now: Date): SQL {
  const ms = now.getTime().toString(16).padStart(12, "0");
  const head = `${ms.slice(0, 8)}-${ms.slice(8)}-7`;
  return sql`overlay(gen_random_uuid()::text PLACING ${head} FROM 1 FOR 15)::uuid`;
}
