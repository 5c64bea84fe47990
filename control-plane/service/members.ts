import * as queries from "@relaykey/db/queries/members";
import type { Member } from "@relaykey/db/queries/members";
import type { Role } from "@relaykey/db/schema/people";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";
import { unlessStale } from "./stale.ts";

export async function listMembers(
  deps: ServiceDependencies,
  caller: Caller,
  page: PageRequest,
): Promise<Outcome<Page<Member>>> {
  const allowed = authorize(caller, "member.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listMembers(deps.db, caller.organizationId, {
    limit: page.limit + 1,
    after: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

export async function showMember(
  deps: ServiceDependencies,
  caller: Caller,
  memberId: string,
): Promise<Outcome<Member>> {
  const allowed = authorize(caller, "member.read");
  if (!allowed.ok) return allowed;
  const member = await queries.findMember(deps.db, caller.organizationId, { id: memberId });
  return member === null ? fail("not_found") : ok(member);
}

/**
 * Makes a member an admin or a viewer. The last admin stays one.
 *
 * @param expected the revision that the membership must be at; null = any.
 */
export async function changeMemberRole(
  deps: ServiceDependencies,
  caller: Caller,
  memberId: string,
  role: Role,
  expected: number | null = null,
): Promise<Outcome<Member>> {
  const allowed = authorize(caller, "member.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const member = await queries.findMember(deps.db, organizationId, { id: memberId });
  if (member === null) return fail("not_found");
  if (expected !== null && member.revision !== expected) return fail("precondition_failed");
  if (member.role === role) return ok(member);
  const event = adminEvent(
    caller,
    "member.role_changed",
    { kind: "membership", id: member.id },
    { before: { role: member.role }, after: { role }, metadata: { email: member.email } },
  );
  return unlessStale(async () => {
    const change = { id: member.id, role, expected, event };
    const revision = await queries.changeRole(deps.db, organizationId, change);
    return revision === null ? keptAdmin(deps, caller, member.id) : ok({ ...member, role, revision });
  });
}

/**
 * Ends somebody's membership at once, also in the browsers where they are looking at the organization.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function removeMember(
  deps: ServiceDependencies,
  caller: Caller,
  memberId: string,
  expected: number | null = null,
): Promise<Outcome<Member>> {
  const allowed = authorize(caller, "member.change");
  if (!allowed.ok) return allowed;
  const member = await queries.findMember(deps.db, caller.organizationId, { id: memberId });
  if (member === null) return fail("not_found");
  return remove(deps, caller, member, { action: "member.removed", expected });
}

/** Ends one's own membership. */
export async function leaveOrganization(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Member>> {
  const allowed = authorize(caller, "member.leave");
  if (!allowed.ok) return allowed;
  const { organizationId, actor } = caller;
  if (actor.kind !== "user") return fail("people_only");
  const member = await queries.findMember(deps.db, organizationId, { userId: actor.id });
  if (member === null) return fail("not_found");
  return remove(deps, caller, member, { action: "member.left", expected: null });
}

async function remove(
  deps: ServiceDependencies,
  caller: Caller,
  member: Member,
  { action, expected }: { readonly action: string; readonly expected: number | null },
): Promise<Outcome<Member>> {
  const event = adminEvent(
    caller,
    action,
    { kind: "membership", id: member.id },
    { before: { email: member.email, role: member.role } },
  );
  return unlessStale(async () => {
    const change = { id: member.id, expected, event };
    const removed = await queries.removeMember(deps.db, caller.organizationId, change);
    return removed ? ok(member) : keptAdmin(deps, caller, member.id);
  });
}

/** Why nothing was changed: the member is gone already, or is the last admin. */
async function keptAdmin(
  deps: ServiceDependencies,
  caller: Caller,
  memberId: string,
): Promise<Outcome<Member>> {
  const member = await queries.findMember(deps.db, caller.organizationId, { id: memberId });
  return member === null ? fail("not_found") : member.role === "admin" ? fail("last_admin") : ok(member);
}
