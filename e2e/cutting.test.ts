import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import WebSocket from "ws";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

/** What is open under a key ends with it: within one lease of the answer to the revocation (G1). */
const LEASE_MS = 2_000;
/** For the machine: the receipt's way back, and the cut's way to the client. */
const SLACK_MS = 1_000;

const admin = new Admin(inject("local"));
const { proxy } = admin.local;
/** Takes uploads and counts them; sends downloads as slowly as they are read. */
const vendor = http.createServer((request, response) => {
  request.resume();
  if (request.url === "/upload") {
    request.on("end", () => response.end("received"));
    request.on("close", () => (uploadsEnded += request.complete ? 0 : 1));
  } else {
    response.writeHead(200, { "Content-Length": String(1_024 * 1_024) });
    const timer = setInterval(() => response.write(Buffer.alloc(64)), 50);
    response.on("close", () => {
      clearInterval(timer);
      downloadsEnded += 1;
    });
  }
});
let uploadsEnded = 0;
let downloadsEnded = 0;
let slug = "";

beforeAll(async () => {
  vendor.listen(0, "127.0.0.1");
  await once(vendor, "listening");
  const { port } = vendor.address() as AddressInfo;
  slug = `cut-${crypto.randomUUID().slice(0, 8)}`;
  const upstream = `http://127.0.0.1:${String(port)}`;
  await admin.call("POST", "/integrations", {
    slug,
    upstream,
    credential: { kind: "bearer" },
    secret: `cut-${crypto.randomUUID()}`,
  });
});

afterAll(() => {
  vendor.closeAllConnections();
  vendor.close();
});

function authorized(key: IssuedKey): Record<string, string> {
  return { Authorization: `Bearer ${key.token}` };
}

/** Revokes the key, then gives the ms until `ended` has settled. */
async function revokedUntil(key: IssuedKey, ended: Promise<unknown>): Promise<number> {
  // Whenever it fails, it is meant to.
  ended.catch(() => undefined);
  await admin.revoke(key);
  const began = performance.now();
  await ended.catch(() => undefined);
  return performance.now() - began;
}

test("G1: a long download is cut, at both ends, so that the client can tell", async () => {
  const key = await admin.createKey(slug, ["GET /slow-download"]);
  const response = await fetch(`${proxy}/${slug}/slow-download`, { headers: authorized(key) });
  const before = downloadsEnded;
  const reading = response.arrayBuffer();
  const failed = expect(reading).rejects.toThrow();
  expect(await revokedUntil(key, reading)).toBeLessThan(LEASE_MS + SLACK_MS);
  await failed;
  await expect.poll(() => downloadsEnded, { timeout: 5_000 }).toBe(before + 1);
  const event = await admin.event(response.headers.get("relaykey-request-id"));
  expect(event).toMatchObject({ decision: "allowed", outcome: "cut", reason: "token_revoked", status: 200 });
});

test("G1: an upload under way is cut before the vendor has it whole", async () => {
  const key = await admin.createKey(slug, ["POST /upload"]);
  const { hostname, port } = new URL(proxy);
  const request = http.request({
    hostname,
    port,
    method: "POST",
    path: `/${slug}/upload`,
    headers: { ...authorized(key), "Transfer-Encoding": "chunked" },
  });
  const timer = setInterval(() => request.write("more "), 50);
  const ended = new Promise<number>((resolve) => {
    request.on("response", (response) => {
      resolve(response.statusCode ?? 0);
    });
    request.on("error", () => {
      resolve(0);
    });
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = uploadsEnded;
  expect(await revokedUntil(key, ended)).toBeLessThan(LEASE_MS + SLACK_MS);
  clearInterval(timer);
  request.destroy();
  expect([0, 401]).toContain(await ended);
  await expect.poll(() => uploadsEnded, { timeout: 5_000 }).toBe(before + 1);
  const [event] = await admin.events(key, 1);
  expect(event).toMatchObject({ reason: "token_revoked", upstream_status: null });
});

test("G1: a WebSocket is closed, with the code for a policy's end", async () => {
  const key = await admin.createKey("echo", ["GET /ws"]);
  const socket = new WebSocket(`${proxy.replace("http", "ws")}/echo/ws`, { headers: authorized(key) });
  await once(socket, "open");
  const closed = once(socket, "close");
  expect(await revokedUntil(key, closed)).toBeLessThan(LEASE_MS + SLACK_MS);
  const [code] = (await closed) as [number];
  expect(code).toBe(1008);
  const [event] = await admin.events(key, 1);
  expect(event).toMatchObject({ outcome: "cut", reason: "token_revoked", status: 101 });
});

test("the receipt of the revocation counts what it cut", async () => {
  const key = await admin.createKey("echo", ["GET /sse/**"]);
  const response = await fetch(`${proxy}/echo/sse/endless`, { headers: authorized(key) });
  const reading = response.text();
  await revokedUntil(key, reading);
  await admin.events(key, 1);
  interface Receipt {
    readonly version: number;
    readonly enforced_at: string;
    readonly last_admitted_at: string | null;
    readonly streams_cut: number;
  }
  const { data } = await admin.call<{ data: Receipt[] }>("GET", `/keys/${key.id}/receipts`);
  expect(data.map(({ version }) => version)).toEqual([2, 1]);
  const [newest] = data;
  expect(newest?.streams_cut).toBe(1);
  expect(Date.parse(newest?.last_admitted_at ?? "")).toBeLessThan(Date.parse(newest?.enforced_at ?? ""));
});
