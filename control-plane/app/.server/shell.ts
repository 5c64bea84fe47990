import { findOrganization } from "@relaykey/db/queries/organizations";
import type { AppLoadContext } from "@remix-run/cloudflare";
import type { Flash } from "../components/shell/toast.tsx";
import type { ShellData } from "../components/shell/shell.tsx";
import type { SignedInMember } from "./session.ts";

/** What the frame around each page shows. */
export async function readShell(
  deps: AppLoadContext["deps"],
  { caller, email }: SignedInMember,
  flash: Flash | null,
): Promise<ShellData> {
  const organization = await findOrganization(deps.db, caller.organizationId);
  return {
    organization: {
      id: caller.organizationId,
      name: organization?.name ?? "",
      isFrozen: organization?.frozen ?? false,
    },
    person: { email, role: caller.role },
    flash,
    now: deps.now(),
  };
}
