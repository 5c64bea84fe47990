import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWorld } from "../control-plane/api/test/world.ts";
import type { World } from "../control-plane/api/test/world.ts";
import { CATALOGUE } from "@relaykey/core/catalogue/index";
import { runHere } from "./test/in-process.ts";
import { serveApi, startRk } from "./test/process.ts";
import type { Run, StartedRun } from "./test/process.ts";

let world: World;
let inner: Server;
let front: Server;
let url: string;
let token: string;
let folder: string;
/** Whether the API is away: connections are dropped. */
let isAway = false;

beforeAll(async () => {
  world = await createWorld();
  ({ server: inner } = await serveApi(world));
  front = createServer((request, response) => {
    if (isAway) request.socket.destroy();
    else inner.emit("request", request, response);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${String((front.address() as AddressInfo).port)}`;
}, 120_000);

afterAll(async () => {
  for (const server of [front, inner]) {
    server.closeAllConnections();
    server.close();
  }
  await world.close();
});

beforeEach(async () => {
  isAway = false;
  world.keyControl.failing = null;
  ({ token } = await world.organization());
  folder = mkdtempSync(join(tmpdir(), "relaykey-run-"));
  await world.caller(`Bearer ${token}`)("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
});

const SCOPE = ["--integration", "openai", "--holder", "job", "--create-holder", "agent", "--preset", "chat"];

function start(command: readonly string[], env: Record<string, string> = {}, scope = SCOPE): StartedRun {
  const signedIn = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token, HOME: folder };
  return startRk(["run", ...scope, "--", ...command], { cwd: folder, env: { ...signedIn, ...env } });
}

function run(command: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return start(command, env).ended;
}

/** A command that says its process id, and that it is up, and goes on until a signal ends it. */
const WAITING = [process.execPath, "-e", "console.log('up', process.pid); setInterval(() => {}, 1e3)"];

interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly expires_at: string;
}

async function keys(): Promise<ShownKey[]> {
  return (await world.caller(`Bearer ${token}`)("GET", "/keys")).body["data"] as ShownKey[];
}

async function up(started: StartedRun): Promise<number> {
  await until(() => /up \d+\n/.test(started.text.out));
  return Number(/up (\d+)/.exec(started.text.out)?.[1]);
}

describe("the command", () => {
  test("gets a key of its own and not the management token; its arguments and exit code are its own", async () => {
    const script = `
      const { OPENAI_API_KEY, OPENAI_BASE_URL, RELAYKEY_MANAGEMENT_TOKEN } = process.env;
      console.log(JSON.stringify({ OPENAI_API_KEY, OPENAI_BASE_URL, RELAYKEY_MANAGEMENT_TOKEN, argv: process.argv.slice(1) }));
      process.exit(7);`;
    const ran = await run([process.execPath, "-e", script, "--", "--json", "sk-own-business"]);
    expect(ran.code, ran.err).toBe(7);
    const seen = JSON.parse(ran.out) as Record<string, string>;
    expect(seen["OPENAI_API_KEY"]).toMatch(/^rk_proxy_/);
    expect(seen).toMatchObject({
      OPENAI_BASE_URL: "https://proxy.relaykey.example/openai/v1",
      argv: ["--json", "sk-own-business"],
    });
    expect(seen).not.toHaveProperty("RELAYKEY_MANAGEMENT_TOKEN");
    expect(await keys()).toMatchObject([{ name: "rk run node", state: "revoked" }]);
  });

  test("gets the key in place of the vendor's that the shell had", async () => {
    const ran = await run([process.execPath, "-p", "process.env.OPENAI_API_KEY"], {
      OPENAI_API_KEY: "sk-real",
    });
    expect(ran.out).toMatch(/^rk_proxy_/);
  });

  test("no key is in the list of processes, where others can read it", async () => {
    const started = start(WAITING);
    const child = await up(started);
    const lists = [child, started.child.pid ?? 0].map((pid) =>
      readFileSync(`/proc/${String(pid)}/cmdline`, "utf8"),
    );
    expect(lists.join("\n")).toContain("setInterval");
    expect(lists.join("\n")).not.toMatch(/rk_(?:proxy|mgmt)_\w/);
    started.child.kill("SIGTERM");
    const ran = await started.ended;
    expect(ran.out + ran.err).not.toMatch(/rk_(?:proxy|mgmt)_\w/);
  });

  test.each([0, 42])("exit code %i is passed on", async (code) => {
    expect(await run([process.execPath, "-e", `process.exit(${String(code)})`])).toMatchObject({ code });
  });

  test("that does not exist is 127, one that cannot be started 126, and neither leaves a key", async () => {
    const none = await run(["no-such-command-here"]);
    expect(none).toMatchObject({ code: 127, err: expect.stringContaining("could not be started") as string });
    writeFileSync(join(folder, "text"), "no program");
    chmodSync(join(folder, "text"), 0o644);
    expect(await run([join(folder, "text")])).toMatchObject({ code: 126 });
    expect((await keys()).map(({ state }) => state)).toEqual(["revoked", "revoked"]);
  });

  test("without a scope there is no key", async () => {
    const ran = await start(["true"], {}, ["--integration", "openai", "--holder", "job"]).ended;
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('"Chat"') as string });
    expect(await keys()).toEqual([]);
  });
});

describe("signals", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("%s to rk reaches the command, and the key is revoked", async (signal, code) => {
    const started = start(WAITING);
    await up(started);
    started.child.kill(signal);
    expect(await started.ended).toMatchObject({ code });
    expect(await keys()).toMatchObject([{ state: "revoked" }]);
  });

  test.each([
    ["SIGKILL", 137],
    ["SIGTERM", 143],
    ["SIGSEGV", 139],
  ] as const)("%s of the command is told by the exit code, and the key is revoked", async (signal, code) => {
    const started = start(WAITING);
    process.kill(await up(started), signal);
    expect(await started.ended).toMatchObject({ code });
    expect(await keys()).toMatchObject([{ state: "revoked" }]);
  });

  test("a command may make something else of a signal: rk waits for it, and has its exit code", async () => {
    const script =
      "process.on('SIGTERM', () => setTimeout(() => process.exit(5), 300)); console.log('up', process.pid); setInterval(() => {}, 1e3)";
    const started = start([process.execPath, "-e", script]);
    await up(started);
    started.child.kill("SIGTERM");
    expect(await started.ended).toMatchObject({ code: 5 });
    expect(await keys()).toMatchObject([{ state: "revoked" }]);
  });

  test("one that comes before there is a command ends it before it begins; no key is left", async () => {
    let minted: () => void = () => undefined;
    const isMinting = new Promise<void>((resolve) => (minted = resolve));
    let goOn: () => void = () => undefined;
    world.keyControl.before = () => {
      minted();
      return new Promise((resolve) => (goOn = resolve));
    };
    const started = start(WAITING);
    await isMinting;
    world.keyControl.before = () => Promise.resolve();
    started.child.kill("SIGTERM");
    // The signal is there before the key is.
    await new Promise((resolve) => setTimeout(resolve, 300));
    goOn();
    expect(await started.ended).toMatchObject({ code: 143, out: "" });
    expect(await keys()).toMatchObject([{ state: "revoked" }]);
  });

  test("kill -9 of rk itself leaves a key that ends with its --ttl", async () => {
    const started = start(WAITING, {}, [...SCOPE, "--ttl", "2m"]);
    const child = await up(started);
    started.child.kill("SIGKILL");
    // The command has its output, and so keeps it open.
    await new Promise((resolve) => started.child.once("exit", resolve));
    process.kill(child, "SIGKILL");
    await started.ended;
    const [key] = await keys();
    expect(key).toMatchObject({ state: "active" });
    expect(Date.parse(key?.expires_at ?? "")).toBeLessThan(Date.now() + 121_000);
  });
});

describe("revoking at the end", () => {
  test("goes on until an API that was away is back", async () => {
    const started = start(WAITING);
    const child = await up(started);
    isAway = true;
    process.kill(child, "SIGTERM");
    await until(() => started.text.err.includes("Trying again"));
    isAway = false;
    expect(await started.ended).toMatchObject({ code: 143 });
    expect(await keys()).toMatchObject([{ state: "revoked" }]);
  });

  test("that is not certain is told, with when the key ends by itself, and fails a command that ended well", async () => {
    const started = start([
      process.execPath,
      "-e",
      "console.log('up', process.pid); setTimeout(() => {}, 500)",
    ]);
    await up(started);
    world.keyControl.failing = () => true;
    await until(() => started.text.err.includes("a signal stops that"));
    started.child.kill("SIGINT");
    const ran = await started.ended;
    expect(ran).toMatchObject({ code: 1 });
    const [key] = await keys();
    expect(ran.err).toContain(
      `rk keys revoke ${key?.id ?? ""}; it ends by itself at ${key?.expires_at ?? ""}`,
    );
  });
});

test("a key that cannot be put in force runs nothing, and is revoked", async () => {
  let calls = 0;
  world.keyControl.failing = () => (calls += 1) === 1;
  const ran = await run([process.execPath, "-e", "console.log('ran')"]);
  expect(ran).toMatchObject({ code: 1, out: "" });
  expect(await keys()).toMatchObject([{ state: "revoked" }]);
});

test("each vendor's SDK finds key and address under the names that it reads", async () => {
  const client = world.caller(`Bearer ${token}`);
  const env = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: token, HOME: folder };
  const names: Record<string, string[]> = {};
  for (const { slug, presets } of CATALOGUE) {
    if (slug !== "openai") await client("POST", "/integrations", { slug, catalogue: slug, secret: "sk-1" });
    const scope = ["--integration", slug, "--holder", "me", "--create-holder", "agent", "--allow", "GET /v1"];
    const ran = await runHere(["env", ...scope, "--json"], env);
    expect(ran.code, `${slug} ${String(presets.length)} ${ran.err}`).toBe(0);
    const {
      id: _id,
      expires_at: _at,
      RELAYKEY: key,
      ...variables
    } = JSON.parse(ran.out) as Record<string, string>;
    expect(key).toMatch(/^rk_proxy_/);
    for (const [name, value] of Object.entries(variables)) {
      if (/URL$/.test(name))
        expect(value).toMatch(new RegExp(`^https://(?:${slug}\\.)?proxy\\.relaykey\\.example`));
      else expect([name, value]).toEqual([name, key]);
    }
    names[slug] = Object.keys(variables).filter((name) => name !== "RELAYKEY_URL");
  }
  expect(names).toMatchObject({
    openai: ["OPENAI_API_KEY", "OPENAI_BASE_URL"],
    anthropic: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
    stripe: ["STRIPE_SECRET_KEY"],
    resend: ["RESEND_API_KEY", "RESEND_BASE_URL"],
    cloudflare: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"],
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("It did not come to that within 60 s.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
