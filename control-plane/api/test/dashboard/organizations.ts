import { sql } from "drizzle-orm";
import type { AppLoadContext } from "@remix-run/cloudflare";
import { expect } from "vitest";
import { newId } from "@relaykey/core/ids";
import { sessions } from "@relaykey/db/schema/access";
import { memberships } from "@relaykey/db/schema/people";
import { setSessionToken } from "../../../app/.server/session.ts";
import { founder, signIn, unique } from "../accounts/people.ts";
import { createWorld } from "../world.ts";
import type { Client, World } from "../world.ts";
import { run } from "./routes.ts";
import type { DashboardRoute, Outcome } from "./routes.ts";

/** The vendor key that each organization has, and the one that is typed into its forms. */
export const STORED_SECRET = "sk-canary-stored-Zq3vT8";
export const TYPED_SECRET = "sk-canary-typed-Xw7kP2";

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly ids: Readonly<Record<string, string>>;
  /** The cookie of its first admin. */
  readonly cookie: string;
  readonly client: Client;
}

/** The dashboard's loaders and actions over a database, as Remix calls them. */
export interface Dashboard {
  readonly world: World;
  readonly cookieOf: (sessionToken: string) => Promise<string>;
  /** The cookie of a new person in an organization. */
  readonly member: (organizationId: string, role: "admin" | "viewer") => Promise<string>;
  /** A new one that has one of everything. */
  readonly organization: () => Promise<Organization>;
  /**
   * A request for a page or of a form of an organization, by whoever sends these fields.
   *
   * @param intent absent: its page.
   */
  readonly ask: (
    route: DashboardRoute,
    of: Organization,
    headers: Readonly<Record<string, string>>,
    intent?: string,
    more?: { readonly query?: string; readonly fields?: Readonly<Record<string, string>> },
  ) => Promise<Outcome>;
}

export async function openDashboard(): Promise<Dashboard> {
  const world = await createWorld();
  const deps: AppLoadContext["deps"] = {
    ...world.deps,
    development: true,
    clientIps: { kind: "edge" },
    insecureCookies: true,
    securityContact: "mailto:security@example.com",
  };

  async function cookieOf(sessionToken: string): Promise<string> {
    return (await setSessionToken(deps, sessionToken)).split(";")[0] ?? "";
  }

  async function member(organizationId: string, role: "admin" | "viewer"): Promise<string> {
    const { person, token } = await signIn(world, unique());
    await world.db.insert(memberships).values({ id: newId(), organizationId, userId: person.userId, role });
    await world.db.execute(
      sql`UPDATE ${sessions} SET organization_id = ${organizationId}::uuid WHERE id = ${person.sessionId}::uuid`,
    );
    return cookieOf(token);
  }

  /** An organization that has one of everything. */
  async function organization(): Promise<Organization> {
    const { person, token, caller } = await founder(world);
    const { organizationId: id } = caller;
    const client = await world.admin(id);
    const made = async (path: string, body: object, name: string): Promise<string> => {
      const answer = await client("POST", path, body);
      expect(answer.status, answer.text).toBe(201);
      return (answer.body[name] as { id: string }).id;
    };
    const slug = `openai-${id.slice(-8)}`;
    await made(
      "/integrations",
      { slug, catalogue: "openai", name: `canary ${id}`, secret: STORED_SECRET },
      "integration",
    );
    const holder = await made("/holders", { name: `canary ${id}`, kind: "service" }, "holder");
    const rule = { holder, integration: slug, allow: ["GET /v1/models"] };
    const key = await made("/keys", { ...rule, name: `canary ${id}` }, "key");
    const webhook = await made("/webhooks", { url: "https://hooks.example.com/a" }, "webhook");
    const management = await made("/tokens", { name: `canary ${id}` }, "management_token");
    const invitation = await made("/invitations", { email: unique(), role: "viewer" }, "invitation");
    const { data: members } = (await client("GET", "/members")).body as { data: { id: string }[] };
    const { data: events } = (await client("GET", "/admin-events")).body as { data: { id: string }[] };
    const { data: notices } = (await client("GET", "/notices")).body as { data: { id: string }[] };
    const ids = {
      ...{
        slug,
        holder,
        key,
        webhook,
        token: management,
        invitation,
        domain: person.email.split("@")[1] ?? "",
      },
      ...{ member: members[0]?.id ?? "", eventId: events[0]?.id ?? "", notice: notices[0]?.id ?? "" },
    };
    const { name } = (await client("GET", "/organization")).body["organization"] as { name: string };
    return { id, name, ids, cookie: await cookieOf(token), client };
  }

  function ask(
    route: DashboardRoute,
    of: Organization,
    headers: Readonly<Record<string, string>>,
    intent?: string,
    more: { readonly query?: string; readonly fields?: Readonly<Record<string, string>> } = {},
  ): Promise<Outcome> {
    const handler = intent === undefined ? route.loader : route.action;
    if (handler === null) throw new TypeError(`${route.file} has no such thing.`);
    const params = Object.fromEntries(
      [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => [name, of.ids[name] ?? newId()]),
    );
    const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? "");
    const url = `https://relaykey.example/${encodeURI(path)}${more.query ?? search(route, of)}`;
    const init =
      intent === undefined
        ? {}
        : {
            method: "POST",
            body: new URLSearchParams({ ...form(route, of, intent, world.deps.now()), ...more.fields }),
          };
    const request = new Request(url, { ...init, headers });
    const context = { deps, nonce: "nonce" };
    return run(handler, { request, params, context });
  }

  return { world, cookieOf, member, organization, ask };
}

function search({ file }: DashboardRoute, { ids }: Organization): string {
  if (file === "keys-revoke.tsx") return `?key=${ids["key"] ?? ""}`;
  return file === "audit-export.ts" ? "?format=csv" : "?q=canary";
}

/** What the forms of the dashboard send, all at once: each takes what it knows. */
function form(
  { file }: DashboardRoute,
  { ids, name }: Organization,
  intent: string,
  now: number,
): Readonly<Record<string, string>> {
  const isInvitation = intent === "resend" || intent === "revoke";
  const id = file === "settings/tokens.tsx" ? ids["token"] : isInvitation ? ids["invitation"] : ids["member"];
  return {
    ...{ intent, id: id ?? "", nonce: newId(), holder: ids["holder"] ?? "", integration: ids["slug"] ?? "" },
    ...{ name: file === "settings/danger.tsx" ? name : "changed", typed: name, domain: ids["domain"] ?? "" },
    ...{ email: unique(), role: "admin", kind: "service", network: "203.0.113.0/24", pending: "pending-1" },
    ...{
      slug: `new-${newId().slice(-8)}`,
      secret: TYPED_SECRET,
      credential: "bearer",
      upstream: "https://api.openai.com",
    },
    ...{
      dialect: "plain",
      timeout: "30",
      allow: "GET /v1/models",
      ip: "any",
      expires_in: "7d",
      overlap: "0",
      restorable: "0",
    },
    ...{
      url: "https://hooks.example.com/b",
      description: "",
      up_to: ids["notice"] ?? "",
      plan: "team",
      as_of: String(now),
    },
    ...{
      shown: "1",
      count: "1",
      code: "BCDF-GHJK",
      v6Prefix: "64",
      trustDays: "30",
      enforcement: "lease",
      catalogue: "openai",
    },
  };
}
