import { keysExpiring } from "@relaykey/db/queries/expiring";
import { recordNotice } from "@relaykey/db/queries/notices";
import type { ServiceDependencies } from "../dependencies.ts";
import { alertThrottle } from "./alert-rules.ts";

const DAY_MS = 86_400_000;

/** When admins are told of a key that expires, the latest time first. */
const STAGES = [
  { name: "1d", from: 0, until: DAY_MS },
  { name: "7d", from: DAY_MS, until: 7 * DAY_MS },
] as const;

const PER_RUN = 200;

/** Writes a notice for each key that comes near its expiry, once per stage. @returns how many were new. */
export async function noticeExpiringKeys(deps: ServiceDependencies): Promise<number> {
  const now = deps.now();
  let written = 0;
  for (const { name, from, until } of STAGES) {
    const window = { from: new Date(now + from), until: new Date(now + until), stage: name, stageMs: until };
    for (const key of await keysExpiring(deps.db, window, PER_RUN)) {
      const notice = {
        type: "key.expiring",
        dedupeKey: key.dedupeKey,
        organizationId: key.organizationId,
        keyId: key.id,
        holderId: key.holderId,
        integrationId: key.integrationId,
        at: now,
        data: {
          key: key.name,
          holder: key.holder,
          integration: key.integration,
          expires_at: key.expiresAt.toISOString(),
          stage: name,
        },
      } as const;
      if ((await recordNotice(deps.db, notice, alertThrottle(notice), new Date(now))) !== null) written += 1;
    }
  }
  return written;
}
