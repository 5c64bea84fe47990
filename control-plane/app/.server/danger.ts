import { queryAdminEvents } from "../../service/admin-log.ts";
import { showOrganization } from "../../service/organizations.ts";
import { showStanding } from "../../service/traffic.ts";
import { unwrap } from "./page.ts";
import type { Visit } from "./page.ts";

/** Whether the organization is stopped, how far that is in force, and who did it last. */
export async function readDanger({ deps, caller }: Visit) {
  const [organization, standing, last] = await Promise.all([
    showOrganization(deps, caller),
    showStanding(deps, caller),
    queryAdminEvents(deps, caller, { action: "organization.frozen" }, { limit: 1, cursor: null }),
  ]);
  const { name, frozen } = unwrap(organization);
  const { activeKeys, pendingKeys } = unwrap(standing);
  const [event] = unwrap(last).entries;
  return {
    name,
    frozen,
    activeKeys,
    pendingKeys,
    mayChange: caller.role === "admin",
    last:
      event === undefined
        ? null
        : { id: event.id, at: event.at.toISOString(), by: event.actorName ?? "the installation" },
  };
}

export type Danger = Awaited<ReturnType<typeof readDanger>>;
