import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newId } from "@relaykey/core/ids";
import { sessions } from "@relaykey/db/schema/access";
import { memberships } from "@relaykey/db/schema/people";
import { endSessions } from "../../../service/account/sessions.ts";
import { authorize } from "../../../service/authorization.ts";
import type * as authorization from "../../../service/authorization.ts";
import { again, signIn, unique } from "../accounts/people.ts";
import { stateOfOrganization } from "../state.ts";
import type { World } from "../world.ts";
import { openDashboard } from "./organizations.ts";
import type { Dashboard, Organization } from "./organizations.ts";
import { dashboardRoutes } from "./routes.ts";

vi.mock("../../../service/authorization.ts", async (importOriginal) => {
  const original = await importOriginal<typeof authorization>();
  return { ...original, authorize: vi.fn(original.authorize) };
});

/** Routes for anybody, and why. Every other one is tried with everybody who may not. */
const FOR_ANYBODY: Readonly<Record<string, string>> = {
  "sign-in/ask.tsx": "where people sign in",
  "sign-in/check.tsx": "where they type the code",
  "sign-in/link.tsx": "what the mail links to: the token in it is the right",
  "sign-out.ts": "ends the session of the cookie that is sent along",
  "trust.tsx": "public",
  "document.ts": "public",
  "invitation.tsx": "what the mail links to; accepting takes a session of the invited address",
  "missing.tsx": "says that there is no such page",
};

/** Routes of a person's own account, which belong to no organization. */
const OF_A_PERSON: Readonly<Record<string, string>> = {
  "passkey.tsx": "showing one's own passkey",
  "passkey-options.ts": "the challenge for it",
  "welcome.tsx": "opening an organization",
  "organizations.tsx": "choosing one of one's own",
  "settings/sessions.tsx": "one's own browsers",
  "settings/passkeys.tsx": "one's own passkeys",
};

/** What a viewer may change. */
const FOR_VIEWERS = ["settings/members.tsx leave", "notices.tsx "];

const ROUTES = (await dashboardRoutes()).filter(({ loader, action }) => loader !== null || action !== null);
const GUARDED = ROUTES.filter(({ file }) => !(file in FOR_ANYBODY));
const WITHIN = GUARDED.filter(({ file }) => !(file in OF_A_PERSON));

let dashboard: Dashboard;
let world: World;
let victim: Organization;
let viewer: string;
let stranger: Organization;
/** Cookies, and other fields, of whoever is nobody. */
let nobodies: Readonly<Record<string, Readonly<Record<string, string>>>>;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ world } = dashboard);
  const { cookieOf, member, organization } = dashboard;
  victim = await organization();
  stranger = await organization();
  viewer = await member(victim.id, "viewer");
  const gone = await signIn(world, unique());
  await endSessions(world.deps, gone.person, "all");
  const token = String(
    (await victim.client("POST", "/tokens", { name: "cookie", role: "admin" })).body["token"],
  );
  nobodies = {
    "no cookie": {},
    "a made-up session": { Cookie: await cookieOf("x".repeat(43)) },
    "a revoked session": { Cookie: await cookieOf(gone.token) },
    "an expired session": { Cookie: await expired() },
    "a management token as the session": { Cookie: await cookieOf(token) },
    "a management token": { Authorization: `Bearer ${token}` },
  };
}, 120_000);

afterAll(() => world.close());

async function expired(): Promise<string> {
  const { person, token } = await signIn(world, unique());
  const past = new Date(world.deps.now() - 1_000);
  await world.db.execute(
    sql`UPDATE ${sessions} SET expires_at = ${past.toISOString()}::timestamptz WHERE id = ${person.sessionId}::uuid`,
  );
  return dashboard.cookieOf(token);
}

/** All that an organization has, as one text: whatever changes there changes it. */
const stateOf = ({ id }: Organization): Promise<string> => stateOfOrganization(world, id);

test("the tables of exceptions name routes that are there", () => {
  const files = ROUTES.map(({ file }) => file);
  for (const file of [...Object.keys(FOR_ANYBODY), ...Object.keys(OF_A_PERSON)])
    expect(files).toContain(file);
  expect(WITHIN.length).toBeGreaterThan(30);
});

describe.each(GUARDED.map((route) => [route.file, route] as const))("%s", (_, route) => {
  test("leads whoever is not signed in to the sign-in page, and does nothing for them", async () => {
    const before = await stateOf(victim);
    for (const [who, headers] of Object.entries(nobodies)) {
      const asked = [
        ...(route.loader === null ? [] : [undefined]),
        ...(route.action === null ? [] : route.intents),
      ];
      for (const intent of asked) {
        const { status, location, text } = await dashboard.ask(route, victim, headers, intent);
        expect([status, location?.split("?")[0]], `${who} ${intent ?? "GET"}: ${text}`).toEqual([
          302,
          "/sign-in",
        ]);
      }
    }
    expect(await stateOf(victim)).toBe(before);
  });
});

const PAGES = WITHIN.filter(({ loader }) => loader !== null);
const FORMS = WITHIN.filter(({ action }) => action !== null);

test.each(PAGES.map((route) => [route.file, route] as const))(
  "G8: %s shows nothing of another organization, and asks what may be shown",
  async (_, route) => {
    vi.mocked(authorize).mockClear();
    const { text } = await dashboard.ask(route, victim, { Cookie: stranger.cookie });
    if (route.file !== "shell.tsx") expect(authorize).toHaveBeenCalled();
    expect(text).not.toContain(`canary ${victim.id}`);
    // What was asked for may be named in the answer; what is there may not.
    const there = Object.entries(victim.ids).filter(([name]) => !route.path.includes(`:${name}`));
    for (const [name, id] of there) expect(text, name).not.toContain(`"${id}"`);
  },
);

test.each(PAGES.map((route) => [route.file, route] as const))(
  "%s takes nonsense in its address for what is not there, not for an accident",
  async (_, route) => {
    for (const nonsense of ["nonsense", "a\u0000b", "%", newId()]) {
      const ids = Object.fromEntries(
        [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => [name, nonsense]),
      );
      const query = new URLSearchParams(
        [
          "cursor",
          "q",
          "key",
          "holder",
          "integration",
          "state",
          "from",
          "to",
          "range",
          "type",
          "unused",
          "confirm",
        ].map((name) => [name, nonsense]),
      );
      const { status } = await dashboard.ask(
        route,
        { ...victim, ids },
        { Cookie: victim.cookie },
        undefined,
        { query: `?${query.toString()}` },
      );
      expect(status).toBeLessThan(500);
    }
  },
);

describe.each(FORMS.map((route) => [route.file, route] as const))("G8: %s", (_, route) => {
  test("changes nothing of another organization", async () => {
    const before = await stateOf(victim);
    for (const intent of route.intents)
      await dashboard.ask(route, victim, { Cookie: stranger.cookie }, intent);
    expect(await stateOf(victim)).toBe(before);
  });

  test("changes nothing for a viewer", async () => {
    const before = await stateOf(victim);
    for (const intent of route.intents) {
      if (FOR_VIEWERS.includes(`${route.file} ${intent}`)) continue;
      const { status, text } = await dashboard.ask(route, victim, { Cookie: viewer }, intent);
      expect(await stateOf(victim), `${intent} ${String(status)} ${text}`).toBe(before);
    }
  });
});

/** Forms that change nothing here for anybody, because they need what this walk does not make. */
const NEED_MORE: Readonly<Record<string, string>> = {
  "device.tsx": "the code of a command line that waits",
  "keys-revoke.tsx": "the fingerprint of what its page showed",
  "keys-revoked.tsx": "a run of many revocations",
  "settings/plan.tsx": "Stripe",
};

test("the forms that were tried are real ones: those of an admin change something", async () => {
  const idle: string[] = [];
  for (const route of FORMS) {
    const own = await dashboard.organization();
    const before = await stateOf(own);
    let isChanged = false;
    for (const intent of route.intents) {
      await dashboard.ask(route, own, { Cookie: own.cookie }, intent);
      isChanged ||= (await stateOf(own)) !== before;
      if (isChanged) break;
    }
    if (!isChanged) idle.push(route.file);
  }
  expect(idle.toSorted()).toEqual(Object.keys(NEED_MORE));
}, 240_000);

test("whoever was removed sees the organization no more, at the next page", async () => {
  const { person, token } = await signIn(world, unique());
  const cookie = await dashboard.cookieOf(token);
  await world.db
    .insert(memberships)
    .values({ id: newId(), organizationId: victim.id, userId: person.userId, role: "admin" });
  await world.db.execute(
    sql`UPDATE ${sessions} SET organization_id = ${victim.id}::uuid WHERE id = ${person.sessionId}::uuid`,
  );
  const overview = WITHIN.find(({ file }) => file === "overview.tsx") ?? expect.unreachable();
  expect(await dashboard.ask(overview, victim, { Cookie: cookie })).toMatchObject({ status: 200 });
  await world.db.execute(sql`DELETE FROM ${memberships} WHERE user_id = ${person.userId}::uuid`);
  expect(await dashboard.ask(overview, victim, { Cookie: cookie })).toMatchObject({
    status: 302,
    location: "/organizations",
  });
  expect(await again(world, token)).toMatchObject({ role: null });
});
