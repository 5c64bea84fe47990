import type { AdminEvent } from "@relaykey/db/queries/admin-events";
import { listMembershipsOf } from "@relaykey/db/queries/people";
import type { Role } from "@relaykey/db/schema/people";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";

/** Where a request comes from, as far as it is worth remembering. */
export interface Origin {
  /** Canonical address. */
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/**
 * Somebody who is signed in, whatever organization they look at, if any. What people do to their own account needs no role:
 * being them is all the right it takes.
 */
export interface Person extends Origin {
  readonly userId: string;
  readonly email: string;
  readonly sessionId: string;
  readonly organizationId: string | null;
  /** In that organization; null when they are no member of it. */
  readonly role: Role | null;
  readonly hasPasskey: boolean;
  /** False when a passkey is enrolled and was not shown of late. */
  readonly isStrong: boolean;
}

/** What opens other doors, such as a passkey, is changed by somebody who has shown theirs. */
export function requireStrong(person: Person): Outcome<null> {
  return person.isStrong ? ok(null) : fail("passkey_needed");
}

/**
 * The admin events of what a person did to their own account: one in each organization that they are a member of, because
 * it concerns each.
 */
export async function personEvents(
  deps: ServiceDependencies,
  person: Pick<Person, "userId" | "ip">,
  action: string,
  metadata: AdminEvent["metadata"],
): Promise<AdminEvent[]> {
  const memberships = await listMembershipsOf(deps.db, person.userId);
  return memberships.map(({ organizationId }) => ({
    organizationId,
    actor: { kind: "user", id: person.userId },
    via: "dashboard",
    ip: person.ip,
    action,
    subjectKind: "user",
    subjectId: person.userId,
    metadata,
  }));
}
