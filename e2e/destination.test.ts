import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { database } from "./dashboard/people.ts";
import { Admin } from "./harness.ts";

const admin = new Admin(inject("local"));
const { proxy } = admin.local;

/** A host on this machine that keeps all it hears, and answers "ok". */
class Listener {
  readonly heard: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Listener> {
    const server = createServer((request, response) => {
      listener.heard.push(`${String(request.url)} ${JSON.stringify(request.rawHeaders)}`);
      response.end("ok");
    });
    const listener = new Listener(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return listener;
  }

  get origin(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

let vendor: Listener;
let evil: Listener;

beforeAll(async () => {
  [vendor, evil] = [await Listener.start(), await Listener.start()];
});

afterAll(async () => {
  await vendor.stop();
  await evil.stop();
});

test("G4: whoever rewrites an integration's host in the database has no vendor key sent there", async () => {
  const slug = `bound-${crypto.randomUUID().slice(0, 8)}`;
  const secret = `sk-bound-${crypto.randomUUID()}`;
  const created = { slug, catalogue: "openai", upstream: vendor.origin, secret };
  const { integration } = await admin.call<{ integration: { id: string } }>("POST", "/integrations", created);
  const key = await admin.createKey(slug, ["GET /**"]);
  const call = (): Promise<Response> =>
    fetch(`${proxy}/${slug}/v1/models`, { headers: { Authorization: `Bearer ${key.token}` } });
  const tried = async (): Promise<unknown> =>
    (await admin.call<{ result: { verdict: string } }>("POST", `/integrations/${slug}/test`, {})).result
      .verdict;

  expect((await call()).status).toBe(200);
  expect(await tried()).toBe("accepted");
  expect(vendor.heard.filter((text) => text.includes(secret))).toHaveLength(2);

  const sql = (assignments: string): Promise<unknown> =>
    database.execute(`UPDATE integrations SET ${assignments} WHERE id = '${integration.id}'`);
  const asItWas = `upstream_origin = '${vendor.origin}', credential = '{"kind":"bearer"}', scrub_responses = true`;
  for (const change of [
    `upstream_origin = '${evil.origin}'`,
    `credential = '{"kind":"query","name":"text"}'`,
    "scrub_responses = false",
  ]) {
    await sql(change);
    // Any change brings what the database says to the proxy.
    await admin.call("PATCH", `/integrations/${slug}`, { name: `Changed ${crypto.randomUUID()}` });
    const refused = await call();
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: "secret_unavailable",
      detail: expect.stringContaining("enter the vendor key again") as string,
    });
    expect(await admin.event(refused.headers.get("RelayKey-Request-Id"))).toMatchObject({
      decision: "blocked",
      reason: "secret_unavailable",
      upstream_status: null,
    });
    expect(await tried()).toBe("unreadable");
    await sql(asItWas);
  }
  expect(evil.heard).toEqual([]);
  expect(vendor.heard).toHaveLength(2);

  // With the vendor key given anew it goes to the new host: the new key, never the one that was stored.
  const anew = `sk-anew-${crypto.randomUUID()}`;
  await expect(admin.call("PATCH", `/integrations/${slug}`, { upstream: evil.origin })).rejects.toThrow(
    /Give the vendor key again/,
  );
  await admin.call("PATCH", `/integrations/${slug}`, { upstream: evil.origin, secret: anew });
  expect((await call()).status).toBe(200);
  expect(evil.heard).toEqual([expect.stringContaining(anew)]);
  expect(evil.heard.join("")).not.toContain(secret);
});
