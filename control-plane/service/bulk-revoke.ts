import { newId } from "@relaykey/core/ids";
import * as queries from "@relaykey/db/queries/key-lifecycle";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import { listKeys } from "@relaykey/db/queries/keys";
import { newestReceipts } from "@relaykey/db/queries/receipts";
import type { Receipt } from "@relaykey/db/queries/receipts";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { MAX_KEYS_PER_RUN, enforceKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { readSelection } from "./keys.ts";
import type { KeySelection } from "./keys.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

export interface BulkRevocation {
  /** How many keys were revoked by this call; of a rehearsal: how many would be. */
  readonly revoked: number;
  readonly enforcement: FanOut;
  /** The keys that this call's run reached, and the data plane's word on each. */
  readonly keys: readonly { readonly key: KeyRecord; readonly receipt: Receipt | null }[];
}

/**
 * Revokes every key of a selection for good: stored all at once, then enforced as far as one run reaches. What is left is
 * pending and goes on by itself, or at once with `continueEnforcement`.
 *
 * @param rehearse only counts.
 * @param run the id under which its admin events can be found together (service/revocation-run).
 */
export async function revokeKeys(
  deps: ServiceDependencies,
  caller: Caller,
  selection: KeySelection,
  rehearse: boolean,
  run: string = newId(),
): Promise<Outcome<BulkRevocation>> {
  const allowed = authorize(caller, "key.revoke");
  if (!allowed.ok) return allowed;
  // What a provisioner minted is known one by one: it revokes them so.
  if (caller.token?.kind === "provisioner") return fail("token_scope");
  const { organizationId } = caller;
  const filter = await readSelection(deps, caller, selection);
  if (!filter.ok) return filter;
  if (rehearse) {
    const count = await queries.countKeys(deps.db, organizationId, filter.value);
    return ok({ revoked: count, enforcement: { state: "enforced", keys: 0, pending: 0 }, keys: [] });
  }
  const { subjectId: _each, ...event } = adminEvent(
    caller,
    "key.revoked",
    { kind: "key", id: "" },
    { after: { state: "revoked" }, metadata: { run } },
  );
  const ids = await queries.revokeKeys(deps.db, organizationId, filter.value, {
    now: new Date(deps.now()),
    event,
  });
  const enforcement = await enforceKeys(deps, organizationId, ids);
  const reached = { ids: ids.slice(0, MAX_KEYS_PER_RUN), enforced: true };
  const keys = await listKeys(deps.db, organizationId, reached, { limit: MAX_KEYS_PER_RUN, before: null });
  const receipts = await newestReceipts(deps.db, organizationId, reached.ids);
  return ok({
    revoked: ids.length,
    enforcement,
    keys: keys.map((key) => ({ key, receipt: receipts.get(key.id) ?? null })),
  });
}
