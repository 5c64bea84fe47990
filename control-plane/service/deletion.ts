import { newId } from "@relaykey/core/ids";
import * as queries from "@relaykey/db/queries/deletion";
import { findOrganization } from "@relaykey/db/queries/organizations";
import type { Organization } from "@relaykey/db/queries/organizations";
import { openKeys } from "@relaykey/db/queries/outbox";
import { listAdminAddresses } from "@relaykey/db/queries/people";
import { authorize } from "./authorization.ts";
import { endBilling } from "./billing/sync.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceOpenKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** How long a deletion can be taken back. */
export const GRACE_DAYS = 7;
const DAY_MS = 86_400_000;
/** Organizations per run of the job, and audit events per statement and per run. */
const MAX_PER_RUN = 3;
const AUDIT_CHUNK = 5_000;
const MAX_CHUNKS = 20;

export interface MarkedOrganization {
  readonly organization: Organization;
  readonly enforcement: FanOut;
}

/**
 * Has the organization deleted in seven days. Its keys are refused from now on, as in a freeze; its admins are told, and each
 * of them can take it back.
 *
 * @param typedName what the person typed to show that they mean this one.
 */
export async function requestDeletion(
  deps: ServiceDependencies,
  caller: Caller,
  typedName: string,
): Promise<Outcome<MarkedOrganization>> {
  const allowed = authorize(caller, "organization.delete");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const organization = await findOrganization(deps.db, organizationId);
  if (organization === null) return fail("not_found");
  if (typedName !== organization.name) return invalid("name", `Type the name as it is: ${organization.name}`);
  const now = deps.now();
  const deleteAfter = new Date(now + GRACE_DAYS * DAY_MS);
  const event = adminEvent(
    caller,
    "organization.deletion_requested",
    { kind: "organization", id: organizationId },
    { after: { deleteAfter: deleteAfter.toISOString() } },
  );
  const marked = await queries.setDeletion(deps.db, organizationId, {
    deleteAfter,
    now: new Date(now),
    event,
  });
  if (marked === null) return fail("deletion_pending");
  const answer = await enforce(deps, marked);
  await tellAdmins(deps, marked.organization, deleteAfter);
  return ok(answer);
}

/** Takes a deletion back. Keys hold again, unless they are stopped for another reason. */
export async function cancelDeletion(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<MarkedOrganization>> {
  const allowed = authorize(caller, "organization.delete");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const event = adminEvent(caller, "organization.deletion_canceled", {
    kind: "organization",
    id: organizationId,
  });
  const change = { deleteAfter: null, now: new Date(deps.now()), event };
  const marked = await queries.setDeletion(deps.db, organizationId, change);
  return marked === null ? fail("not_found") : ok(await enforce(deps, marked));
}

/**
 * The job: deletes what is due. First every key is revoked and the proxy has confirmed it, so that nothing holds that nobody
 * can see any more; then what is paid for ends; then the audit log goes, in parts; then everything else, in one transaction. What does not fit into
 * one run, or cannot be confirmed, goes on with the next.
 *
 * @returns how many organizations are gone.
 */
export async function deleteDueOrganizations(deps: ServiceDependencies): Promise<number> {
  const now = new Date(deps.now());
  let deleted = 0;
  for (const organizationId of await queries.dueDeletions(deps.db, now, MAX_PER_RUN)) {
    await queries.revokeAllKeys(deps.db, organizationId, now);
    await enforceOpenKeys(deps, organizationId);
    if ((await openKeys(deps.db, organizationId, 1)).total > 0) continue;
    const organization = await findOrganization(deps.db, organizationId);
    if (!(await endBilling(deps, organization?.stripeCustomerId ?? null))) continue;
    if (!(await deleteAuditLog(deps, organizationId))) continue;
    await queries.deleteOrganization(deps.db, organizationId);
    deps.log("info", "organization_deleted", { organizationId });
    deleted += 1;
  }
  return deleted;
}

/** @returns whether none of it is left. */
async function deleteAuditLog(deps: ServiceDependencies, organizationId: string): Promise<boolean> {
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
    if ((await queries.deleteAuditEvents(deps.db, organizationId, AUDIT_CHUNK)) < AUDIT_CHUNK) return true;
  }
  return false;
}

async function enforce(
  deps: ServiceDependencies,
  { organization, keys }: { readonly organization: Organization; readonly keys: number },
): Promise<MarkedOrganization> {
  const { state, pending } = await enforceOpenKeys(deps, organization.id);
  return { organization, enforcement: { state, keys, pending } };
}

async function tellAdmins(deps: ServiceDependencies, organization: Organization, at: Date): Promise<void> {
  for (const to of await listAdminAddresses(deps.db, organization.id)) {
    await deps.sendMail({
      v: 1,
      kind: "alert",
      id: newId(),
      to,
      organization: organization.name,
      title: `${organization.name} will be deleted`,
      text: [
        `An admin asked for the deletion of ${organization.name}. Its keys are refused from now on; on ${at.toISOString().slice(0, 10)} it is deleted with all it has, its audit log included.`,
        "Until then any admin can take it back.",
      ],
      action: { label: "Open the settings", url: `${deps.controlUrl}/settings/organization` },
    });
  }
}
