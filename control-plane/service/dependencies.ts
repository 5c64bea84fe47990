import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import type { KeyControlApi } from "@relaykey/core/rpc";
import type { MailMessage } from "@relaykey/core/mail";
import type { Database } from "@relaykey/db/client";
import type { StripeSettings } from "./billing/stripe-api.ts";

/** What the service layer needs from its surroundings. */
export interface ServiceDependencies {
  readonly db: Database;
  readonly keyControl: KeyControlApi;
  /** Hands a mail to the confirm Worker, which alone can send. Resolves once it is queued. */
  readonly sendMail: (message: MailMessage) => Promise<void>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Public half of the custody key (base64url): it can seal a vendor key and never open one. */
  readonly sealingKey: string;
  /** Public keys of the audit plane: it signs the chain of audit events with one of them. */
  readonly chainKeys: readonly ChainKey[];
  readonly tagKey: CryptoKey;
  /** The control plane's own key (HMAC-SHA-256): what it signs is derived from it, so that no such secret is stored. */
  readonly controlKey: CryptoKey;
  /** Plain-http loopback upstreams are admitted. Never true in production. */
  readonly development: boolean;
  /** Base URL of the proxy, as callers address it. */
  readonly proxyUrl: string;
  /** Base URL of this control plane, for links in mail: never taken from a request. */
  readonly controlUrl: string;
  /** Where plans are paid for; null: the operator sets them. */
  readonly stripe: StripeSettings | null;
  readonly log: (level: "info" | "warn" | "error", event: string, fields?: Record<string, unknown>) => void;
}
