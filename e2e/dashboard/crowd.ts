import { createHash, randomUUID } from "node:crypto";
import type { AuditEvent } from "@relaykey/core/audit-event";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { newId } from "@relaykey/core/ids";
import { invitations, memberships, users } from "@relaykey/db/schema/people";
import { noteSecret } from "../witness.ts";
import { chainEvents, idAt } from "./example.ts";
import type { Example } from "./example.ts";
import { database } from "./people.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 7;

/** An integration of the organization, and what its requests ask for. */
interface Vendor {
  readonly slug: string;
  readonly name: string;
  readonly allow: readonly string[];
  readonly requests: readonly (readonly [method: string, path: string])[];
  readonly userAgent: string;
}

const VENDORS: readonly Vendor[] = [
  {
    slug: "anthropic",
    name: "Anthropic",
    allow: ["POST /v1/messages", "GET /v1/models"],
    requests: [
      ["POST", "/v1/messages"],
      ["GET", "/v1/models"],
    ],
    userAgent: "Anthropic/Python 0.75.0",
  },
  {
    slug: "github",
    name: "GitHub",
    allow: ["GET /repos/{repository}/**", "POST /repos/{repository}/issues"],
    requests: [
      ["GET", "/repos/northwind/pulls"],
      ["POST", "/repos/northwind/issues"],
      ["GET", "/repos/northwind/actions/runs/8123/jobs"],
    ],
    userAgent: "octokit-rest.js/22.0.1",
  },
  {
    slug: "resend",
    name: "Resend",
    allow: ["POST /emails"],
    requests: [["POST", "/emails"]],
    userAgent: "resend-node:6.6.0",
  },
];

const PEOPLE = [
  ["Amara Okafor", "amara.okafor"],
  ["Björn Lindqvist", "bjorn.lindqvist"],
  ["Chiara Esposito", "chiara.esposito"],
  ["Dmitri Volkov", "dmitri.volkov"],
  ["Élodie Girard", "elodie.girard"],
  ["Farid Haddad", "farid.haddad"],
  ["Grace Kim", "grace.kim"],
  ["Hiroshi Tanaka", "hiroshi.tanaka"],
] as const;

const MACHINES = [
  ["nightly-reconciliation", "service"],
  ["invoice-mailer", "service"],
  ["ci", "application"],
  ["code-review-agent", "agent"],
  ["sales-forecast", "agent"],
  ["Contoso Integration Partners", "vendor"],
] as const;

/** Why some requests are refused, with the answer. */
const REFUSALS: readonly (readonly [BlockReason, number])[] = [
  ["scope_path", 403],
  ["scope_method", 403],
  ["ip_unconfirmed", 423],
  ["ip_not_allowed", 403],
  ["rate_limited", 429],
  ["token_expired", 401],
  ["upstream_timeout", 504],
];

interface Issued {
  readonly id: string;
  readonly holderId: string;
  readonly vendor: Vendor;
  readonly size: number;
}

/** Makes an example as full as one of twenty people: more vendors, holders and keys in each state, a week of requests, members. */
export async function fillCrowd(organizationId: string, { admin }: Example): Promise<void> {
  for (const { slug, name } of VENDORS) {
    await admin.call("POST", "/integrations", {
      slug,
      name,
      upstream: `${admin.local.upstream}/${slug}`,
      secret: `sk-canary-${randomUUID()}`,
    });
  }
  // The demo vendor does not know that key, as a vendor does not know one that was replaced at its side.
  await admin.call("POST", "/integrations/resend/test", {});
  const holders = [
    ...PEOPLE.map(([name, mailbox]) => ({ name, kind: "person", email: `${mailbox}@example.com` })),
    ...MACHINES.map(([name, kind]) => ({ name, kind })),
  ];
  const issued: Issued[] = [];
  for (const [index, holder] of holders.entries()) {
    const { holder: made } = await admin.call<{ holder: { id: string } }>("POST", "/holders", holder);
    const vendor = VENDORS[index % VENDORS.length];
    if (vendor === undefined) throw new Error("There is no vendor.");
    const { key, token } = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder: made.id,
      integration: vendor.slug,
      allow: vendor.allow,
      ...(vendor.slug === "github" ? { bindings: { repository: "northwind" } } : {}),
      ...(holder.kind === "person" ? {} : { ip: { mode: "allowlist", cidrs: ["198.51.100.0/24"] } }),
      limits: { rate: `${String(60 * (index + 1))}/minute` },
      ...(index % 4 === 0
        ? {}
        : { expires_at: new Date(Date.now() + (index * 9 + 2) * DAY_MS).toISOString() }),
    });
    noteSecret(token);
    issued.push({ id: key.id, holderId: made.id, vendor, size: 2 + ((index * 7) % 11) });
  }
  const events = issued.flatMap((key, index) => week(organizationId, key, index));
  for (let start = 0; start < events.length; start += 500) {
    await chainEvents(events.slice(start, start + 500));
  }
  const [revoked, frozen] = [issued[1], issued[10]];
  await admin.call("POST", `/keys/${revoked?.id ?? ""}/revoke`);
  await admin.call("POST", `/keys/${frozen?.id ?? ""}/freeze`);
  await addMembers(organizationId);
}

/** A working week of one key: busy at noon, quiet at night and on two days. */
function week(organizationId: string, key: Issued, seed: number): AuditEvent[] {
  const start = Date.now() - DAYS * DAY_MS;
  return Array.from({ length: DAYS * 24 }, (_, hour) => {
    const noon = Math.max(0.1, Math.sin((((hour + seed) % 24) / 24) * Math.PI));
    const quiet = Math.floor(hour / 24) >= DAYS - 2 ? 1 : 0.5;
    return Math.round(key.size * noon * quiet * 0.25);
  }).flatMap((count, hour) =>
    Array.from({ length: count }, (_, index) => {
      const at = start + hour * HOUR_MS + ((seed * 13 + index * 7 + hour * 3) % 60) * 60_000;
      const [reason, refused] =
        (index + hour * 3 + seed) % 7 === 0 ? (REFUSALS[(hour + seed) % REFUSALS.length] ?? []) : [];
      const [method, path] = key.vendor.requests[(hour + index) % key.vendor.requests.length] ?? ["GET", "/"];
      return {
        v: 1,
        requestId: idAt(at),
        at,
        organizationId,
        integrationId: null,
        integrationSlug: key.vendor.slug,
        keyId: key.id,
        holderId: key.holderId,
        method,
        path,
        query: null,
        decision: reason === undefined ? "allowed" : "blocked",
        reason: reason ?? null,
        outcome: "completed",
        status: refused ?? 200,
        upstreamStatus: reason === undefined ? 200 : null,
        ip: seed % 5 === 0 ? "2001:db8:85a3:8d3::" : `198.51.100.${String(20 + seed)}`,
        userAgent: key.vendor.userAgent,
        durationMs: 60 + ((index * 137 + hour * 29) % 1_800),
        bytesIn: 640 + index,
        bytesOut: 9_200 + hour,
        retentionDays: 30,
        droppedHeaders: ["cookie"],
      } satisfies AuditEvent;
    }),
  );
}

/** Colleagues, and one who has not come yet. */
async function addMembers(organizationId: string): Promise<void> {
  const colleagues = PEOPLE.map(([, mailbox]) => ({
    id: newId(),
    email: `${mailbox}.${organizationId.slice(-12)}@example.com`,
  }));
  await database.insert(users).values(colleagues);
  await database.insert(memberships).values(
    colleagues.map(({ id }, index) => ({
      id: newId(),
      organizationId,
      userId: id,
      role: index % 3 === 0 ? ("admin" as const) : ("viewer" as const),
    })),
  );
  await database.insert(invitations).values({
    id: newId(),
    organizationId,
    email: "ingrid.solberg@example.com",
    role: "viewer",
    tokenHash: createHash("sha256").update(randomUUID()).digest("hex"),
    expiresAt: new Date(Date.now() + 6 * DAY_MS),
  });
}
