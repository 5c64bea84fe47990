import { createHash, randomBytes } from "node:crypto";
import { newId } from "@relaykey/core/ids";
import { StartError } from "./config/error.ts";
import { createBootstrapToken, createOrganization, firstOrganization } from "./first-token.ts";
import { queryRows } from "./sql/backend.ts";
import type { SqlBackend } from "./sql/backend.ts";
import type { LocalFile } from "./state.ts";

/** What a seeded installation gives to whoever started it. */
export interface Seeded {
  readonly demo: LocalFile["demo"];
  readonly managementToken: string;
  /** Goes into the one-time link to the dashboard. */
  readonly signInToken: string;
}

export interface SeedOptions {
  readonly backend: SqlBackend;
  readonly tokenKey: string;
  readonly controlPlane: string;
  /** Answers the demo integrations; null where there is no demo. */
  readonly demoUpstream: string | null;
  /** What an earlier start left: tokens are shown once, so they are kept there. */
  readonly before: LocalFile | null;
}

const SIGN_IN_MINUTES = 15;
const DEMO_HOLDER = "demo-app";
const DEMO_INTEGRATION = "openai";
const DEMO_ALLOW = ["POST /v1/chat/completions", "GET /v1/models", "GET /v1/models/*"];

/** The integrations of the demo organization, all answered by the demo upstream. */
const INTEGRATIONS: readonly { readonly slug: string; readonly path?: string; readonly body?: object }[] = [
  { slug: "openai" },
  { slug: "anthropic" },
  { slug: "stripe" },
  { slug: "resend" },
  { slug: "cloudflare", path: "/cloudflare/client/v4" },
  { slug: "github" },
  { slug: "google" },
  { slug: "elevenlabs" },
  { slug: "slack" },
  { slug: "twilio" },
  { slug: "echo", body: { name: "Echo", credential: { kind: "bearer" }, request_headers: ["x-echo-*"] } },
];

/** Makes the first organization with its demo, or brings an existing one up to date with this start's addresses. Safe to repeat. */
export async function seed(options: SeedOptions): Promise<Seeded> {
  const { backend, before } = options;
  const organizationId = (await firstOrganization(backend)) ?? (await createOrganization(backend, "Demo"));
  const managementToken =
    before?.managementToken ?? (await createBootstrapToken(backend, organizationId, options.tokenKey));
  const api = new Api(options.controlPlane, managementToken);
  if (options.demoUpstream !== null) await seedIntegrations(api, options.demoUpstream);
  const demo = before?.demo ?? (options.demoUpstream === null ? null : await demoKey(api));
  return { demo, managementToken, signInToken: await signInLink(backend, organizationId) };
}

/** The demo organization's first admin. Nobody else can receive mail on this machine. */
const DEMO_ADMIN = "admin@relaykey.localhost";

/** A link that signs its opener in as the demo organization's admin, whichever browser it is opened in. */
async function signInLink(backend: SqlBackend, organizationId: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(token).digest("hex");
  await queryRows(backend, "INSERT INTO users (id, email) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    newId(),
    DEMO_ADMIN,
  ]);
  await queryRows(
    backend,
    `INSERT INTO memberships (id, organization_id, user_id, role)
     SELECT $1, $2, users.id, 'admin' FROM users WHERE email = $3 ON CONFLICT DO NOTHING`,
    [newId(), organizationId, DEMO_ADMIN],
  );
  await queryRows(
    backend,
    `INSERT INTO sign_in_attempts (id, email, link_hash, expires_at)
     VALUES ($1, $2, $3, now() + $4::int * interval '1 minute')`,
    [newId(), DEMO_ADMIN, hash, String(SIGN_IN_MINUTES)],
  );
  return token;
}

async function seedIntegrations(api: Api, upstream: string): Promise<void> {
  const { data } = await api.call<{ data: { slug: string; upstream: string }[] }>(
    "GET",
    "/integrations?limit=200",
  );
  const unreadable = await formerSeals(api);
  for (const { slug, path = `/${slug}`, body = {} } of INTEGRATIONS) {
    const address = `${upstream}${path}`;
    const found = data.find((integration) => integration.slug === slug);
    if (found === undefined) {
      await api.call("POST", "/integrations", { slug, upstream: address, secret: vendorKey(slug), ...body });
    } else if (isLoopback(found.upstream) && (found.upstream !== address || unreadable.has(slug))) {
      // The ports have changed since the last start, and the key is sealed for its address: it is sealed again. One that was
      // pointed at a real vendor stays there.
      await api.call("PATCH", `/integrations/${slug}`, { upstream: address, secret: vendorKey(slug) });
    }
  }
}

/** The integrations whose vendor key a former release sealed, in a form that this one does not open. */
async function formerSeals(api: Api): Promise<ReadonlySet<string>> {
  const { custody } = await api.call<{
    custody: { integrations: { integration: string; provider: string | null }[] };
  }>("GET", "/custody");
  return new Set(
    custody.integrations.filter(({ provider }) => provider === null).map(({ integration }) => integration),
  );
}

/** What the demo upstream accepts (local/upstream/credentials.ts). */
function vendorKey(slug: string): string {
  return slug === "twilio"
    ? `AC${"0123456789abcdef".repeat(2)}:demo-upstream-key-twilio`
    : `demo-upstream-key-${slug}`;
}

async function demoKey(api: Api): Promise<LocalFile["demo"]> {
  const { data } = await api.call<{ data: { name: string }[] }>("GET", "/holders?limit=200");
  if (!data.some(({ name }) => name === DEMO_HOLDER)) {
    await api.call("POST", "/holders", { name: DEMO_HOLDER, kind: "application" });
  }
  const { token } = await api.call<{ token: string }>("POST", "/keys", {
    holder: DEMO_HOLDER,
    integration: DEMO_INTEGRATION,
    name: "Demo key",
    allow: DEMO_ALLOW,
    ip: { mode: "any" },
  });
  return { integration: DEMO_INTEGRATION, key: token };
}

/** The management API, as any other client sees it. */
class Api {
  readonly #base: string;
  readonly #token: string;

  constructor(controlPlane: string, token: string) {
    this.#base = `${controlPlane}/api/v1`;
    this.#token = token;
  }

  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new StartError(
        `The demo data could not be made: ${method} ${path} answered ${String(response.status)}: ${text}`,
      );
    }
    return JSON.parse(text) as T;
  }
}

function isLoopback(url: string): boolean {
  return new URL(url).hostname === "127.0.0.1";
}
