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
  const filter = await readFilter(deps, caller, query, page.cursor);
  if (!filter.ok) return filter;
  const rows = await listAuditEvents(deps.db, caller.organizationId, filter.value, page.limit + 1);
  return ok(toPage(rows, page.limit, ({ requestId }) => requestId));
}

/** Rows per read of an export: a few hundred kilobytes. */
const EXPORT_PAGE = 500;

/**
 * Reads all of an audit log that a query admits, newest first, page by page. What is written meanwhile is newer than where
 * it began, so nothing is read twice or left out.
 *
 * @param after the request id of the last event that was read before; null = from the newest on.
 */
export async function exportAuditEvents(
  deps: ServiceDependencies,
  caller: Caller,
  query: AuditQuery,
  after: string | null,
): Promise<Outcome<AsyncGenerator<readonly AuditRow[], void>>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const filter = await readFilter(deps, caller, query, after);
  return filter.ok ? ok(readPages(deps, caller.organizationId, filter.value)) : filter;
}

async function* readPages(
  deps: ServiceDependencies,
  organizationId: string,
  filter: AuditFilter,
): AsyncGenerator<readonly AuditRow[], void> {
  let rows = await listAuditEvents(deps.db, organizationId, filter, EXPORT_PAGE);
  for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
    yield rows;
    if (rows.length < EXPORT_PAGE) return;
    rows = await listAuditEvents(deps.db, organizationId, { ...filter, before: last.requestId }, EXPORT_PAGE);
  }
}

async function readFilter(
  deps: ServiceDependencies,
  caller: Caller,
  { integration, ...filter }: AuditQuery,
  before: string | null,
): Promise<Outcome<AuditFilter>> {
  const found = integration === undefined ? null : await findIntegration(deps, caller, integration);
  if (found?.ok === false) return fail("integration_unknown");
  return ok({
    ...filter,
    ...(found === null ? {} : { integrationId: found.value.id }),
    ...(before === null ? {} : { before }),
  });
}
