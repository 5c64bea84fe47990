import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWorld } from "../control-plane/api/test/world.ts";
import type { World } from "../control-plane/api/test/world.ts";
import { decideDeviceLogin } from "../control-plane/service/device-logins.ts";
import { serveApi, startRk } from "./test/process.ts";
import type { Run, StartedRun } from "./test/process.ts";

let world: World;
let server: Server;
let url: string;
let token: string;
let organizationId: string;
let folder: string;
/** Polls of a sign-in that find nobody. */
let lostPolls = 0;

beforeAll(async () => {
  world = await createWorld();
  ({ server, url } = await serveApi(world, (request) => {
    const isLost = lostPolls > 0 && request.url === "/api/v1/device/token";
    if (isLost) lostPolls -= 1;
    return !isLost;
  }));
}, 120_000);

afterAll(async () => {
  server.close();
  await world.close();
});

beforeEach(async () => {
  world.keyControl.failing = null;
  world.keyControl.verdict = "accepted";
  ({ token, id: organizationId } = await world.organization());
  folder = mkdtempSync(join(tmpdir(), "relaykey-cli-"));
  await rk(["integrations", "create", "openai", "--secret-stdin"], "sk-real-vendor-key");
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
});

function start(args: readonly string[], input = "", env: Record<string, string> = {}): StartedRun {
  const signedIn = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token };
  return startRk(args, { cwd: folder, env: { HOME: folder, ...signedIn, ...env }, input });
}

function rk(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Run> {
  return start(args, input, env).ended;
}

async function json(args: readonly string[], input = ""): Promise<Record<string, unknown>> {
  const run = await rk([...args, "--json"], input);
  expect(run.code, run.err).toBe(0);
  return JSON.parse(run.out) as Record<string, unknown>;
}

interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

async function keys(): Promise<ShownKey[]> {
  return (await json(["keys", "list"]))["data"] as ShownKey[];
}

async function create(holder = "ci"): Promise<string> {
  const options = ["--integration", "openai", "--allow", "GET /v1/models", "--create-holder", "service"];
  return ((await json(["keys", "create", "--holder", holder, ...options]))["key"] as ShownKey).id;
}

describe("keys", () => {
  test("are rerolled, frozen and unfrozen, and found", async () => {
    const id = await create();
    const rerolled = await rk(["keys", "reroll", id, "--overlap", "2h"]);
    expect(rerolled.code, rerolled.err).toBe(0);
    expect(rerolled.out).toMatch(/^rk_proxy_\w+\n$/);
    expect(rerolled.err).toMatch(/goes on until \d{4}-/);
    expect(await json(["keys", "freeze", id])).toMatchObject({ key: { state: "frozen" } });
    expect(await json(["keys", "unfreeze", id])).toMatchObject({ key: { state: "active" } });
    expect((await json(["keys", "list", "--expires-before", "3h"]))["data"]).toMatchObject([{ id }]);
    expect((await json(["keys", "list", "--search", "nothing like it"]))["data"]).toEqual([]);
  });

  test("are revoked together, after a look at how many", async () => {
    await create("a");
    await create("a");
    await create("b");
    const asked = await rk(["keys", "revoke-many", "--holder", "a"]);
    expect(asked).toMatchObject({ code: 2, out: "" });
    expect(asked.err).toContain("2 keys");
    expect((await keys()).every(({ state }) => state === "active")).toBe(true);
    expect(await rk(["keys", "revoke-many"])).toMatchObject({ code: 1 });
    const done = await rk(["keys", "revoke-many", "--holder", "a", "--yes"]);
    expect(done).toMatchObject({ code: 0, err: "Revoked 2 keys.\nIn force.\n" });
    expect((await keys()).filter(({ state }) => state === "active")).toHaveLength(1);
  }, 90_000);
});

test("vendor keys are rotated, rolled back and tried", async () => {
  const rotated = await rk(["integrations", "rotate", "openai", "--secret-stdin", "--test"], "sk-second");
  expect(rotated, rotated.err).toMatchObject({ code: 0 });
  expect((await json(["integrations", "versions", "openai"]))["data"]).toHaveLength(2);
  expect(await json(["integrations", "rollback", "openai"])).toMatchObject({
    integration: { secret_version: 1 },
  });
  expect((await rk(["integrations", "test", "openai"])).out).toMatch(/^accepted /);
  world.keyControl.verdict = "refused";
  expect(await rk(["integrations", "test", "openai", "--secret-stdin"], "sk-x")).toMatchObject({ code: 1 });
  const refused = await rk(["integrations", "rotate", "openai", "--secret-stdin", "--test"], "sk-third");
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("Nothing was changed") as string });
});

test.each([
  ["sh", /^export OPENAI_API_KEY='rk_proxy_\w+'$/m],
  ["fish", /^set -gx OPENAI_API_KEY 'rk_proxy_\w+'$/m],
  ["powershell", /^\$env:OPENAI_API_KEY = 'rk_proxy_\w+'$/m],
])("rk env prints for %s, and warns that the key lives on", async (shell, line) => {
  const scope = [
    "--integration",
    "openai",
    "--holder",
    "me",
    "--create-holder",
    "agent",
    "--allow",
    "GET /v1",
  ];
  const run = await rk(["env", ...scope, "--ttl", "15m", "--shell", shell]);
  expect(run.code, run.err).toBe(0);
  expect(run.out).toMatch(line);
  expect(run.err).toMatch(/works until .* rk keys revoke/);
});

describe("signing in", () => {
  async function approve(code: string): Promise<void> {
    const caller = await world.person(organizationId, "admin");
    const decision = { approve: true, role: "admin", lifetime: "8h" } as const;
    expect(await decideDeviceLogin(world.deps, caller, code, decision)).toMatchObject({ ok: true });
  }

  test("through the browser: a token in a file for its owner only, several profiles, signing out ends it", async () => {
    const none = {
      RELAYKEY_API_URL: "",
      RELAYKEY_MANAGEMENT_TOKEN: "",
      XDG_CONFIG_HOME: join(folder, "config"),
    };
    const before = await rk(["whoami"], "", none);
    expect(before).toMatchObject({ code: 1, err: expect.stringContaining("rk login") as string });

    lostPolls = 1;
    const started = start(["login", url, "--profile", "work"], "", none);
    await until(() => /code [A-Z]{4}-[A-Z]{4}/.test(started.text.err));
    await approve(/code ([A-Z-]{9})/.exec(started.text.err)?.[1] ?? "");
    const run = await started.ended;
    expect(run.code, run.err).toBe(0);
    expect(run.err).toContain("did not answer. Trying again");
    expect(run.out + run.err).not.toContain("rk_mgmt_");
    expect(run.err).toMatch(/Signed in to organization \w+ at http:\S+ as admin, until /);

    const file = join(folder, "config", "relaykey", "credentials.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "config", "relaykey")).mode & 0o777).toBe(0o700);
    expect(readFileSync(file, "utf8")).toContain("rk_mgmt_");
    const self = await rk(["whoami", "--json"], "", none);
    expect(JSON.parse(self.out)).toMatchObject({ api_url: url, token: { role: "admin" } });
    expect((await rk(["keys", "list", "--profile", "work"], "", none)).code).toBe(0);
    expect((await rk(["keys", "list", "--profile", "home"], "", none)).err).toContain(
      "rk login --profile home",
    );
    expect((await rk(["profiles"], "", none)).out).toMatch(/work +http/);

    const stolen = /rk_mgmt_\w+/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    expect(await rk(["logout"], "", none)).toMatchObject({ code: 0 });
    expect(readFileSync(file, "utf8")).not.toContain("rk_mgmt_");
    const after = await rk(["keys", "list"], "", { RELAYKEY_MANAGEMENT_TOKEN: stolen });
    expect(after).toMatchObject({ code: 1, err: expect.stringContaining("revoked") as string });
  });

  test("that is refused, or would go over the network in the clear, stores nothing", async () => {
    const env = { XDG_CONFIG_HOME: join(folder, "config") };
    const clear = await rk(["login", "http://relaykey.example.com"], "", env);
    expect(clear).toMatchObject({ code: 2, err: expect.stringContaining("https") as string });
    expect(existsSync(join(folder, "config"))).toBe(false);
  });
});

test("admin events, networks and a dry run", async () => {
  const id = await create();
  expect((await json(["admin-events", "--subject", id]))["data"]).toMatchObject([
    { action: "key.created", via: "cli" },
  ]);
  expect(await json(["networks", "list", "ci"])).toMatchObject({ trusted: [], pending: [] });
  const draft = ["--integration", "openai", "--allow", "GET /v1/models"];
  expect(await rk(["dry-run", "GET", "/v1/models", ...draft])).toMatchObject({ code: 0 });
  const blocked = await rk(["dry-run", "POST", "/v1/models", "--key", id]);
  expect(blocked, blocked.err).toMatchObject({ code: 1, out: expect.stringMatching(/^blocked /) as string });
});

test("a command that asks for several things says which of them is missing", async () => {
  const run = await rk(["run", "--integration", "nope", "--holder", "ci", "--", "true"]);
  expect(run).toMatchObject({ code: 1, err: expect.stringContaining(": integrations/nope.") as string });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("It did not come to that within 20 s.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
