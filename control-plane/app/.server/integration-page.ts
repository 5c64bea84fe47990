import { probeOf } from "@relaykey/core/catalogue/probes";
import { integrationUrl } from "@relaykey/core/snippets";
import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { showIntegration } from "../../service/integrations.ts";
import { weekOfUse } from "../../service/inventory.ts";
import { listKeys } from "../../service/keys.ts";
import { listVendorKeyVersions, restorable } from "../../service/vendor-keys.ts";
import { credentialWords } from "./integration-form.ts";
import { may, showKeyRow } from "./keys.ts";
import { unwrap } from "./page.ts";
import { entryOf } from "./policy-form.ts";

const KEYS = 25;

/** All that the page of an integration shows. The sealed key is not part of it. */
export async function readIntegrationPage(
  deps: ServiceDependencies,
  caller: Caller,
  slug: string | undefined,
) {
  const integration = unwrap(await showIntegration(deps, caller, slug ?? ""));
  const [keyPage, versionList] = await Promise.all([
    listKeys(deps, caller, { integration: integration.id }, { limit: KEYS, cursor: null }),
    listVendorKeyVersions(deps, caller, integration.id),
  ]);
  const { entries, nextCursor } = unwrap(keyPage);
  const { versions } = unwrap(versionList);
  const week = unwrap(
    await weekOfUse(
      deps,
      caller,
      entries.map(({ id }) => id),
    ),
  );
  const now = deps.now();
  const keys = entries.map((key) => showKeyRow(key, now, week.get(key.id)));
  const entry = entryOf(integration);
  const former = restorable(versions, new Date(now));
  return {
    slug: integration.slug,
    name: integration.name,
    enabled: integration.enabled,
    health: integration.health,
    healthAt: integration.healthAt?.toISOString() ?? null,
    upstream: `${integration.upstreamOrigin}${integration.upstreamBasePath}`,
    credential: credentialWords(integration.credential),
    requestHeaders: integration.requestHeaders,
    dialect: integration.dialect,
    timeoutSeconds: Math.ceil(integration.timeoutMs / 1_000),
    allowEncodedSlash: integration.allowEncodedSlash,
    logQuery: integration.logQuery,
    responseCookies: integration.responseCookies,
    scrubResponses: integration.scrubResponses,
    address: integrationUrl(deps.proxyUrl, integration.slug, entry?.sdk.baseUrl ?? "path"),
    hasProbe: entry !== null && probeOf(entry.slug) !== null,
    secret: {
      version: integration.secretVersion,
      since:
        versions.find(({ version }) => version === integration.secretVersion)?.createdAt.toISOString() ??
        null,
      restorable:
        former?.restorableUntil == null
          ? null
          : { version: former.version, until: former.restorableUntil.toISOString() },
    },
    keys,
    hasMoreKeys: nextCursor !== null,
    live: keys.filter(({ state }) => state === "active" || state === "frozen").length,
    pending: keys.filter(({ isPending }) => isPending).length,
    canChange: may(caller, "integration.change"),
    canRotate: may(caller, "integration.rotate"),
    canCreateKey: may(caller, "key.create"),
  };
}

export type IntegrationPage = Awaited<ReturnType<typeof readIntegrationPage>>;
