import { adminOf } from "./example.ts";

/** Names that a page must bear: long ones, other scripts, from right to left, and what looks like markup. */
const NAMES = [
  "مفتاح خدمة الدفع للعملاء",
  "決済サービス本番環境 🗝️",
  "eu-west-production-billing-reconciliation-service-with-a-name-that-goes-on-and-on-until-the-end-x",
  "<!--<script><b>Robert'); DROP TABLE keys;--",
];

const LONG_PATH = `/v1/organizations/${"0123456789abcdef".repeat(6)}/projects/${"f".repeat(80)}/threads/*`;

/** An organization whose names and paths strain its pages. */
export interface Strange {
  readonly holderId: string;
  readonly keyId: string;
  readonly requestId: string;
  /** Its own page tells how it was revoked. */
  readonly spareKeyId: string;
}

/** The pages that show names and paths. */
export const STRAINED_PAGES: readonly {
  readonly name: string;
  readonly path: (strange: Strange) => string;
}[] = [
  { name: "strange-overview", path: () => "/" },
  { name: "strange-audit", path: () => "/audit" },
  { name: "strange-audit-event", path: ({ requestId }) => `/audit/${requestId}` },
  { name: "strange-admin-events", path: () => "/admin-events" },
  { name: "strange-notices", path: () => "/notices" },
  { name: "strange-keys", path: () => "/keys" },
  { name: "strange-key", path: ({ keyId }) => `/keys/${keyId}` },
  { name: "strange-keys-revoke", path: ({ keyId }) => `/keys/revoke?key=${keyId}` },
  { name: "strange-holders", path: () => "/holders" },
  { name: "strange-holder", path: ({ holderId }) => `/holders/${holderId}` },
  { name: "strange-integration", path: () => "/integrations/openai" },
];

/** Fills an organization with holders and keys whose names strain a page, and requests with a long path. */
export async function fillStrange(organizationId: string): Promise<Strange> {
  const admin = await adminOf(organizationId);
  await admin.call("POST", "/integrations", {
    slug: "openai",
    name: "OpenAI, through the gateway of the European production environment",
    upstream: `${admin.local.upstream}/openai`,
    secret: `sk-canary-${crypto.randomUUID()}`,
  });
  let strange: Strange = { holderId: "", keyId: "", requestId: "", spareKeyId: "" };
  for (const name of NAMES) {
    const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
      name,
      kind: "service",
    });
    const { key, token } = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder: holder.id,
      integration: "openai",
      allow: ["GET /v1/models", `GET ${LONG_PATH}`],
      ip: { mode: "any" },
    });
    const { headers } = await fetch(`${admin.local.proxy}/openai${LONG_PATH.replace("*", "1")}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const requestId = headers.get("relaykey-request-id") ?? "";
    await admin.event(requestId);
    // The longest name is the one that is looked at.
    strange = name.startsWith("eu-")
      ? { ...strange, holderId: holder.id, keyId: key.id, requestId }
      : { ...strange, spareKeyId: key.id };
  }
  return strange;
}
