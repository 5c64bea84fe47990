import { findOrganization } from "@relaykey/db/queries/organizations";
import type { Organization } from "@relaykey/db/queries/organizations";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** Whose token is asking: also one that may see nothing else is told. */
export async function showSelf(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<
  Outcome<{ readonly token: NonNullable<Caller["token"]>; readonly organization: Organization | null }>
> {
  const allowed = authorize(caller, "token.own");
  if (!allowed.ok) return allowed;
  if (caller.token === null) return fail("not_found");
  return ok({
    token: caller.token,
    organization: await findOrganization(deps.db, caller.organizationId),
  });
}
