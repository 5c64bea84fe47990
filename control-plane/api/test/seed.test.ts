import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { importTagKey } from "@relaykey/core/token";
import { integrationSecrets, integrations } from "@relaykey/db/schema/integrations";
import { newId } from "@relaykey/core/ids";
import { seed } from "../../../local/seed.ts";
import type { Seeded } from "../../../local/seed.ts";
import type { SqlBackend } from "../../../local/sql/backend.ts";
import { openPglite } from "../../../local/sql/pglite.ts";
import { createApi } from "../app.ts";
import { createWorld, openStoredKey } from "./world.ts";
import type { World } from "./world.ts";

const tokenKey = randomBytes(32).toString("base64");
let world: World;
let backend: SqlBackend;
let controlPlane: string;
let close: () => Promise<void>;
/** What the last start left. */
let last: Seeded | null;

beforeEach(async () => {
  last = null;
  backend = await openPglite("memory://");
  world = await createWorld(() => Promise.resolve(backend));
  const tagKey = await importTagKey(tokenKey);
  const api = createApi({ ...world.deps, tagKey, development: true });
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString("utf8");
      const answer = await api.request(
        request.url ?? "/",
        {
          method: request.method ?? "GET",
          headers: { Authorization: request.headers.authorization ?? "", "Content-Type": "application/json" },
          ...(body === "" ? {} : { body }),
        },
        { requestId: newId(), ip: "127.0.0.1" },
      );
      response.writeHead(answer.status).end(await answer.text());
    })();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  controlPlane = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await world.close();
  };
}, 120_000);

afterEach(() => close());

/** A start of the local edition, as far as its data go. */
async function start(demoUpstream: string): Promise<void> {
  const before = last === null ? null : localFile(last);
  last = await seed({ backend, tokenKey, controlPlane, demoUpstream, before });
}

function localFile({ demo, managementToken }: Seeded) {
  const sites = { proxy: "", controlPlane: "", confirm: "", outbox: "", upstream: "" };
  return { ...sites, demo, managementToken };
}

/** The vendor keys that the proxy would send, and where, by integration; null: it would send nothing. */
async function sent(): Promise<Record<string, { version: number; to: string; key: string | null }>> {
  const rows = await world.db
    .select()
    .from(integrationSecrets)
    .innerJoin(integrations, eq(integrations.id, integrationSecrets.integrationId));
  const inForce = rows.filter((row) => row.integrations.secretVersion === row.integration_secrets.version);
  const entries = inForce.map(async ({ integrations: { slug, ...row }, integration_secrets: secret }) => [
    slug,
    {
      version: secret.version,
      to: `${row.upstreamOrigin}${row.upstreamBasePath}`,
      key: await openStoredKey(world, secret).catch(() => null),
    },
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Awaited<ReturnType<typeof sent>>;
}

test("the demo's vendor keys follow the demo's vendor to another port, sealed again for it; what is elsewhere stays", async () => {
  await start("http://127.0.0.1:41001");
  const openai = { version: 1, to: "http://127.0.0.1:41001/openai", key: "demo-upstream-key-openai" };
  expect((await sent())["openai"]).toEqual(openai);
  const demo = last?.demo;

  await start("http://127.0.0.1:41001");
  expect((await sent())["openai"]).toEqual(openai);

  // Its admin has since made one a real vendor's, with its key.
  const token = last?.managementToken ?? "";
  await fetch(`${controlPlane}/api/v1/integrations/stripe`, {
    method: "PATCH",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ upstream: "https://api.stripe.com", secret: "a real key" }),
  });
  await start("http://127.0.0.1:41002");
  const { stripe, ...others } = await sent();
  expect(stripe).toEqual({ version: 2, to: "https://api.stripe.com", key: "a real key" });
  expect(Object.keys(others).length).toBeGreaterThan(8);
  for (const { version, to, key } of Object.values(others)) {
    expect(to).toMatch(/^http:\/\/127\.0\.0\.1:41002\//);
    expect(key).toContain("demo-upstream-key-");
    expect(version).toBe(2);
  }
  expect(last?.demo).toEqual(demo);
});

test("vendor keys that a former release sealed do not open; the demo's are sealed again", async () => {
  const upstream = "http://127.0.0.1:41003";
  await start(upstream);
  const [row] = await world.db
    .select({ id: integrationSecrets.id, envelope: integrationSecrets.envelope })
    .from(integrationSecrets)
    .innerJoin(integrations, eq(integrations.id, integrationSecrets.integrationId))
    .where(eq(integrations.slug, "openai"));
  if (row === undefined) throw new Error("Nothing was seeded.");
  const envelope = row.envelope.replace('{"v":2,', '{"v":1,');
  await world.db.update(integrationSecrets).set({ envelope }).where(eq(integrationSecrets.id, row.id));
  expect((await sent())["openai"]).toMatchObject({ key: null });
  await start(upstream);
  expect((await sent())["openai"]).toMatchObject({ key: "demo-upstream-key-openai" });
});
