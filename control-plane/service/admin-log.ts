import { listAdminEvents } from "@relaykey/db/queries/admin-log";
import type { AdminEventFilter, AdminEventRecord } from "@relaykey/db/queries/admin-log";
import { isId } from "@relaykey/core/ids";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";

/** Who changed what in the organization, newest first. */
export async function queryAdminEvents(
  deps: ServiceDependencies,
  caller: Caller,
  filter: Omit<AdminEventFilter, "before">,
  page: PageRequest,
): Promise<Outcome<Page<AdminEventRecord>>> {
  const allowed = authorize(caller, "admin_event.read");
  if (!allowed.ok) return allowed;
  const before = page.cursor === null ? {} : { before: page.cursor };
  const rows = await listAdminEvents(
    deps.db,
    caller.organizationId,
    { ...filter, ...before },
    page.limit + 1,
  );
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

export async function showAdminEvent(
  deps: ServiceDependencies,
  caller: Caller,
  id: string,
): Promise<Outcome<AdminEventRecord>> {
  if (!isId(id)) return fail("not_found");
  const found = await queryAdminEvents(deps, caller, { id }, { limit: 1, cursor: null });
  if (!found.ok) return found;
  const [event] = found.value.entries;
  return event === undefined ? fail("not_found") : ok(event);
}
