import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { newId } from "@relaykey/core/ids";
import { importTagKey, mintToken } from "@relaykey/core/token";
import { appendAuditEvents } from "@relaykey/db/queries/audit-append";
import { insertManagementToken } from "@relaykey/db/queries/tokens";
import { Admin } from "../harness.ts";
import { noteSecret } from "../witness.ts";
import { database, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const HOUR_MS = 3_600_000;

/** A key of the stack, for what only its own Workers could make. */
function stackKey(name: "RELAYKEY_TOKEN_KEY" | "RELAYKEY_AUDIT_KEY"): string {
  const secrets = JSON.parse(readFileSync(join(inject("state"), "secrets.json"), "utf8")) as Record<
    typeof name,
    string
  >;
  return secrets[name];
}

/** Writes events as the audit plane does: into their organization's chain. */
export async function chainEvents(events: readonly AuditEvent[]): Promise<void> {
  await appendAuditEvents(database, await openSigner(stackKey("RELAYKEY_AUDIT_KEY")), events, Date.now());
}

/** The management API of an organization that a test made. */
export async function adminOf(organizationId: string): Promise<Admin> {
  const minted = await mintToken("mgmt", null, await importTagKey(stackKey("RELAYKEY_TOKEN_KEY")));
  await insertManagementToken(database, {
    id: newId(),
    organizationId,
    name: "terraform",
    kind: "standard",
    tokenHash: minted.hash,
    display: minted.display,
  });
  const managementToken = minted.token.reveal();
  noteSecret(managementToken);
  return new Admin({ ...inject("local"), managementToken });
}

/** Somebody in an organization of their own, which can call the demo vendor as `openai`. */
export async function openaiOrganization(): Promise<{ readonly person: Person; readonly admin: Admin }> {
  const person = await signedIn();
  const admin = await adminOf(person.organizationId);
  await admin.call("POST", "/integrations", {
    slug: "openai",
    upstream: `${inject("local").upstream}/openai`,
    secret: "demo-upstream-key-openai",
  });
  return { person, admin };
}

/** An organization as one looks after a day of work. */
export interface Example {
  readonly admin: Admin;
  readonly keys: readonly { readonly id: string; readonly name: string; readonly token: string }[];
  readonly integrationId: string;
  readonly holderIds: readonly string[];
  /** Of a blocked request. */
  readonly requestId: string;
  readonly adminEventId: string;
  readonly webhookId: string;
}

const KEYS = [
  {
    holder: "checkout-service",
    kind: "service",
    integration: "stripe",
    allow: ["POST /v1/refunds", "GET /v1/charges/*"],
    share: 60,
  },
  {
    holder: "support-agent",
    kind: "agent",
    integration: "openai",
    allow: ["POST /v1/chat/completions", "GET /v1/models"],
    share: 130,
  },
  { holder: "ada@example.com", kind: "person", integration: "openai", allow: ["GET /v1/**"], share: 25 },
  {
    holder: "Northwind Analytics",
    kind: "vendor",
    integration: "stripe",
    allow: ["GET /v1/balance"],
    share: 8,
  },
] as const;

const REASONS = [
  "scope_path",
  "scope_path",
  "ip_not_allowed",
  "rate_limited",
  "token_expired",
  "upstream_timeout",
] as const;
const STATUS = {
  scope_path: 403,
  ip_not_allowed: 403,
  rate_limited: 429,
  token_expired: 401,
  upstream_timeout: 504,
} as const;

/** Fills an organization with integrations, holders, keys, and the requests of two days. */
export async function fillExample(organizationId: string): Promise<Example> {
  const admin = await adminOf(organizationId);
  const { upstream } = admin.local;
  let integrationId = "";
  for (const slug of ["openai", "stripe"]) {
    const secret = `sk-canary-${crypto.randomUUID()}`;
    const made = await admin.call<{ integration: { id: string } }>("POST", "/integrations", {
      slug,
      name: slug === "openai" ? "OpenAI" : "Stripe",
      upstream: `${upstream}/${slug}`,
      secret,
    });
    integrationId = made.integration.id;
  }
  const keys: { id: string; name: string; token: string; holderId: string; share: number; slug: string }[] =
    [];
  for (const { holder, kind, integration, allow, share } of KEYS) {
    const { holder: made } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
      name: holder,
      kind,
      ...(kind === "person" ? { email: holder } : {}),
    });
    const created = await admin.call<{ key: { id: string; name: string }; token: string }>("POST", "/keys", {
      holder,
      integration,
      allow,
      ip: { mode: "any" },
      ...(kind === "vendor" ? { expires_at: new Date(Date.now() + 60 * HOUR_MS).toISOString() } : {}),
    });
    noteSecret(created.token);
    keys.push({ ...created.key, token: created.token, holderId: made.id, share, slug: integration });
  }
  const events = keys.flatMap((key, index) => history(organizationId, key, index));
  for (let start = 0; start < events.length; start += 500) {
    await chainEvents(events.slice(start, start + 500));
  }
  const requestId = events.findLast(({ reason }) => reason === "scope_path")?.requestId ?? "";
  const { webhook } = await admin.call<{ webhook: { id: string }; secret: string }>("POST", "/webhooks", {
    url: "https://hooks.example.com/relaykey",
    types: ["key.frozen", "integration.failing"],
  });
  const { data } = await admin.call<{ data: { id: string }[] }>("GET", "/admin-events?limit=1");
  return {
    admin,
    keys,
    integrationId,
    holderIds: keys.map(({ holderId }) => holderId),
    requestId,
    adminEventId: data[0]?.id ?? "",
    webhookId: webhook.id,
  };
}

function history(
  organizationId: string,
  key: { id: string; holderId: string; share: number; slug: string },
  seed: number,
): AuditEvent[] {
  const hours = Array.from({ length: 48 }, (_, hour) => hour);
  return hours.flatMap((hour) => {
    // A working day has a shape.
    const busy = 0.35 + 0.65 * Math.max(0, Math.sin(((hour + seed) / 24) * 2 * Math.PI));
    return Array.from({ length: Math.round((key.share * busy) / 6) }, (_, index) => {
      const reason =
        (index + hour + seed) % 9 === 0 ? (REASONS[(index + hour) % REASONS.length] ?? null) : null;
      const at = Date.now() - (47 - hour) * HOUR_MS - ((index * 1_347_713 + hour * 611_953) % HOUR_MS);
      return {
        v: 1,
        requestId: idAt(at),
        at,
        organizationId,
        integrationId: null,
        integrationSlug: key.slug,
        keyId: key.id,
        holderId: key.holderId,
        method: index % 3 === 0 ? "GET" : "POST",
        path: reason === "scope_path" ? "/v1/files/file-8f2k1/content" : "/v1/chat/completions",
        query: null,
        decision: reason === null ? "allowed" : "blocked",
        reason,
        outcome: "completed",
        status: reason === null ? 200 : STATUS[reason],
        upstreamStatus: reason === null ? 200 : null,
        ip: `203.0.113.${String(7 + seed)}`,
        userAgent: "OpenAI/JS 7.57.0",
        durationMs: 40 + ((index * 37) % 900),
        bytesIn: 812,
        bytesOut: 4_100,
        retentionDays: 30,
        droppedHeaders: ["cookie"],
      } satisfies AuditEvent;
    });
  });
}

/** A UUIDv7 of another moment: its first 48 bits are the time (RFC 9562 §5.7). */
export function idAt(at: number): string {
  const time = at.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}${newId().slice(13)}`;
}
