import type { AuditRow } from "@relaykey/db/queries/audit";
import { namesOf } from "@relaykey/db/queries/traffic";
import { findIntegration } from "../../service/integrations.ts";
import { queryAuditEvents } from "../../service/audit.ts";
import { showNames } from "../../service/inventory.ts";
import { showKeyNames } from "../../service/search.ts";
import { showTraffic } from "../../service/traffic.ts";
import type { ShownFailure } from "../components/failure.ts";
import { readAuditFilter } from "./audit-filter.ts";
import { readCursor, unwrap } from "./page.ts";
import type { Visit } from "./page.ts";
import { drawTraffic } from "./traffic-chart.ts";

const PAGE = 50;

/** A request as a list shows it. Every member is named: nothing of a row reaches a page by itself. */
export function showEntry(row: AuditRow, names: Awaited<ReturnType<typeof namesOf>>) {
  return {
    requestId: row.requestId,
    at: row.at.toISOString(),
    keyId: row.keyId,
    key: row.keyId === null ? null : (names.keys.get(row.keyId) ?? null),
    holderId: row.holderId,
    holder: row.holderId === null ? null : (names.holders.get(row.holderId) ?? null),
    integration: row.integrationSlug,
    method: row.method,
    path: row.path,
    decision: row.decision,
    reason: row.reason,
    outcome: row.outcome,
    status: row.status,
    ip: row.ip,
    durationMs: row.durationMs,
  };
}

export type AuditEntry = ReturnType<typeof showEntry>;

/** The rows with what their keys and holders are called. */
export async function showEntries({ deps, caller }: Visit, rows: readonly AuditRow[]): Promise<AuditEntry[]> {
  const distinct = (ids: readonly (string | null)[]) => [...new Set(ids.filter((id) => id !== null))];
  const names = await namesOf(deps.db, caller.organizationId, {
    keys: distinct(rows.map(({ keyId }) => keyId)),
    holders: distinct(rows.map(({ holderId }) => holderId)),
  });
  return rows.map((row) => showEntry(row, names));
}

/** The audit log as its address asks for it. */
export async function readAuditLog(visit: Visit) {
  const { deps, caller, url } = visit;
  const search = url.searchParams;
  const { query, range, errors } = readAuditFilter(search, deps.now());
  const cursor = readCursor(search);
  const { integration, ...filter } = query;
  const found = integration === undefined ? null : await findIntegration(deps, caller, integration);
  const integrationId = found?.ok === true ? { integrationId: found.value.id } : {};
  const unknown =
    found?.ok === false ? [{ field: "integration", message: "There is no such integration." }] : [];
  const wrong: ShownFailure["errors"] = [...errors, ...unknown];
  const [page, slices, names, keys] = await Promise.all([
    queryAuditEvents(
      deps,
      caller,
      {
        ...filter,
        ...(found?.ok === true ? { integration: found.value.id } : {}),
        from: range.from,
        to: range.to,
      },
      { limit: PAGE, cursor },
    ),
    showTraffic(deps, caller, { ...filter, ...integrationId }, range),
    showNames(deps, caller),
    showKeyNames(deps, caller),
  ]);
  const { entries, nextCursor } = unwrap(page);
  const choices = unwrap(names);
  const shown = await showEntries(visit, entries);
  const keyChoices = unwrap(keys).map(({ id, name, display }) => ({
    value: id,
    label: `${name} (${display})`,
  }));
  // One that is asked for is offered, too, however many are newer.
  const asked = shown.find(({ keyId }) => keyId === filter.keyId);
  if (asked?.keyId != null && keyChoices.every(({ value }) => value !== asked.keyId)) {
    keyChoices.unshift({ value: asked.keyId, label: asked.key ?? asked.keyId });
  }
  return {
    entries: shown,
    nextCursor,
    chart: drawTraffic(unwrap(slices), range, (from, to) => linkToRange(search, from, to)),
    errors: wrong,
    choices: {
      keys: keyChoices,
      holders: choices.holders.map(({ id, name }) => ({ value: id, label: name })),
      integrations: choices.integrations.map(({ slug, name }) => ({ value: slug, label: name })),
    },
  };
}

export type AuditLog = Awaited<ReturnType<typeof readAuditLog>>;

/** The same filters, over another stretch of time. The named range stays in the address: it is what a reset leads back to. */
export function linkToRange(search: URLSearchParams, from: Date, to: Date): string {
  const query = new URLSearchParams(search);
  query.delete("cursor");
  query.set("from", from.toISOString().slice(0, -1));
  query.set("to", to.toISOString().slice(0, -1));
  return `/audit?${query.toString()}`;
}
