import { toHex, utf8 } from "@relaykey/core/bytes";
import { claimAlerts, markAlertSent } from "@relaykey/db/queries/notices";
import type { ServiceDependencies } from "../dependencies.ts";
import { alertWords } from "./alert-text.ts";

const LEASE_MS = 120_000;
const PER_RUN = 50;
/** The line that a mail's title has to fit into. */
const MAX_TITLE = 200;

/**
 * Hands open alerts to the mail queue, one mail per admin. A run that ends early leaves its alert to the next one, whose
 * mails have the same ids: a sender can tell the repetition.
 *
 * @returns how many alerts went out.
 */
export async function sendAlerts(deps: ServiceDependencies): Promise<number> {
  const claim = { now: new Date(deps.now()), leaseMs: LEASE_MS, limit: PER_RUN };
  const alerts = await claimAlerts(deps.db, claim);
  for (const { notice, to, organization } of alerts) {
    const { title, ...words } = alertWords(notice, deps.controlUrl);
    for (const address of to) {
      await deps.sendMail({
        v: 1,
        kind: "alert",
        id: `alert.${notice.id}.${await shortHash(address)}`,
        to: address,
        organization,
        title: title.slice(0, MAX_TITLE),
        ...words,
      });
    }
    await markAlertSent(deps.db, notice.id, new Date(deps.now()));
  }
  return alerts.length;
}

async function shortHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(text));
  return toHex(new Uint8Array(digest)).slice(0, 16);
}
