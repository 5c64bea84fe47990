import { WorkerEntrypoint } from "cloudflare:workers";
import { toBase64Url } from "@relaykey/core/bytes";
import { EDGE_BOUND_SECONDS } from "@relaykey/core/enforcement";
import type {
  ConfirmationEnd,
  ConfirmationMail,
  ConfirmationView,
  ConfirmationsApi,
  EndedLink,
  RemovalState,
  ReviewFreeze,
  ReviewMail,
  ReviewView,
} from "@relaykey/core/rpc";
import { hashLinkToken } from "./confirmation-token.ts";
import { holderStub } from "./holders.ts";
import { describeError, log } from "@relaykey/core/log";
import { copyPolicy } from "./policy-cache.ts";

const REVIEW_TOKEN_BYTES = 32;
/** Any other text would name an object that nobody has, and make it. */
const LOCATOR = /^[0-9a-f]{16}$/;

/** All that the confirm Worker may ask of the data plane. */
export class Confirmations extends WorkerEntrypoint<Env> implements ConfirmationsApi {
  async mail(holderLocator: string, pendingId: string): Promise<ConfirmationMail | null> {
    return LOCATOR.test(holderLocator)
      ? holderStub(this.env, holderLocator).mail(holderLocator, pendingId)
      : null;
  }

  async view(holderLocator: string, token: string): Promise<ConfirmationView | EndedLink> {
    const hash = await this.#hash(holderLocator, token);
    return hash === null ? { state: "unknown" } : holderStub(this.env, holderLocator).viewLink(hash);
  }

  async confirm(
    holderLocator: string,
    token: string,
    number: string | null,
  ): Promise<{ readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd }> {
    const hash = await this.#hash(holderLocator, token);
    return hash === null
      ? { state: "unknown" }
      : holderStub(this.env, holderLocator).confirmLink(hash, number);
  }

  async reject(
    holderLocator: string,
    token: string,
  ): Promise<{ readonly state: "frozen_now" | ConfirmationEnd }> {
    const hash = await this.#hash(holderLocator, token);
    if (hash === null) return { state: "unknown" };
    const { state, keys } = await holderStub(this.env, holderLocator).rejectLink(hash);
    for (const key of keys) {
      try {
        await copyPolicy(this.env, key);
      } catch (error) {
        // The object has frozen the key, and a key with confirmation never lives by the copy alone.
        log("warn", "policy_not_copied", { key_id: key.keyId, error: describeError(error) });
      }
    }
    return { state };
  }

  async resend(
    holderLocator: string,
    token: string,
  ): Promise<{ readonly state: "sent" | "throttled" | ConfirmationEnd }> {
    const hash = await this.#hash(holderLocator, token);
    return hash === null ? { state: "unknown" } : holderStub(this.env, holderLocator).resendLink(hash);
  }

  async reviewMail(holderLocator: string, generation: number): Promise<ReviewMail | null> {
    return LOCATOR.test(holderLocator)
      ? holderStub(this.env, holderLocator).reviewMail(holderLocator, generation)
      : null;
  }

  async openReview(holderLocator: string, token: string): Promise<string | null> {
    const hash = await this.#hash(holderLocator, token);
    const review = toBase64Url(crypto.getRandomValues(new Uint8Array(REVIEW_TOKEN_BYTES)));
    const reviewHash = await hashLinkToken(review);
    if (hash === null || reviewHash === null) return null;
    return (await holderStub(this.env, holderLocator).openReview(hash, reviewHash)) ? review : null;
  }

  async review(holderLocator: string, token: string): Promise<ReviewView | { readonly state: "ended" }> {
    const hash = await this.#hash(holderLocator, token);
    return hash === null ? { state: "ended" } : holderStub(this.env, holderLocator).viewReview(hash);
  }

  async stopTrusting(
    holderLocator: string,
    token: string,
    network: string,
  ): Promise<{ readonly state: RemovalState }> {
    const hash = await this.#hash(holderLocator, token);
    return hash === null
      ? { state: "ended" }
      : holderStub(this.env, holderLocator).stopTrusting(hash, network);
  }

  async freezeKey(holderLocator: string, token: string, keyId: string): Promise<ReviewFreeze> {
    const hash = await this.#hash(holderLocator, token);
    if (hash === null) return { state: "ended", withinSeconds: 0 };
    const { state, key } = await holderStub(this.env, holderLocator).freezeReviewed(hash, keyId);
    if (key === null) return { state, withinSeconds: 0 };
    // A key that is enforced at the edge lives by the copy: without it nothing was frozen, and the answer is none.
    await copyPolicy(this.env, key);
    return { state, withinSeconds: key.enforcement === "edge" ? EDGE_BOUND_SECONDS : 0 };
  }

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  #hash(holderLocator: string, token: string): Promise<string | null> {
    return LOCATOR.test(holderLocator) ? hashLinkToken(token) : Promise.resolve(null);
  }
}
