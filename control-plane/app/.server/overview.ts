import { listAuditEvents } from "@relaykey/db/queries/audit";
import { isRangeName, rangeUntil } from "../../service/time-range.ts";
import { SOON_DAYS, showStanding, showTraffic } from "../../service/traffic.ts";
import { linkToRange, showEntries } from "./audit-log.ts";
import { unwrap } from "./page.ts";
import type { Visit } from "./page.ts";
import { drawTraffic } from "./traffic-chart.ts";

const LATEST = 6;
const TOP = 5;
const DEFAULT_RANGE = "24h";

/** What the overview shows. Every member is named: nothing of a row reaches a page by itself. */
export async function readOverview(visit: Visit) {
  const { deps, caller, url } = visit;
  const asked = url.searchParams.get("range") ?? DEFAULT_RANGE;
  const name = isRangeName(asked) ? asked : DEFAULT_RANGE;
  const range = rangeUntil(deps.now(), name);
  const [traffic, standing, latest] = await Promise.all([
    showTraffic(deps, caller, {}, range),
    showStanding(deps, caller),
    listAuditEvents(deps.db, caller.organizationId, {}, LATEST),
  ]);
  const shown = unwrap(standing);
  const chart = drawTraffic(unwrap(traffic), range, (from, to) =>
    linkToRange(new URLSearchParams(), from, to),
  );
  return {
    range: name,
    chart: { ...chart, reasons: chart.reasons.slice(0, TOP) },
    activeKeys: shown.activeKeys,
    integrations: shown.integrations,
    waiting: {
      pendingKeys: shown.pendingKeys,
      newAddresses: shown.newAddresses,
      expiringKeys: shown.expiringKeys,
      soonDays: SOON_DAYS,
      frozenKeys: shown.frozenKeys,
      failingIntegrations: shown.failingIntegrations,
    },
    expiring: shown.expiring.map((key) => ({
      id: key.id,
      name: key.name,
      expiresAt: key.expiresAt?.toISOString() ?? "",
    })),
    unusual: shown.unusual
      .slice(0, TOP)
      .map(({ kind, key, requests, usual }) => ({ kind, key, requests, usual })),
    topKeys: shown.keys
      .filter(({ allowed, blocked }) => allowed + blocked > 0)
      .slice(0, TOP)
      .map(({ id, name: called, allowed, blocked }) => ({ id, name: called, allowed, blocked })),
    latest: await showEntries(visit, latest),
  };
}

export type Overview = Awaited<ReturnType<typeof readOverview>>;
