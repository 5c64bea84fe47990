import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";
import { startCli } from "./cli.ts";
import type { CliRun } from "./cli.ts";
import { Admin } from "./harness.ts";
import { noteSecret } from "./witness.ts";

const admin = new Admin(inject("local"));
const folder = mkdtempSync(join(import.meta.dirname, ".cli-"));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `rk` to its end. */
function rk(args: readonly string[], act?: (pid: number, out: string) => void): Promise<CliRun> {
  return startCli(args, admin.local, { home: folder, ...(act === undefined ? {} : { act }) });
}

const SCOPE = [
  "--integration",
  "openai",
  "--holder",
  "cli-job",
  "--create-holder",
  "agent",
  "--preset",
  "chat",
];

/** A program that knows nothing of RelayKey: the vendor's SDK, as it comes. */
const PROGRAM_WITH_SDK = `
import OpenAI from "openai";
const client = new OpenAI({ maxRetries: 0 });
const answer = await client.chat.completions.create({ model: "demo", messages: [{ role: "user", content: "hi" }] });
console.log(JSON.stringify({ said: answer.choices[0].message.content, key: process.env.OPENAI_API_KEY }));
if (process.argv[2] === "wait") setInterval(() => {}, 1000);
`;

function program(): string {
  const path = join(folder, "job.mjs");
  writeFileSync(path, PROGRAM_WITH_SDK);
  return path;
}

async function isDead(key: string): Promise<boolean> {
  noteSecret(key);
  const response = await fetch(`${admin.local.proxy}/openai/v1/models`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  return response.status === 401;
}

test("rk run gives the official SDK a key of its own, which is dead when the command has ended", async () => {
  const run = await rk(["run", ...SCOPE, "--", process.execPath, program()]);
  expect(run.code, run.err).toBe(0);
  const { said, key } = JSON.parse(run.out) as { said: string; key: string };
  expect(said).toBe("Hello from the demo upstream.");
  expect(await isDead(key)).toBe(true);
});

test.each([["SIGTERM", 143] as const, ["SIGINT", 130] as const])(
  "%s in the middle: the command gets it, and the key is dead when rk has ended",
  async (signal, code) => {
    let sent = false;
    const run = await rk(["run", ...SCOPE, "--", process.execPath, program(), "wait"], (pid, out) => {
      if (sent || !out.includes("\n")) return;
      sent = true;
      process.kill(pid, signal);
    });
    expect(run.code, run.err).toBe(code);
    expect(await isDead((JSON.parse(run.out) as { key: string }).key)).toBe(true);
  },
);

test("the vendor keys of the demo are accepted by the demo's vendor, a wrong one is refused, through the data plane", async () => {
  for (const slug of ["openai", "anthropic", "cloudflare", "slack", "twilio"]) {
    const run = await rk(["integrations", "test", slug]);
    expect([slug, run.code, run.out], run.err).toMatchObject([slug, 0, expect.stringMatching(/^accepted /)]);
  }
  const wrong = await admin.call<{ result: { verdict: string } }>("POST", "/integrations/openai/test", {
    secret: "sk-not-the-key",
  });
  expect(wrong.result.verdict).toBe("refused");
});

test("a rerolled key and the former one both work, until the overlap is over", async () => {
  const former = await admin.createKey("openai", ["GET /v1/models"]);
  const rerolled = await admin.call<{ token: string }>("POST", `/keys/${former.id}/reroll`, {
    overlap: "3s",
  });
  noteSecret(rerolled.token);
  const status = async (token: string): Promise<number> => {
    const headers = { Authorization: `Bearer ${token}` };
    return (await fetch(`${admin.local.proxy}/openai/v1/models`, { headers })).status;
  };
  expect(await status(rerolled.token)).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 3_100));
  expect([await status(former.token), await status(rerolled.token)]).toEqual([401, 200]);
});
