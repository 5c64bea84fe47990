import type { KeyControlApi } from "@relaykey/core/rpc";
import type { Database } from "@relaykey/db/client";
import type { Actor } from "@relaykey/db/queries/admin-events";

/** What the service layer needs from its surroundings. */
export interface ServiceDependencies {
  readonly db: Database;
  readonly keyControl: KeyControlApi;
  /** Epoch ms. */
  readonly now: () => number;
  /** Public half of the custody key (base64url): it can seal a vendor key and never open one. */
  readonly sealingKey: string;
  readonly tagKey: CryptoKey;
  /** Plain-http loopback upstreams are admitted. Never true in production. */
  readonly development: boolean;
  /** Base URL of the proxy, as callers address it. */
  readonly proxyUrl: string;
  readonly log: (level: "info" | "warn" | "error", event: string, fields?: Record<string, unknown>) => void;
}

/** On whose behalf an action is done, and within which organization. */
export interface Caller {
  readonly organizationId: string;
  readonly actor: Actor;
}
