import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { HolderNetworks } from "@relaykey/core/rpc";
import type { Holder } from "@relaykey/db/queries/holders";
import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { showHolder } from "../../service/holders.ts";
import { weekOfUse } from "../../service/inventory.ts";
import { listKeys } from "../../service/keys.ts";
import { showNetworks } from "../../service/networks.ts";
import { showOrganization } from "../../service/organizations.ts";
import { may, showKeyRow } from "./keys.ts";
import { mapNetworks, operatorWords, placeWords } from "./network-map.ts";
import { unwrap } from "./page.ts";

const KEYS = 50;

/** All that the page of a holder shows. Its locator stays here. */
export async function readHolderPage(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string | undefined,
) {
  const holder = unwrap(await showHolder(deps, caller, reference ?? ""));
  const [keyPage, networks, organization] = await Promise.all([
    listKeys(deps, caller, { holder: holder.id }, { limit: KEYS, cursor: null }),
    // A proxy that is away must not take the page with it.
    showNetworks(deps, caller, holder.id),
    showOrganization(deps, caller),
  ]);
  const { entries, nextCursor } = unwrap(keyPage);
  const week = unwrap(
    await weekOfUse(
      deps,
      caller,
      entries.map(({ id }) => id),
    ),
  );
  const now = deps.now();
  const keys = entries.map((key) => showKeyRow(key, now, week.get(key.id)));
  const names = new Map(entries.map(({ id, name }) => [id, name]));
  const confirmation = {
    ...DEFAULT_CONFIRMATION,
    ...unwrap(organization).confirmation,
    ...holder.confirmation,
  };
  return {
    id: holder.id,
    name: holder.name,
    kind: holder.kind,
    email: holder.email,
    isFrozen: holder.frozen,
    mail: { state: holder.mailState, at: holder.mailStateAt?.toISOString() ?? null },
    limits: limitLines(holder),
    confirmation: {
      trustOnFirstUse: confirmation.trustOnFirstUse,
      trustDays: confirmation.trustDays,
      numberMatching: confirmation.numberMatching,
      isOwn: Object.keys(holder.confirmation).length > 0,
    },
    networks: networks.ok ? shownNetworks(networks.value, names) : null,
    keys,
    hasMoreKeys: nextCursor !== null,
    pending: keys.filter(({ isPending }) => isPending).length,
    live: keys.filter(({ state }) => state === "active" || state === "frozen").length,
    canChange: may(caller, "holder.change"),
    canChangeNetworks: may(caller, "network.change"),
    canCreateKey: may(caller, "key.create"),
  };
}

export type HolderPage = Awaited<ReturnType<typeof readHolderPage>>;

function shownNetworks(networks: HolderNetworks, names: ReadonlyMap<string, string>) {
  const { trusted, pending } = networks;
  return {
    map: mapNetworks(networks),
    trusted: trusted.map(({ network, source, firstSeen, lastSeen, place }) => ({
      network,
      source,
      firstSeen: new Date(firstSeen).toISOString(),
      lastSeen: new Date(lastSeen).toISOString(),
      place: placeWords(place),
      operator: operatorWords(place),
    })),
    pending: pending.map(({ id, network, keyId, request, since, attempts, expiresAt, mailed }) => ({
      id,
      network,
      key: names.get(keyId) ?? "a key",
      keyId,
      request: `${request.method} ${request.integration}:${request.path}`,
      userAgent: request.userAgent,
      place: placeWords(request.place),
      operator: operatorWords(request.place),
      since: new Date(since).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      attempts,
      mailed,
    })),
  };
}

function limitLines({ limits }: Pick<Holder, "limits">): string[] {
  const { rate, uses, concurrency, maxBodyBytes } = limits;
  return [
    rate == null ? [] : [`${String(rate.limit)} requests in each ${String(rate.windowSeconds)} s`],
    uses == null ? [] : [`${String(uses)} requests in all`],
    concurrency == null ? [] : [`${String(concurrency)} at the same time`],
    maxBodyBytes == null ? [] : [`bodies of at most ${String(maxBodyBytes)} bytes`],
  ].flat();
}
