import { afterAll, beforeAll, expect, test } from "vitest";
import { STORED_SECRET, TYPED_SECRET, openDashboard } from "./organizations.ts";
import type { Dashboard, Organization } from "./organizations.ts";
import { dashboardRoutes } from "./routes.ts";
import type { Outcome } from "./routes.ts";

const FORMS = (await dashboardRoutes()).filter(({ action }) => action !== null);

/** The answers that show a secret for the one time it can be seen, and which kind. */
const REVEALS: Readonly<Record<string, string>> = {
  "key.tsx reroll": "rk_proxy_",
  "keys-new.tsx ": "rk_proxy_",
  "keys-new.tsx create": "rk_proxy_",
  "settings/tokens.tsx ": "rk_mgmt_",
  "settings/webhook.tsx rotate": "whsec_",
  "settings/webhooks.tsx ": "whsec_",
};

/** What no validator takes. Ids stay right, so that each form gets as far as what was typed. */
const NONSENSE = {
  ...{ name: "", slug: "!!", upstream: "http://[", url: "ftp://x", email: "nobody", domain: "-", days: "x" },
  ...{ allow: "nonsense", ip: "allowlist", "ip.cidrs": "nonsense", expires_in: "at", expires_at: "never" },
  ...{ timeout: "x", "limits.rate": "x", network: "x", kind: "x", credential: "x", plan: "x", code: "x" },
};

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
}, 120_000);

afterAll(() => dashboard.world.close());

/** Secrets that can be told by their form: those that are made while the test runs. */
function shown(text: string): string[] {
  return [...new Set(text.match(/rk_(?:proxy|mgmt)_[0-9A-Za-z]{20,}|whsec_[0-9A-Za-z+/=]{20,}/g) ?? [])];
}

/** What must be in no answer: each with a name for the report. */
async function hidden({ id, cookie }: Organization): Promise<(readonly [what: string, text: string])[]> {
  const { query } = dashboard.world.db;
  const [keys, tokens, seals, browsers, holders, drafts] = await Promise.all([
    query.relayKeys.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
    query.managementTokens.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
    query.integrationSecrets.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
    query.sessions.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
    query.holders.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
    query.formDrafts.findMany({ where: (row, { eq }) => eq(row.organizationId, id) }),
  ]);
  const mailed = dashboard.world.mails.map((mail) =>
    "link" in mail ? (mail.link.split(/[/=]/).at(-1) ?? "") : "",
  );
  return [
    ["the stored vendor key", STORED_SECRET],
    ["the vendor key that was typed", TYPED_SECRET],
    ["the session", cookie.split("=")[1] ?? ""],
    ...keys.map(({ tokenHash }) => ["the hash of a key", tokenHash] as const),
    ...tokens.map(({ tokenHash }) => ["the hash of a management token", tokenHash] as const),
    ...browsers.map(({ tokenHash }) => ["the hash of a session", tokenHash] as const),
    ...holders.map(({ locator }) => ["a holder's locator", locator] as const),
    ...drafts.map(({ sealed }) => ["a draft", sealed] as const),
    ...seals.map(({ envelope }) => ["an envelope", /"ct":"([^"]+)"/.exec(envelope)?.[1] ?? ""] as const),
    ...mailed.filter((token) => token.length >= 20).map((token) => ["the token of a mail", token] as const),
  ];
}

async function found(of: Organization, { text, location, cookies }: Outcome): Promise<string[]> {
  const all = [text, location ?? "", cookies].join("\n");
  return (await hidden(of))
    .filter(([, secret]) => secret !== "" && all.includes(secret))
    .map(([what]) => what);
}

test.each(FORMS.map((route) => [route.file, route] as const))(
  "G4: what the forms of %s are answered shows no secret but the one that was made, once",
  async (_, route) => {
    for (const intent of route.intents) {
      const own = await dashboard.organization();
      const name = `${route.file} ${intent}`;
      const send = (fields: Readonly<Record<string, string>>) =>
        dashboard.ask(route, own, { Cookie: own.cookie }, intent, { fields });
      // A reroll takes nothing that could be nonsense, but for which form it is.
      const refused = await send(intent === "reroll" ? { ...NONSENSE, nonce: "x" } : NONSENSE);
      expect(await found(own, refused), `${name}, refused: ${refused.text}`).toEqual([]);
      const nonce = crypto.randomUUID();
      const [done, again] = [await send({ nonce }), await send({ nonce })];
      expect(await found(own, done), `${name}: ${done.text}`).toEqual([]);
      const secrets = shown(done.text);
      if (name in REVEALS) {
        expect(secrets.length, `${name} shows ${secrets.join(", ")}`).toBe(1);
        expect(secrets[0]?.startsWith(REVEALS[name] ?? "")).toBe(true);
        expect(again.text, `${name}, sent again`).not.toContain(secrets[0]);
      } else {
        expect(secrets, name).toEqual([]);
      }
      // Neither is where it would stay: in an address, or in a cookie.
      for (const { location, cookies } of [refused, done, again])
        expect(shown(`${location ?? ""} ${cookies}`), name).toEqual([]);
    }
  },
  120_000,
);
