import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import type { BlockReason } from "@relaykey/core/block-reasons";
import type { KeyRef } from "@relaykey/core/rpc";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { NOWHERE } from "../objects/network-store.ts";
import type { Intake } from "../steps/intake.ts";

/** What a version of the policy allows, of the two things that requests try. */
export type PolicyKind = "wide" | "narrow" | "frozen" | "disabled" | "revoked";

/** `common`: also a narrowed key may do it. `wide`: only a wide one may. */
export type Aim = (typeof AIMS)[number];
export const AIMS = ["common", "wide"] as const;

export const SUBJECT = { hash: "5e".repeat(32), locator: "0123456789abcdef" } as const;
export const KEY: KeyRef = { keyId: "key_1", tokenHash: SUBJECT.hash, holderLocator: SUBJECT.locator };

/** Why a policy refuses a request, or null: the specification that histories are judged by, apart from the real code. */
export function refusalOf(kind: PolicyKind, aim: Aim): BlockReason | null {
  switch (kind) {
    case "wide":
      return null;
    case "narrow":
      return aim === "wide" ? "scope_path" : null;
    case "frozen":
      return "key_frozen";
    case "disabled":
      return "integration_disabled";
    case "revoked":
      return "token_revoked";
  }
}

const encoded = new Map<string, string>();

/** The snapshot that the control plane would send for a version. */
export function snapshotText(kind: PolicyKind, version: number, limits: Limits = NO_LIMITS): string {
  const name = `${kind} ${String(version)} ${JSON.stringify(limits)}`;
  let text = encoded.get(name);
  if (text === undefined) {
    text = encodeSnapshot(snapshot(kind, version, limits));
    encoded.set(name, text);
  }
  return text;
}

function snapshot(kind: PolicyKind, version: number, limits: Limits): PolicySnapshot {
  return {
    format: 1,
    name: "simulated",
    version,
    keyId: KEY.keyId,
    organizationId: "org_1",
    holderId: "holder_1",
    holderLocator: KEY.holderLocator,
    tokenHash: KEY.tokenHash,
    display: "rk_proxy_…1234",
    state: kind === "revoked" || kind === "frozen" ? kind : "active",
    notBefore: null,
    expiresAt: null,
    integration: {
      id: "int_1",
      slug: "vendor",
      enabled: kind !== "disabled",
      upstream: { origin: "https://api.vendor.example", basePath: "", timeoutMs: 10_000 },
      credential: { kind: "bearer" },
      secret: { version: 1, envelope: "sealed" },
      requestHeaders: [],
      dialect: "plain",
      allowEncodedSlash: false,
      logQuery: false,
      responseCookies: false,
      scrubResponses: true,
    },
    rules: [{ methods: ["GET"], path: kind === "narrow" ? "/common" : "/*" }],
    bindings: {},
    ip: { mode: "any" },
    limits,
    enforcement: "lease",
    holder: { kind: "service", name: "simulated", email: null, mailable: true, limits: NO_LIMITS },
    confirmation: DEFAULT_CONFIRMATION,
    freezesLifted: 0,
    organizationName: "Simulated",
    auditRetentionDays: 7,
  };
}

/** A request that was read already: the simulated isolates begin where the token has been verified. */
export function intake(aim: Aim, network: string): Intake {
  const path = `/${aim}`;
  return {
    requestId: "simulated",
    at: 0,
    method: "GET",
    slug: "vendor",
    origin: "https://proxy.example.com",
    mountPath: "/vendor",
    target: { ok: true, target: { path, query: "", segments: [aim] } },
    tokens: [],
    foreignCredential: false,
    ip: { address: network, network },
    place: () => NOWHERE,
    userAgent: null,
    subprotocols: [],
    isWebSocket: false,
    rawPath: path,
  };
}
