import type { LocalFile } from "@relaykey/local/state";
import { noteSecret } from "./witness.ts";

/** A key as the management API gives it to its maker. */
export interface IssuedKey {
  readonly id: string;
  readonly token: string;
}

/** An audit event as the management API shows it. */
export interface ShownEvent {
  readonly request_id: string;
  readonly decision: string;
  readonly reason: string | null;
  readonly outcome: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly upstream_status: number | null;
  readonly ip: string | null;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly dropped_headers: readonly string[];
}

const AUDIT_DEADLINE_MS = 15_000;

/** The management API of a running local edition, with the few words that tests need. */
export class Admin {
  readonly local: LocalFile;

  constructor(local: LocalFile) {
    this.local = local;
  }

  /** The integration and key that a first start makes. */
  get demo(): NonNullable<LocalFile["demo"]> {
    if (this.local.demo === null) throw new Error("This local edition has no demo.");
    return this.local.demo;
  }

  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    if (body !== undefined && "secret" in body) noteSecret(String(body.secret));
    const response = await fetch(`${this.local.controlPlane}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.local.managementToken}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${String(response.status)}: ${text}`);
    return JSON.parse(text) as T;
  }

  async createKey(integration: string, allow: readonly string[], more: object = {}): Promise<IssuedKey> {
    const holder = await this.#holder();
    const created = await this.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder,
      integration,
      allow,
      ip: { mode: "any" },
      ...more,
    });
    noteSecret(created.token);
    return { id: created.key.id, token: created.token };
  }

  async revoke(key: IssuedKey): Promise<void> {
    await this.call("POST", `/keys/${key.id}/revoke`);
  }

  /** The event of a request, once it has reached Postgres. */
  async event(requestId: string | null): Promise<ShownEvent> {
    const deadline = Date.now() + AUDIT_DEADLINE_MS;
    while (Date.now() < deadline) {
      const { data } = await this.call<{ data: ShownEvent[] }>(
        "GET",
        `/audit-events?request_id=${requestId ?? ""}`,
      );
      if (data[0] !== undefined) return data[0];
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`No audit event of ${requestId ?? "no request"} within ${String(AUDIT_DEADLINE_MS)} ms.`);
  }

  /** The events of a key, newest first, once there are at least `count`. */
  async events(key: IssuedKey, count: number): Promise<ShownEvent[]> {
    const deadline = Date.now() + AUDIT_DEADLINE_MS;
    for (;;) {
      const { data } = await this.call<{ data: ShownEvent[] }>(
        "GET",
        `/audit-events?key=${key.id}&limit=200`,
      );
      if (data.length >= count || Date.now() > deadline) return data;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #holderMade: Promise<string> | null = null;

  #holder(): Promise<string> {
    this.#holderMade ??= this.call("POST", "/holders", {
      name: `tests ${crypto.randomUUID()}`,
      kind: "service",
    }).then((created) => (created as { holder: { id: string } }).holder.id);
    return this.#holderMade;
  }
}

/** A `fetch` that counts, to see how often an SDK really sends a request. */
export function countingFetch(): { fetch: typeof fetch; count: () => number } {
  let count = 0;
  return {
    fetch: (...args) => {
      count += 1;
      return fetch(...args);
    },
    count: () => count,
  };
}
