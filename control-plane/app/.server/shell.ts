import { findOrganization } from "@relaykey/db/queries/organizations";
import { findUserById } from "@relaykey/db/queries/people";
import type { AppLoadContext } from "@remix-run/cloudflare";
import type { Caller } from "../../service/caller.ts";
import type { Flash } from "../components/shell/toast.tsx";
import type { ShellData } from "../components/shell/shell.tsx";

/** What the frame around each page shows. */
export async function readShell(
  deps: AppLoadContext["deps"],
  caller: Caller,
  flash: Flash | null,
): Promise<ShellData> {
  const [organization, person] = await Promise.all([
    findOrganization(deps.db, caller.organizationId),
    caller.actor.kind === "user" ? findUserById(deps.db, caller.actor.id) : null,
  ]);
  return {
    organization: {
      id: caller.organizationId,
      name: organization?.name ?? "",
      isFrozen: organization?.frozen ?? false,
    },
    person: { email: person?.email ?? "", role: caller.role },
    flash,
    now: deps.now(),
  };
}
