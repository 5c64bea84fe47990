import { beforeAll, expect, inject, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { noteSecret, notedSecrets } from "../witness.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { PAGES } from "./pages.ts";
import { database, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let person: Person;
let example: Example;
/** What must be in no page: each with a name for the report. */
let secrets: (readonly [what: string, text: string])[];

beforeAll(async () => {
  person = await signedIn();
  example = await fillExample(person.organizationId);
  const { organizationId } = person;
  const { query } = database;
  const [keys, tokens, seals, browsers, people] = await Promise.all([
    query.relayKeys.findMany({ where: (row, { eq }) => eq(row.organizationId, organizationId) }),
    query.managementTokens.findMany({ where: (row, { eq }) => eq(row.organizationId, organizationId) }),
    query.integrationSecrets.findMany({ where: (row, { eq }) => eq(row.organizationId, organizationId) }),
    query.sessions.findMany({ where: (row, { eq }) => eq(row.organizationId, organizationId) }),
    query.holders.findMany({ where: (row, { eq }) => eq(row.organizationId, organizationId) }),
  ]);
  secrets = [
    ...keys.map(({ tokenHash }) => ["the hash of a key", tokenHash] as const),
    ...tokens.map(({ tokenHash }) => ["the hash of a management token", tokenHash] as const),
    ...browsers.map(({ tokenHash }) => ["the hash of a session", tokenHash] as const),
    ...people.map(({ locator }) => ["a holder's locator", locator] as const),
    ...seals.flatMap(({ envelope }) =>
      ["enc", "key", "nonce", "ct"].map(
        (part) =>
          [`${part} of an envelope`, (JSON.parse(envelope) as Record<string, string>)[part] ?? ""] as const,
      ),
    ),
    // Short ones are words that stand for a secret: those say nothing.
    ...notedSecrets()
      .filter((secret) => secret.length >= 16)
      .map((secret) => ["a secret of a test", secret] as const),
  ];
});

/** Secrets that stand in a text, by name. */
function found(text: string): string[] {
  return secrets.filter(([, secret]) => secret.length >= 8 && text.includes(secret)).map(([what]) => what);
}

test.each(PAGES)("G4: neither the page $name nor what its scripts load has a secret", async ({ path }) => {
  const address = path(example);
  const [pathname = "", query] = address.split("?");
  const dataPath = `${pathname === "/" ? "/_root" : pathname}.data${query === undefined ? "" : `?${query}`}`;
  for (const url of [address, dataPath]) {
    const response = await fetch(`${controlPlane}${url}`, { headers: { Cookie: person.cookie } });
    expect([200, 404]).toContain(response.status);
    const text = await response.text();
    expect(text.length).toBeGreaterThan(50);
    expect(found(text)).toEqual([]);
  }
});

test.each(["/keys/new", "/keys/new.data"])(
  "G4: the answer of %s that shows a new key is kept by no browser and no cache, and the same form shows it to nobody again",
  async (path) => {
    const form = new URLSearchParams({
      ...{ nonce: newId(), intent: "create", integration: "openai", holder: example.holderIds[0] ?? "" },
      ...{ name: "shown once", allow: "GET /v1/models", ip: "any", expires_in: "7d" },
    });
    const send = () =>
      fetch(`${controlPlane}${path}?integration=openai`, {
        method: "POST",
        headers: { Cookie: person.cookie, Origin: controlPlane },
        body: form,
      });
    const [first, again] = [await send(), await send()];
    const [shown, later] = [await first.text(), await again.text()];
    const tokens = new Set(shown.match(/rk_proxy_[0-9A-Za-z]{40,}/g) ?? []);
    for (const token of tokens) noteSecret(token);
    expect(tokens.size).toBe(1);
    expect(found(shown)).toEqual([]);
    expect(later).not.toContain([...tokens][0]);
    for (const answer of [first, again]) expect(answer.headers.get("Cache-Control")).toBe("no-store");
  },
);

test("the sweep sees: there are secrets of each kind, and one that is on a page is found", () => {
  const kinds = new Set(secrets.map(([what]) => what));
  expect(kinds.size).toBe(9);
  for (const [what, secret] of secrets) expect(found(`<p>${secret}</p>`)).toContain(what);
});
