import type { Secret } from "@relaykey/core/secret";
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
    /** Whose command line has it; null: it stands for itself. */
    readonly userId: string | null;
  } | null;
  /** False when a passkey is enrolled and was not shown of late: dangerous actions then ask for it. */
  readonly isStrong: boolean;
  /** The request that they make, where it must not be done twice (api/idempotency). */
  readonly request?: {
    readonly organizationId: string;
    readonly keyHash: string;
    readonly claim: string;
    /** Encrypts what its answer shows once, so that only the caller can have the answer again. */
    readonly seal: (secret: Secret) => Promise<string>;
  };
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

/**
 * The admin event of what a caller makes. It notes in the transaction that makes it which request did, so that repeating the
 * request gets the answer again and makes nothing, whatever became of the first one after that.
 *
 * @param shown what the answer shows once.
 */
export async function creationEvent(
  caller: Caller,
  action: string,
  subject: { readonly kind: SubjectKind; readonly id: string },
  facts: Parameters<typeof adminEvent>[3] = {},
  shown: Secret | null = null,
): Promise<AdminEvent> {
  const event = adminEvent(caller, action, subject, facts);
  if (caller.request === undefined) return event;
  const { seal, ...request } = caller.request;
  return { ...event, request: { ...request, sealed: shown === null ? null : await seal(shown) } };
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
