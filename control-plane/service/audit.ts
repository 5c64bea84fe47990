import { listAuditEvents } from "@relaykey/db/queries/audit";
import type { AuditFilter, AuditRow } from "@relaykey/db/queries/audit";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { findIntegration } from "./integrations.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";

export type AuditQuery = Omit<AuditFilter, "integrationId" | "before"> & {
  /** An id or a slug. */
  readonly integration?: string;
};

/** Reads the audit log of an organization, newest first. */
export async function queryAuditEvents(
  deps: ServiceDependencies,
  caller: Caller,
  query: AuditQuery,
  page: PageRequest,
): Promise<Outcome<Page<AuditRow>>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const { integration, ...filter } = query;
  const found = integration === undefined ? null : await findIntegration(deps, caller, integration);
  if (found?.ok === false) return fail("integration_unknown");
  const rows = await listAuditEvents(
    deps.db,
    caller.organizationId,
    {
      ...filter,
      ...(found === null ? {} : { integrationId: found.value.id }),
      ...(page.cursor === null ? {} : { before: page.cursor }),
    },
    page.limit + 1,
  );
  return ok(toPage(rows, page.limit, ({ requestId }) => requestId));
}
