import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { insertManagementToken } from "@relaykey/db/queries/tokens";
import { mintToken } from "@relaykey/core/token";
import { baseFields } from "../../../security-fields.ts";
import { securityTxt } from "../../../security-txt.ts";
import { createWorld } from "../world.ts";
import type { Client, World } from "../world.ts";
import { founder, unique } from "./people.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

async function clientOf(organizationId: string, role: "admin" | "viewer" = "admin"): Promise<Client> {
  const minted = await mintToken("mgmt", null, world.deps.tagKey);
  await insertManagementToken(world.db, {
    id: newId(),
    organizationId,
    name: "test",
    kind: "standard",
    role,
    tokenHash: minted.hash,
    display: minted.display,
  });
  return world.caller(`Bearer ${minted.token.reveal()}`);
}

test("members are listed, changed and removed; the last admin stays", async () => {
  const { caller, person } = await founder(world);
  const client = await clientOf(caller.organizationId);
  const { body } = await client("GET", "/members");
  const [member] = body["data"] as { id: string }[];
  expect(member).toMatchObject({ email: person.email, role: "admin", has_passkey: false });
  const path = `/members/${member?.id ?? ""}`;
  expect(await client("PATCH", path, { role: "viewer" })).toMatchObject({
    status: 409,
    body: { code: "last_admin" },
  });
  expect(await client("DELETE", path)).toMatchObject({ status: 409, body: { code: "last_admin" } });
  expect(await client("PATCH", path, { role: "admin" })).toMatchObject({ status: 200 });
  expect(await client("PATCH", path, { role: "owner" })).toMatchObject({
    status: 400,
    body: { errors: [{ field: "role", message: "Give one of: admin, viewer." }] },
  });
  const stranger = await clientOf((await founder(world)).caller.organizationId);
  for (const [method, input] of [
    ["PATCH", { role: "viewer" }],
    ["DELETE", undefined],
  ] as const) {
    expect(await stranger(method, path, input)).toMatchObject({ status: 404, body: { code: "not_found" } });
  }
});

test("invitations are made, listed, sent again and withdrawn; their link is in the mail only", async () => {
  const { caller } = await founder(world);
  const client = await clientOf(caller.organizationId);
  const email = unique();
  const made = await client("POST", "/invitations", { email, role: "viewer" });
  expect(made).toMatchObject({
    status: 201,
    body: { invitation: { email, role: "viewer", invited_by: null } },
  });
  const { id } = made.body["invitation"] as { id: string };
  const mail = world.mails.at(-1);
  expect(mail).toMatchObject({ kind: "invitation", to: email });
  const token = mail?.kind === "invitation" ? (mail.link.split("/").at(-1) ?? "") : "";
  expect(token).toMatch(/^[\w-]{43}$/);
  const list = await client("GET", "/invitations");
  expect(list.body["data"]).toHaveLength(1);
  for (const { text } of [made, list]) expect(text).not.toContain(token);
  expect(await client("POST", `/invitations/${id}/resend`)).toMatchObject({ status: 200 });
  expect(await client("POST", "/invitations", { email: "nonsense", role: "viewer" })).toMatchObject({
    status: 400,
    body: { errors: [{ field: "email" }] },
  });
  expect(await client("DELETE", `/invitations/${id}`)).toMatchObject({ status: 200 });
  expect(await client("DELETE", `/invitations/${id}`)).toMatchObject({ status: 404 });
});

test("domains are listed and released; viewers change nothing", async () => {
  const { caller, person } = await founder(world);
  const domain = person.email.split("@")[1] ?? "";
  const viewer = await clientOf(caller.organizationId, "viewer");
  expect((await viewer("GET", "/domains")).body["data"]).toMatchObject([{ domain }]);
  for (const [method, path, input] of [
    ["DELETE", `/domains/${domain}`, undefined],
    ["POST", "/invitations", { email: unique(), role: "viewer" }],
    ["DELETE", `/members/${newId()}`, undefined],
  ] as const) {
    expect(await viewer(method, path, input)).toMatchObject({
      status: 403,
      body: { code: "role_insufficient" },
    });
  }
  const client = await clientOf(caller.organizationId);
  expect(await client("DELETE", `/domains/${domain}`)).toMatchObject({
    status: 200,
    body: { domain: { domain } },
  });
  expect(await client("DELETE", `/domains/${domain}`)).toMatchObject({ status: 404 });
});

test("security.txt has what RFC 9116 wants, and ends within the year", async () => {
  const now = Date.now();
  const answer = securityTxt("mailto:security@example.com", "https://relaykey.example", now);
  expect(answer.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
  const text = await answer.text();
  expect(text).toContain("Contact: mailto:security@example.com\n");
  expect(text).toContain("Canonical: https://relaykey.example/.well-known/security.txt\n");
  const days = (Date.parse(/^Expires: (.*)$/m.exec(text)?.[1] ?? "") - now) / 86_400_000;
  expect(days).toBeGreaterThan(170);
  expect(days).toBeLessThan(365);
});

test("what is no page runs nothing; https is kept to where it is", () => {
  expect(baseFields("https://relaykey.example")).toMatchObject({
    "Strict-Transport-Security": expect.stringMatching(/^max-age=\d{8,}/) as unknown,
    "X-Content-Type-Options": "nosniff",
  });
  expect(baseFields("http://127.0.0.1:8788")).not.toHaveProperty("Strict-Transport-Security");
});
