import { newId } from "@relaykey/core/ids";
import * as queries from "@relaykey/db/queries/revocation-runs";
import { listKeys } from "@relaykey/db/queries/keys";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import { newestReceipts } from "@relaykey/db/queries/receipts";
import type { Receipt } from "@relaykey/db/queries/receipts";
import { authorize } from "./authorization.ts";
import { revokeKeys } from "./bulk-revoke.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { readSelection } from "./keys.ts";
import type { KeySelection } from "./keys.ts";
import { fingerprint } from "./once.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";

/** Keys that one run revokes at most: all of them are stored in one statement. */
const MAX_KEYS = 5_000;

/** Which keys a selection means at the moment it is shown to whoever decides. */
export interface ShownSelection {
  readonly total: number;
  /** Says exactly which keys these are; it is handed back by who confirms. */
  readonly fingerprint: string;
}

/** The keys of a selection that are not revoked, so that a person can be shown what they are about to hit. */
export async function showSelection(
  deps: ServiceDependencies,
  caller: Caller,
  selection: KeySelection,
): Promise<Outcome<ShownSelection>> {
  const read = await readLiveKeys(deps, caller, selection);
  return read.ok ? ok({ total: read.value.length, fingerprint: await fingerprint(read.value) }) : read;
}

/**
 * Revokes exactly the keys that were shown: when the selection means others by now, nothing is revoked.
 *
 * @param shown the fingerprint of what was shown.
 * @returns the id of the run, under which its progress can be looked at from then on.
 */
export async function revokeShown(
  deps: ServiceDependencies,
  caller: Caller,
  selection: KeySelection,
  shown: string,
): Promise<Outcome<string>> {
  const read = await readLiveKeys(deps, caller, selection);
  if (!read.ok) return read;
  const ids = read.value;
  if (ids.length === 0 || (await fingerprint(ids)) !== shown) {
    return fail("changed_meanwhile", {
      detail: "The selection means other keys than were shown. Nothing was revoked: look at it again.",
    });
  }
  const run = newId();
  const done = await revokeKeys(deps, caller, { ids }, false, run);
  return done.ok ? ok(run) : done;
}

async function readLiveKeys(
  deps: ServiceDependencies,
  caller: Caller,
  selection: KeySelection,
): Promise<Outcome<readonly string[]>> {
  const allowed = authorize(caller, "key.revoke");
  if (!allowed.ok) return allowed;
  const filter = await readSelection(deps, caller, selection);
  if (!filter.ok) return filter;
  const ids = await queries.liveKeyIds(deps.db, caller.organizationId, filter.value, MAX_KEYS + 1);
  return ids.length <= MAX_KEYS
    ? ok(ids)
    : fail("invalid_request", {
        detail: `More than ${String(MAX_KEYS)} keys match. Narrow the filter, or stop the whole organization in the settings.`,
      });
}

/** A run of many revocations: how far it is, and the data plane's word on each key. */
export interface RevocationRun extends queries.RunProgress {
  readonly total: number;
  readonly keys: Page<{ readonly key: KeyRecord; readonly receipt: Receipt | null }>;
}

/** What became of a run, as its admin events and the receipts of its keys say. */
export async function showRun(
  deps: ServiceDependencies,
  caller: Caller,
  run: string,
  page: PageRequest,
): Promise<Outcome<RevocationRun>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const ids = await queries.keyIdsOfRun(deps.db, organizationId, run);
  if (ids.length === 0) return fail("not_found");
  const [progress, rows] = await Promise.all([
    queries.progressOf(deps.db, organizationId, ids),
    listKeys(deps.db, organizationId, { ids }, { limit: page.limit + 1, before: page.cursor }),
  ]);
  const { entries, nextCursor } = toPage(rows, page.limit, ({ id }) => id);
  const shown = entries.map(({ id }) => id);
  const receipts = await newestReceipts(deps.db, organizationId, shown);
  const keys = entries.map((key) => ({ key, receipt: receipts.get(key.id) ?? null }));
  return ok({ total: ids.length, ...progress, keys: { entries: keys, nextCursor } });
}
