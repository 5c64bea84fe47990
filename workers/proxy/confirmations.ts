import { WorkerEntrypoint } from "cloudflare:workers";
import type {
  ConfirmationEnd,
  ConfirmationMail,
  ConfirmationView,
  ConfirmationsApi,
  EndedLink,
} from "@relaykey/core/rpc";
import { hashLinkToken } from "./confirmation-token.ts";
import { holderStub } from "./holders.ts";
import { describeError, log } from "./log.ts";
import { copyPolicy } from "./policy-cache.ts";

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

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  #hash(holderLocator: string, token: string): Promise<string | null> {
    return LOCATOR.test(holderLocator) ? hashLinkToken(token) : Promise.resolve(null);
  }
}
