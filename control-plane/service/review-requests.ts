import { toHex, utf8 } from "@relaykey/core/bytes";
import { mailboxOf } from "@relaykey/core/email";
import type { ReviewRequest } from "@relaykey/core/review-request";
import { locatorsMailedAt } from "@relaykey/db/queries/holder-mail";
import type { ServiceDependencies } from "./dependencies.ts";
import { takeAll } from "./throttle.ts";

const QUARTER = 15 * 60;
const PER_NETWORK = 10;
const PER_ADDRESS = 5;
const EVERYBODY = 600;
/** Who asked so long ago has asked again since. */
const STALE_MS = QUARTER * 1_000;
/** One person holds keys of that many organizations at most. */
const MAX_HOLDERS = 20;

/**
 * Has each holder with this address mailed a link to their own networks. For the queue's consumer: who asked was answered
 * before, the same whether anybody is known here or not, and learns nothing of what happens now. Not scoped to an
 * organization, because whoever asks does not know of any; each gets mail about its own holder only.
 */
export async function passOnReviewRequest(
  deps: ServiceDependencies,
  { email, network, at }: ReviewRequest,
): Promise<void> {
  if (deps.now() - at > STALE_MS) return;
  const wait = await takeAll(deps, [
    { bucket: `review:network:${network ?? "unknown"}`, limit: PER_NETWORK, seconds: QUARTER },
    { bucket: `review:address:${await hashOf(mailboxOf(email))}`, limit: PER_ADDRESS, seconds: QUARTER },
    { bucket: "review:all", limit: EVERYBODY, seconds: QUARTER },
  ]);
  if (wait > 0) {
    deps.log("warn", "review_requests_throttled");
    return;
  }
  for (const locator of await locatorsMailedAt(deps.db, email, MAX_HOLDERS)) {
    await deps.keyControl.mailReview(locator);
  }
}

/** The bucket does not spell the address out. */
async function hashOf(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
