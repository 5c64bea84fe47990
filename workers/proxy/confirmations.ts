import { WorkerEntrypoint } from "cloudflare:workers";
import type {
  ConfirmationEnd,
  ConfirmationMail,
  ConfirmationView,
  ConfirmationsApi,
} from "@relaykey/core/rpc";

/** All that the confirm Worker may ask of the data plane. */
export class Confirmations extends WorkerEntrypoint<Env> implements ConfirmationsApi {
  mail(): Promise<ConfirmationMail | null> {
    return Promise.resolve(null);
  }

  view(): Promise<ConfirmationView | { readonly state: ConfirmationEnd }> {
    return Promise.resolve({ state: "unknown" });
  }

  confirm(): Promise<{ readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd }> {
    return Promise.resolve({ state: "unknown" });
  }

  reject(): Promise<{ readonly state: "frozen_now" | ConfirmationEnd }> {
    return Promise.resolve({ state: "unknown" });
  }

  resend(): Promise<{ readonly state: "sent" | "throttled" | ConfirmationEnd }> {
    return Promise.resolve({ state: "unknown" });
  }

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }
}
