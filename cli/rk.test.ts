import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { parseToken } from "@relaykey/core/token";
import { createWorld } from "../control-plane/api/test/world.ts";
import type { World } from "../control-plane/api/test/world.ts";
import { serveApi, startRk } from "./test/process.ts";
import type { Run } from "./test/process.ts";

const VENDOR_KEY = "sk-proj-real-vendor-key";

let world: World;
let server: Server;
let url: string;
let token: string;
let folder: string;

beforeAll(async () => {
  world = await createWorld();
  ({ server, url } = await serveApi(world));
  folder = mkdtempSync(join(tmpdir(), "relaykey-cli-"));
}, 120_000);

afterAll(async () => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
  await world.close();
});

beforeEach(async () => {
  world.keyControl.failing = null;
  ({ token } = await world.organization());
});

function rk(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Run> {
  const variables = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token, ...env };
  return startRk(args, { cwd: folder, env: { HOME: folder, ...variables }, input }).ended;
}

async function json(args: readonly string[], input = ""): Promise<Record<string, unknown>> {
  const run = await rk([...args, "--json"], input);
  expect(run.code, run.err).toBe(0);
  return JSON.parse(run.out) as Record<string, unknown>;
}

const createOpenai = (): Promise<Run> =>
  rk(["integrations", "create", "openai", "--secret-stdin"], `${VENDOR_KEY}\n`);

test("the way from nothing to a revoked key", async () => {
  const integration = await createOpenai();
  expect(integration).toMatchObject({ code: 0 });
  expect(integration.out).toMatch(/upstream +https:\/\/api\.openai\.com/);
  expect(integration.out + integration.err).not.toContain(VENDOR_KEY);

  const create = ["keys", "create", "--holder", "ci", "--integration", "openai"];
  const scope = ["--allow", "POST /v1/chat/completions", "--ip", "10.0.0.0/8", "--expires", "7d"];
  const nobody = await rk([...create, ...scope]);
  expect(nobody).toMatchObject({ code: 1, out: "" });
  expect(nobody.err).toContain("rk holders create ci --kind service");

  const created = await rk([...create, ...scope, "--create-holder", "service"]);
  expect(created.code, created.err).toBe(0);
  expect(parseToken(created.out.trim())?.kind).toBe("proxy");

  const { data } = (await json(["keys", "list", "--holder", "ci"])) as { data: Record<string, unknown>[] };
  expect(data).toMatchObject([
    {
      allow: ["POST /v1/chat/completions"],
      ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] },
      state: "active",
      policy: { state: "enforced" },
    },
  ]);
  const id = String(data[0]?.["id"]);
  const table = await rk(["keys", "list"]);
  expect(table.out).toMatch(/^NAME +KEY +STATE/);
  expect(table.out).toContain(id);
  for (const text of [table.out, JSON.stringify(data), (await rk(["keys", "show", id])).out]) {
    expect(text).not.toContain(created.out.trim());
  }

  const changed = await json([
    "keys",
    "change",
    id,
    "--allow",
    "GET /v1/models",
    "--ip",
    "any",
    "--expires",
    "none",
  ]);
  expect(changed).toMatchObject({
    key: { allow: ["GET /v1/models"], ip: { mode: "any" }, expires_at: null },
    enforcement: { state: "enforced", version: 2 },
  });
  const revoked = await rk(["keys", "revoke", id]);
  expect(revoked.code).toBe(0);
  expect(revoked.err).toMatch(
    /^In force\.\nNo request starts under this key since \S+Z\.\nIt was never used\.\n$/,
  );
  expect((await rk(["keys", "revoke", id])).code).toBe(0);
  expect(await rk(["keys", "change", id, "--name", "x"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("create a new key") as string,
  });
});

test("every noun has its commands", async () => {
  await createOpenai();
  expect((await json(["organization", "show"]))["organization"]).toHaveProperty("id");
  expect(await json(["organization", "rename", "Acme"])).toMatchObject({ organization: { name: "Acme" } });
  await json(["holders", "create", "ada", "--kind", "person", "--email", "ada@example.com"]);
  expect(await json(["holders", "freeze", "ada"])).toMatchObject({ holder: { frozen: true } });
  expect((await rk(["holders", "list"])).out).toContain("ada@example.com");
  expect(await json(["integrations", "rotate", "openai", "--secret-stdin"], "sk-new")).toMatchObject({
    integration: { secret_version: 2 },
    enforcement: { state: "enforced" },
  });
  const change = [
    "--credential",
    "header:X-Key:Token {secret}",
    "--timeout",
    "30s",
    "--header",
    "x-a",
    "--disable",
  ];
  // The stored vendor key is sealed for its place: it has to be given again.
  expect(await rk(["integrations", "change", "openai", ...change])).toMatchObject({
    code: 2,
    err: expect.stringContaining("--secret-stdin") as string,
  });
  const again = ["integrations", "change", "openai", ...change, "--secret-stdin"];
  expect(await json(again, "sk-new")).toMatchObject({
    integration: {
      secret_version: 3,
      credential: { kind: "header", name: "x-key", template: "Token {secret}" },
      timeout_ms: 30_000,
      request_headers: ["x-a"],
      enabled: false,
    },
  });
  expect(await json(["audit", "list", "--decision", "blocked"])).toEqual({ data: [], next_cursor: null });
}, 90_000);

describe("vendor keys", () => {
  test.each([
    [["integrations", "create", "openai", VENDOR_KEY]],
    [["integrations", "create", "openai", "--secret", "hunter2"]],
    [["integrations", "create", "openai", "--api-key=hunter2"]],
    [["integrations", "create", "openai", `--name=${VENDOR_KEY}`]],
    [["integrations", "create", "slack", "xoxb-1234"]],
  ])("%j is refused, unread and unrepeated", async (args) => {
    const run = await rk(args, VENDOR_KEY);
    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toContain("--secret-stdin");
    expect(run.err).not.toMatch(/hunter2|sk-proj|xoxb-1/);
    expect((await json(["integrations", "list"]))["data"]).toEqual([]);
  });

  test.each([
    ["", /empty/],
    ["one\ntwo\n", /several lines/],
  ])("%j on standard input is refused", async (input, message) => {
    const run = await rk(["integrations", "create", "openai", "--secret-stdin"], input);
    expect(run.code).toBe(2);
    expect(run.err).toMatch(message);
  });

  test("without --secret-stdin and without a terminal there is nothing to ask", async () => {
    const run = await rk(["integrations", "create", "openai"], VENDOR_KEY);
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining("--secret-stdin") as string });
  });
});

describe("what goes wrong", () => {
  test("a change that is not in force yet is a failure for a script", async () => {
    await createOpenai();
    await rk(["holders", "create", "ci"]);
    world.keyControl.failing = () => true;
    const args = ["keys", "create", "--holder", "ci", "--integration", "openai", "--allow", "GET /v1"];
    const created = await rk(args);
    expect(created.code).toBe(1);
    expect(parseToken(created.out.trim())?.kind).toBe("proxy");
    expect(created.err).toContain("does not work yet");
    const { data } = (await json(["keys", "list"])) as { data: { id: string }[] };
    const revoked = await rk(["keys", "revoke", data[0]?.id ?? "", "--json"]);
    expect(revoked.code).toBe(1);
    expect(JSON.parse(revoked.out)).toMatchObject({ enforcement: { state: "pending" } });
    expect(JSON.parse(revoked.err)).toMatchObject({
      detail: expect.stringContaining("not in force yet") as string,
    });
  });

  test("a refusal names the field; with --json it is the API's own", async () => {
    await createOpenai();
    const args = [
      "keys",
      "create",
      "--holder",
      "ci",
      "--integration",
      "openai",
      "--create-holder",
      "--allow",
    ];
    const people = await rk([...args, "POST v1"]);
    expect(people).toMatchObject({ code: 1, out: "" });
    expect(people.err).toMatch(/allow\.0: .*slash/);
    const programs = await rk([...args, "POST v1", "--json"]);
    expect(JSON.parse(programs.err)).toMatchObject({
      code: "invalid_request",
      errors: [{ field: "allow.0" }],
    });
  });

  test.each([
    [["keys", "create", "--holder", "ci", "--integration", "openai"], /--allow/],
    [["keys", "create", "--holder", "ci"], /--integration/],
    [["keys", "lst"], /list/],
    [["keys", "change", newId()], /what to change/],
    [["keys", "list", "--sate", "x"], /--state/],
    [["integrations", "change", "openai", "--credential", "cookie"], /header:NAME/],
    [["integrations", "change", "openai", "--enable", "--disable"], /cannot be used/],
  ])("%j is a wrong call", async (args, message) => {
    const run = await rk(args);
    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toMatch(message);
  });

  test("an API that cannot be reached, is not RelayKey, or would be reached in the clear", async () => {
    const away = await rk(["keys", "list"], "", { RELAYKEY_API_URL: "http://127.0.0.1:1" });
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining("cannot be reached") as string });
    const clear = await rk(["keys", "list"], "", { RELAYKEY_API_URL: "http://relaykey.example.com" });
    expect(clear).toMatchObject({ code: 2, err: expect.stringContaining("https") as string });
    const half = await rk(["keys", "list"], "", { RELAYKEY_MANAGEMENT_TOKEN: "" });
    expect(half).toMatchObject({
      code: 2,
      err: expect.stringContaining("RELAYKEY_MANAGEMENT_TOKEN") as string,
    });
    const wrong = await rk(["keys", "list"], "", { RELAYKEY_MANAGEMENT_TOKEN: "rk_mgmt_wrong" });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("not valid") as string });
    expect(wrong.err).not.toContain("rk_mgmt_wrong");
  });
});

test("the local edition is found by its state folder", async () => {
  const none = { RELAYKEY_API_URL: "", RELAYKEY_MANAGEMENT_TOKEN: "" };
  const missing = await rk(["keys", "list"], "", none);
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("npm start") as string });
  const state = mkdtempSync(join(folder, "state-"));
  writeFileSync(join(state, "local.json"), JSON.stringify({ controlPlane: url, managementToken: token }));
  const found = await rk(["keys", "list", "--state", state], "", none);
  expect(found).toMatchObject({ code: 0, err: "Nothing here.\n" });
});
