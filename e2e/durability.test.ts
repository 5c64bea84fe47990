import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

const state = mkdtempSync(join(tmpdir(), "relaykey-durability-"));
let stack: Stack;
let admin: Admin;

beforeAll(async () => {
  stack = await startStack({ state, port: "free" });
  admin = new Admin(stack.local);
});

afterAll(async () => {
  await stack.stop();
  rmSync(state, { recursive: true, force: true });
});

async function call(key: IssuedKey): Promise<number> {
  const response = await fetch(`${admin.local.proxy}/echo/x`, {
    headers: { Authorization: `Bearer ${key.token}` },
  });
  await response.text();
  return response.status;
}

test("killing workerd loses no key, no policy and no accepted audit event", async () => {
  const [allowed, revoked] = [
    await admin.createKey("echo", ["GET /**"]),
    await admin.createKey("echo", ["GET /**"]),
  ];
  for (let index = 0; index < 20; index += 1) expect(await call(allowed)).toBe(200);
  await admin.revoke(revoked);
  // Events are handed to the queue within its gathering window; killed right after, none has reached Postgres for sure.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await stack.kill();
  await expect(call(allowed)).rejects.toThrow();
  await stack.restartWorkerd();
  expect(await call(allowed)).toBe(200);
  expect(await call(revoked)).toBe(401);
  const events = await admin.events(allowed, 21);
  expect(events).toHaveLength(21);
  expect(new Set(events.map((event) => event.request_id)).size).toBe(21);
});

test("deleting the whole KV namespace changes nothing but latency", async () => {
  const [allowed, revoked] = [
    await admin.createKey("echo", ["GET /**"]),
    await admin.createKey("echo", ["GET /**"]),
  ];
  await admin.revoke(revoked);
  await stack.deleteKvNamespace("POLICY");
  // A fresh isolate remembers nothing either.
  await stack.kill();
  await stack.restartWorkerd();
  expect(await call(allowed)).toBe(200);
  expect(await call(revoked)).toBe(401);
});

test("a stop and a start keep everything; the demo key stays where only its owner can read it", async () => {
  const key = await admin.createKey("echo", ["GET /**"]);
  const before = stack.local;
  await stack.stop();
  stack = await startStack({ state, port: "free" });
  admin = new Admin(stack.local);
  expect(stack.isFirstStart).toBe(false);
  expect(stack.local.demo).toEqual(before.demo);
  expect(stack.local.managementToken).toBe(before.managementToken);
  expect(await call(key)).toBe(200);
  for (const name of ["local.json", "secrets.json"])
    expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
});

test("no secret stands in the generated configuration or in workerd's log", () => {
  const secrets = JSON.parse(readFileSync(join(state, "secrets.json"), "utf8")) as Record<string, string>;
  const values = [
    ...Object.values(secrets),
    stack.local.managementToken,
    admin.demo.key,
    "demo-upstream-key-echo",
  ];
  for (const name of ["config.capnp", "workerd.log"]) {
    const text = readFileSync(join(state, name), "utf8");
    for (const value of values) expect(text.includes(value)).toBe(false);
  }
});

test("a second start on the same folder, a taken port and a broken secret are refused in a sentence that says so", async () => {
  await expect(startStack({ state, port: "free" })).rejects.toThrow(
    /Another RelayKey \(process \d+\) uses the state folder/,
  );
  const other = mkdtempSync(join(tmpdir(), "relaykey-refused-"));
  const port = Number(new URL(stack.local.proxy).port);
  await expect(startStack({ state: other, port })).rejects.toThrow(
    `Port ${String(port)} (for proxy) is taken`,
  );
  writeFileSync(join(other, "secrets.json"), JSON.stringify({ RELAYKEY_TOKEN_KEY: "AAAA" }));
  await expect(startStack({ state: other, port: "free" })).rejects.toThrow(
    /RELAYKEY_TOKEN_KEY is missing or malformed/,
  );
  rmSync(other, { recursive: true, force: true });
});
