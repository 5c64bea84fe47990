import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

const admin = new Admin(inject("local"));
const KEYS = 12;
const CLIENTS_PER_KEY = 5;

let recorder: Worker;
let slug = "";

beforeAll(async () => {
  recorder = new Worker(new URL("./recorder.mjs", import.meta.url));
  const [{ port }] = (await once(recorder, "message")) as [{ port: number }];
  slug = `r-${crypto.randomUUID().slice(0, 8)}`;
  await admin.call("POST", "/integrations", {
    slug,
    upstream: `http://127.0.0.1:${String(port)}`,
    credential: { kind: "bearer" },
    secret: "recorded",
  });
});

afterAll(async () => {
  await recorder.terminate();
});

async function arrivals(): Promise<readonly (readonly [string, bigint])[]> {
  recorder.postMessage("report");
  const [message] = (await once(recorder, "message")) as [{ arrivals: [string, bigint][] }];
  return message.arrivals;
}

/** Calls as fast as answers come, until told to stop. */
async function hammer(key: IssuedKey, path: string, stopped: () => boolean): Promise<number[]> {
  const statuses: number[] = [];
  while (!stopped()) {
    const response = await fetch(`${admin.local.proxy}/${slug}${path}`, {
      headers: { Authorization: `Bearer ${key.token}` },
    });
    await response.text();
    statuses.push(response.status);
  }
  return statuses;
}

/** Ends what keys may do while clients hammer them, and gives the requests that started later than that. */
async function race(
  end: (key: IssuedKey) => Promise<unknown>,
  refusedWith: number,
): Promise<{ late: string[]; before: number }> {
  const keys = await Promise.all(Array.from({ length: KEYS }, () => admin.createKey(slug, ["GET /k/**"])));
  const ended = new Map<string, bigint>();
  const working = keys.map(async (key) => {
    const path = `/k/${key.id}`;
    let isOver = false;
    const clients = Array.from({ length: CLIENTS_PER_KEY }, () => hammer(key, path, () => isOver));
    await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 2_500));
    await end(key);
    ended.set(path, process.hrtime.bigint());
    // Long enough for a lease that should not be there to show.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    isOver = true;
    const statuses = (await Promise.all(clients)).flat();
    expect(new Set(statuses)).toEqual(new Set([200, refusedWith]));
  });
  await Promise.all(working);
  const seen = (await arrivals()).filter(([path]) => ended.has(path));
  const late = seen.filter(([path, at]) => at > (ended.get(path) ?? 0n));
  return { late: late.map(([path]) => path), before: seen.length - late.length };
}

test("G1: of 60 clients, not one request starts after revoke has returned", async () => {
  const { late, before } = await race((key) => admin.revoke(key), 401);
  expect(before).toBeGreaterThan(KEYS * CLIENTS_PER_KEY);
  expect(late).toEqual([]);
});

test("G1: of 60 clients, not one request starts outside a scope after it was narrowed", async () => {
  const narrow = (key: IssuedKey): Promise<unknown> =>
    admin.call("PATCH", `/keys/${key.id}`, { allow: ["GET /other"] });
  const { late, before } = await race(narrow, 403);
  expect(before).toBeGreaterThan(KEYS * CLIENTS_PER_KEY);
  expect(late).toEqual([]);
});
