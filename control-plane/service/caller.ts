import type { ScopeRule } from "@relaykey/core/scope";
import type { ProvisionBounds, TOKEN_KINDS } from "@relaykey/db/schema/access";
import type { Role } from "@relaykey/db/schema/people";
import type { Actor, AdminEvent, SubjectKind } from "@relaykey/db/queries/admin-events";

/** On whose behalf an action is done, within which organization, and what they may do there. */
export interface Caller {
  readonly organizationId: string;
  readonly actor: Actor;
  readonly via: AdminEvent["via"];
  /** Canonical address; null when nobody called. */
  readonly ip: string | null;
  readonly role: Role;
  /** The management token that is used; null for a person in the dashboard. */
  readonly token: {
    readonly id: string;
    readonly kind: (typeof TOKEN_KINDS)[number];
    readonly rules: readonly ScopeRule[] | null;
    readonly ipCidrs: readonly string[] | null;
    readonly expiresAt: Date | null;
    readonly bounds: ProvisionBounds | null;
  } | null;
  /** False when a passkey is enrolled and was not shown of late: dangerous actions then ask for it. */
  readonly isStrong: boolean;
}

/** The installation itself: retries, consumers of queues. */
export function systemCaller(organizationId: string): Caller {
  return {
    organizationId,
    actor: { kind: "system", id: null },
    via: "system",
    ip: null,
    role: "admin",
    token: null,
    isStrong: true,
  };
}

/** The admin event of what a caller does. `before` and `after` hold what changed, never a secret. */
export function adminEvent(
  caller: Caller,
  action: string,
  subject: { readonly kind: SubjectKind; readonly id: string },
  facts: Pick<AdminEvent, "before" | "after"> & { readonly metadata?: AdminEvent["metadata"] } = {},
): AdminEvent {
  const { organizationId, actor, via, ip } = caller;
  const { metadata = {}, ...change } = facts;
  return {
    organizationId,
    actor,
    via,
    ip,
    action,
    subjectKind: subject.kind,
    subjectId: subject.id,
    ...change,
    metadata,
  };
}

/** Of a row and what is set on it: the members that change, as they were and as they will be. */
export function changedFacts(
  row: Readonly<Record<string, unknown>> | object,
  change: Readonly<Record<string, unknown>> | object,
): { readonly before: Record<string, unknown>; readonly after: Record<string, unknown> } {
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(change)) {
    const was: unknown = (row as Readonly<Record<string, unknown>>)[name];
    if (JSON.stringify(was) === JSON.stringify(value)) continue;
    before[name] = was;
    after[name] = value;
  }
  return { before, after };
}
