import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { decodeAuditBatch } from "@relaykey/core/audit-event";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { deriveLocalKeys, sealSecret, vendorKeyContext } from "@relaykey/core/envelope";
import { newId } from "@relaykey/core/ids";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import { NO_LIMITS } from "@relaykey/core/limits";
import { Secret } from "@relaykey/core/secret";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { importTagKey, mintToken, newLocator } from "@relaykey/core/token";
import { configure } from "../config.ts";
import type { Dependencies } from "../config.ts";
import { KeyControl } from "../control.ts";
import { relay } from "../relay.ts";

export const VENDOR_KEY = "vendor-key-4f1d0c77";
export const CALLER_IP = "203.0.113.7";

/** A key as an admin would have made it, with the token its holder has. */
export interface TestKey {
  readonly token: string;
  readonly snapshot: PolicySnapshot;
}

/** One isolate's proxy over the real object, KV and clock; only the audit queue is a recording one. */
export class TestProxy {
  readonly events: AuditEvent[] = [];
  readonly deps: Dependencies;
  readonly #kept: Promise<unknown>[] = [];

  private constructor(deps: Dependencies) {
    this.deps = deps;
  }

  static async start(overrides: Partial<Env> = {}): Promise<TestProxy> {
    const events: AuditEvent[] = [];
    const queue = {
      send: (message: string) => {
        events.push(...(decodeAuditBatch(message)?.events ?? []));
        return Promise.resolve({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
      },
    } as unknown as Queue<string>;
    const proxy = new TestProxy(await configure({ ...env, AUDIT_QUEUE: queue, ...overrides }));
    Object.assign(proxy, { events });
    return proxy;
  }

  /** Sends a request from `CALLER_IP` unless the headers say otherwise. */
  call(url: string, init: RequestInit = {}, ip: string | null = CALLER_IP): Promise<Response> {
    const headers = new Headers(init.headers);
    if (ip !== null) headers.set("CF-Connecting-IP", ip);
    // The constructor refuses methods that a server still has to expect on the wire.
    const { method = "GET", ...rest } = init;
    const constructible = method !== "TRACE";
    const request = new Request(url, { ...rest, headers, method: constructible ? method : "GET" });
    if (!constructible) Object.defineProperty(request, "method", { value: method });
    return relay(request, newId(), this.deps, (work) => {
      this.#kept.push(work);
    });
  }

  /** Waits for everything the requests left to `waitUntil`, then gives the events recorded so far. */
  async settled(): Promise<AuditEvent[]> {
    let seen = -1;
    while (seen !== this.#kept.length) {
      seen = this.#kept.length;
      await Promise.allSettled(this.#kept);
    }
    return this.events;
  }
}

/** What a test changes about an otherwise permissive key. */
export type KeyChanges = Partial<Omit<PolicySnapshot, "integration">> & {
  readonly integration?: Partial<PolicySnapshot["integration"]>;
};

/** Mints a token and builds the snapshot that the control plane would build; applies nothing. */
export async function makeKey(changes: KeyChanges = {}, locator = newLocator()): Promise<TestKey> {
  const tagKey = await importTagKey(env.RELAYKEY_TOKEN_KEY);
  const { token, hash, display } = await mintToken("proxy", locator, tagKey);
  const { publicKey } = await deriveLocalKeys(env.RELAYKEY_MASTER_KEY);
  const organizationId = newId();
  const { integration: changed, ...rest } = changes;
  const integration: IntegrationSnapshot = {
    id: newId(),
    slug: "vendor",
    enabled: true,
    upstream: { origin: "https://api.vendor.example", basePath: "", timeoutMs: 10_000 },
    credential: { kind: "bearer" },
    secret: { version: 1, envelope: "" },
    requestHeaders: ["vendor-*"],
    dialect: "plain",
    allowEncodedSlash: false,
    logQuery: false,
    responseCookies: false,
    scrubResponses: true,
    ...changed,
  };
  const envelope = await sealSecret(
    { publicKey, customerKey: null },
    vendorKeyContext(organizationId, integration),
    new Secret(VENDOR_KEY),
  );
  const snapshot: PolicySnapshot = {
    format: 1,
    name: "ci/vendor",
    version: 1,
    keyId: newId(),
    organizationId,
    holderId: newId(),
    holderLocator: locator,
    tokenHash: hash,
    display,
    state: "active",
    notBefore: null,
    expiresAt: null,
    integration: { ...integration, secret: changed?.secret ?? { version: 1, envelope } },
    rules: [{ methods: ["GET", "POST"], path: "/v1/**" }],
    bindings: {},
    ip: { mode: "any" },
    limits: NO_LIMITS,
    enforcement: "lease",
    holder: { kind: "service", name: "ci", email: null, mailable: true, limits: NO_LIMITS },
    confirmation: DEFAULT_CONFIRMATION,
    freezesLifted: 0,
    organizationName: "Acme",
    auditRetentionDays: 7,
    ...rest,
  };
  return { token: token.reveal(), snapshot };
}

/** Makes a key and has the data plane enforce it, as the control plane does. */
export async function appliedKey(changes: KeyChanges = {}): Promise<TestKey> {
  const key = await makeKey(changes);
  await keyControl().apply(encodeSnapshot(key.snapshot));
  return key;
}

/** The next version of a key, enforced when this returns. */
export async function change(key: TestKey, changes: Partial<PolicySnapshot>): Promise<TestKey> {
  const snapshot = { ...key.snapshot, ...changes, version: key.snapshot.version + 1 };
  await keyControl().apply(encodeSnapshot(snapshot));
  return { ...key, snapshot };
}

/** The entrypoint that the control plane is bound to, in this isolate. */
export function keyControl(): KeyControl {
  return new KeyControl(createExecutionContext(), env);
}

export function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { Authorization: `Bearer ${token}` } };
}
