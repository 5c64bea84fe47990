import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startCli } from "./cli.ts";
import { Admin } from "./harness.ts";
import type { IssuedKey, ShownEvent } from "./harness.ts";

const admin = new Admin(inject("local"));
const home = mkdtempSync(join(tmpdir(), "relaykey-cli-audit-"));
const rk = (...args: string[]) => startCli(args, admin.local, { home });

let key: IssuedKey;
/** Newest first. */
let events: ShownEvent[];

beforeAll(async () => {
  key = await admin.createKey("openai", ["GET /v1/models"]);
  for (const path of ["models", "models", "files?secret=1", "models", "%3D1+1"]) await call(path);
  events = await admin.events(key, 5);
  expect(events).toHaveLength(5);
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

async function call(path: string): Promise<void> {
  const headers = { Authorization: `Bearer ${key.token}` };
  await (await fetch(`${admin.local.proxy}/openai/v1/${path}`, { headers })).arrayBuffer();
}

test("rk audit query looks back, a page at a time, and by what was asked and answered", async () => {
  const page = JSON.parse((await rk("audit", "query", "--key", key.id, "--limit", "3", "--json")).out) as {
    data: ShownEvent[];
    next_cursor: string;
  };
  expect(page.data.map(({ request_id: id }) => id)).toEqual(
    events.slice(0, 3).map((event) => event.request_id),
  );
  const rest = await rk("audit", "list", "--key", key.id, "--cursor", page.next_cursor);
  expect(rest).toMatchObject({ code: 0, err: "" });
  expect(rest.out.trim().split("\n")).toHaveLength(3);
  expect(rest.out).toMatch(/^TIME +DECISION +REASON.*\n\S+ +allowed +- +200 +openai +GET +\/v1\/models /);

  const blocked = await rk(
    "audit",
    "query",
    "--key",
    key.id,
    "--status",
    "4xx",
    "--path-prefix",
    "/v1/files",
  );
  expect(blocked.out.trim().split("\n")).toHaveLength(2);
  expect(blocked.out).toContain("scope_path");
  const one = await rk("audit", "query", "--request-id", events[0]?.request_id ?? "", "--from", "1h");
  expect(one.out.trim().split("\n")).toHaveLength(2);
  const wrong = await rk("audit", "query", "--decision", "perhaps");
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("allowed, blocked") as string });
});

test("rk audit export writes every event as the API streams it", async () => {
  const lines = await rk("audit", "export", "--key", key.id);
  expect(lines).toMatchObject({ code: 0, err: "5 events.\n" });
  const exported = lines.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ShownEvent);
  expect(exported.map(({ request_id: id }) => id)).toEqual(events.map(({ request_id: id }) => id));

  const csv = await rk("audit", "export", "--key", key.id, "--format", "csv");
  const [headings, ...rows] = csv.out.trim().split("\r\n");
  expect(headings).toMatch(/^request_id,at,decision,reason,/);
  expect(rows.map((row) => row.split(",")[0])).toEqual(events.map(({ request_id: id }) => id));

  const after = ["--cursor", events[1]?.request_id ?? "", "--format", "csv"];
  const rest = await rk("audit", "export", "--key", key.id, ...after);
  expect(rest).toMatchObject({
    code: 0,
    out: rows
      .slice(2)
      .map((row) => `${row}\r\n`)
      .join(""),
  });
});

test("on a terminal an export says how far it is, and not into the file", async () => {
  const file = join(home, "events.ndjson");
  const run = await startCli(["audit", "export", "--key", key.id], admin.local, {
    home,
    wrap: (command) => ["script", "-qec", `${command.join(" ")} > ${file}`, "/dev/null"],
  });
  expect(run.code, run.out).toBe(0);
  expect(run.out).toBe("\r5 events …\r\u001b[K5 events.\r\n");
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(5);
});

test("rk audit tail prints requests as they come, each once, until Ctrl-C", async () => {
  let called = 0;
  const timer = setInterval(() => {
    called += 1;
    void call("models");
  }, 500);
  const run = await startCli(["audit", "tail", "--key", key.id, "--json"], admin.local, {
    home,
    act: (pid, out) => {
      if (out.split("\n").length > 3) process.kill(pid, "SIGINT");
    },
  });
  clearInterval(timer);
  expect(run, run.err).toMatchObject({ code: 0, err: "" });
  const seen = run.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ShownEvent & { at: string });
  const ids = seen.map(({ request_id: id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeLessThanOrEqual(called);
  for (const { request_id: id } of events) expect(ids).not.toContain(id);
});
