import { formatRule } from "@relaykey/core/scope";
import type { AuditRow } from "@relaykey/db/queries/audit";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import type { Receipt } from "@relaykey/db/queries/receipts";
import { authorize } from "../../service/authorization.ts";
import type { Action } from "../../service/authorization.ts";
import type { Caller } from "../../service/caller.ts";
import type { ListedKey } from "../../service/keys.ts";

/** Whether a page offers something at all; the service has the last word. */
export function may(caller: Caller, action: Action): boolean {
  return caller.role === "admin" || authorize(caller, action).ok;
}

export type ShownState = "active" | "frozen" | "revoked" | "expired" | "waiting";

/** The state of a key as people see it: one that has expired, or is not valid yet, is not active. */
export function shownState(
  key: Pick<KeyRecord, "state" | "expiresAt" | "notBefore">,
  now: number,
): ShownState {
  if (key.state !== "active") return key.state;
  if (key.expiresAt !== null && key.expiresAt.getTime() <= now) return "expired";
  if (key.notBefore !== null && key.notBefore.getTime() > now) return "waiting";
  return "active";
}

/** A key as a row of a list. Every member is named: nothing of a row reaches a page by itself. */
export function showKeyRow(key: ListedKey, now: number, week: readonly number[] | undefined) {
  return {
    id: key.id,
    name: key.name,
    display: key.display,
    holder: { id: key.holder.id, name: key.holder.name },
    integration: key.integration.slug,
    allow: key.rules.slice(0, 3).map(formatRule),
    moreRules: Math.max(0, key.rules.length - 3),
    state: shownState(key, now),
    isPending: key.enforcedVersion < key.policyVersion,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    week: week ?? [0, 0, 0, 0, 0, 0, 0],
  };
}

export type ShownKeyRow = ReturnType<typeof showKeyRow>;

export function showReceipt(receipt: Receipt) {
  return {
    version: receipt.version,
    enforcedAt: receipt.enforcedAt.toISOString(),
    waitedMs: receipt.waitedMs,
    lastAdmittedAt: receipt.lastAdmittedAt?.toISOString() ?? null,
    streamsCut: receipt.streamsCut,
  };
}

export type ShownReceipt = ReturnType<typeof showReceipt>;

export function showEvent(row: AuditRow) {
  return {
    requestId: row.requestId,
    at: row.at.toISOString(),
    method: row.method,
    path: row.path,
    integration: row.integrationSlug,
    decision: row.decision,
    reason: row.reason,
    status: row.status,
    ip: row.ip,
    durationMs: row.durationMs,
  };
}

export type ShownEvent = ReturnType<typeof showEvent>;
