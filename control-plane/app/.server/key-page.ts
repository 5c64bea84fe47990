import { isId } from "@relaykey/core/ids";
import { queryAuditEvents } from "../../service/audit.ts";
import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { showHolder } from "../../service/holders.ts";
import { weekOfUse } from "../../service/inventory.ts";
import { inspectKey, showKey, showReceipts } from "../../service/keys.ts";
import type { ListedKey } from "../../service/keys.ts";
import { fail } from "../../service/outcome.ts";
import { keyWords } from "./create-key.ts";
import { may, showEvent, showKeyRow, showReceipt } from "./keys.ts";
import { newNonce } from "./once.ts";
import { unwrap } from "./page.ts";
import { writeRuleLine } from "./policy-form.ts";

const EVENTS = 20;
const RECEIPTS = 10;

/** The key that an address names; what is no id is no key. @throws the page that says so. */
export async function keyOf(
  deps: ServiceDependencies,
  caller: Caller,
  id: string | undefined,
): Promise<ListedKey> {
  return unwrap(id !== undefined && isId(id) ? await showKey(deps, caller, id) : fail("not_found"));
}

/** All that the page of a key shows. */
export async function readKeyPage(deps: ServiceDependencies, caller: Caller, id: string | undefined) {
  const key = await keyOf(deps, caller, id);
  const [receipts, events, week, holder, inspection] = await Promise.all([
    showReceipts(deps, caller, key.id),
    queryAuditEvents(deps, caller, { keyId: key.id }, { limit: EVENTS, cursor: null }),
    weekOfUse(deps, caller, [key.id]),
    showHolder(deps, caller, key.holder.id),
    // A proxy that is away must not take the page with it.
    inspectKey(deps, caller, key.id),
  ]);
  const { kind, frozen } = unwrap(holder);
  return {
    nonce: newNonce(),
    key: showKeyRow(key, deps.now(), unwrap(week).get(key.id)),
    rules: key.rules.map(writeRuleLine),
    bindings: Object.entries(key.bindings).map(([name, value]) => ({ name, value })),
    sentences: keyWords(key),
    ipMode: key.ipMode,
    holder: { kind, isFrozen: frozen },
    createdAt: key.createdAt.toISOString(),
    revokedAt: key.revokedAt?.toISOString() ?? null,
    frozen: key.state === "frozen" ? { by: key.frozenBy, at: key.frozenAt?.toISOString() ?? null } : null,
    replacesId: key.replacesId,
    receipts: unwrap(receipts).slice(0, RECEIPTS).map(showReceipt),
    events: unwrap(events).entries.map(showEvent),
    proxy: inspection.ok
      ? {
          isReached: true,
          version: inspection.value?.version ?? null,
          usesTaken: inspection.value?.usesTaken ?? 0,
        }
      : { isReached: false, version: null, usesTaken: 0 },
    policyVersion: key.policyVersion,
    canChange: may(caller, "key.change"),
    canRevoke: may(caller, "key.revoke"),
  };
}

export type KeyPage = Awaited<ReturnType<typeof readKeyPage>>;
