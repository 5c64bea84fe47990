/**
 * `npm run bench:dashboard`: how long a browser waits for the first byte of each list of the dashboard, on the running stack, with a month
 * of requests of many keys. Each figure is also told as a ratio to the bare limit of the same run: a page that asks who is signed in, draws
 * the frame, and reads nothing else. Prints a table and JSON; with `--check MS` it fails when a median is above that.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "@relaykey/db/client";
import { organizations } from "@relaykey/db/schema/organizations";
import { startPostgres } from "@relaykey/local/sql/test-postgres";
import { startStack } from "@relaykey/local/stack";
import { fill } from "./dashboard/fill.ts";
import type { Filled } from "./dashboard/fill.ts";
import { firstByteMs, hangUp } from "./dashboard/ttfb.ts";
import { median } from "./measures/load.ts";

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "2000" },
    events: { type: "string", default: "500000" },
    rounds: { type: "string", default: "20" },
    check: { type: "string" },
  },
});

/** Who is signed in, and the frame around nothing. */
const BARE = { name: "bare limit", path: "/no/such/page", status: 404 };

function pages({ keyId, holderId, integration }: Filled) {
  const paths = {
    overview: "/",
    "overview, 30 days": "/?range=30d",
    keys: "/keys",
    "keys, searched": "/keys?q=key+19",
    "keys, expiring": "/keys?state=expiring",
    holders: "/holders",
    "a holder": `/holders/${holderId}`,
    integrations: "/integrations",
    "an integration": `/integrations/${integration}`,
    "a key": `/keys/${keyId}`,
    audit: "/audit",
    "audit, blocked, 7 days": "/audit?decision=blocked&range=7d",
    "audit, a key, 30 days": `/audit?key=${keyId}&range=30d`,
    "audit, a path, 7 days": "/audit?path=models%2F7%2F&range=7d",
    "admin events": "/admin-events",
    notices: "/notices",
    members: "/settings/members",
    tokens: "/settings/tokens",
    webhooks: "/settings/webhooks",
  };
  return Object.entries(paths).map(([name, path]) => ({ name, path, status: 200 }));
}

const log = (line: string): void => {
  console.error(line);
};

const postgres = await startPostgres();
const state = mkdtempSync(join(tmpdir(), "relaykey-bench-"));
const stack = await startStack({
  state,
  port: "free",
  log,
  ...(postgres === null ? {} : { databaseUrl: postgres.url }),
});
try {
  await main();
} finally {
  hangUp();
  await stack.stop();
  postgres?.stop();
  rmSync(state, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const db = openDatabase(stack.database.url, stack.database.endpoint);
  const [organization] = await db.select({ id: organizations.id }).from(organizations).limit(1);
  if (organization === undefined) throw new Error("The stack has no organization.");
  const size = { keys: Number(values.keys), events: Number(values.events) };
  const filled = await fill(db, organization.id, size, log);
  const cookie = await signIn();
  const targets = [BARE, ...pages(filled)].map((target) => ({ ...target, ms: [] as number[] }));
  const rounds = Number(values.rounds);
  // The first round warms up and does not count. Interleaved, so that whatever else the machine does meets all alike.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { path, status, ms } of targets) {
      const waited = await firstByteMs(`${stack.local.controlPlane}${path}`, cookie, status);
      if (round > 0) ms.push(waited);
    }
  }
  const limit = median(targets[0]?.ms ?? []);
  const figures = targets.map(({ name, path, ms }) => ({
    name,
    path: path.replace(/[0-9a-f-]{36}/, "{id}"),
    p50: round1(median(ms)),
    p95: round1(percentile(ms, 0.95)),
    ratio: round1(median(ms) / limit),
  }));
  console.table(
    Object.fromEntries(
      figures.map(({ name, p50, p95, ratio }) => [name, { "p50 ms": p50, "p95 ms": p95, "÷ bare": ratio }]),
    ),
  );
  console.log(
    JSON.stringify({ database: postgres === null ? "PGlite" : "PostgreSQL", ...size, rounds, figures }),
  );
  const most = values.check === undefined ? Infinity : Number(values.check);
  const slow = figures.filter(({ p50 }) => p50 > most);
  if (slow.length > 0) {
    console.error(`Above ${String(most)} ms: ${slow.map(({ name }) => name).join(", ")}.`);
    process.exitCode = 1;
  }
}

/** @returns the Cookie header of whoever opens the link that the stack prints. */
async function signIn(): Promise<string> {
  const { origin, searchParams } = new URL(stack.signInLink);
  const answer = await fetch(`${origin}/sign-in/link`, {
    method: "POST",
    headers: { Origin: origin, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token: searchParams.get("token") ?? "" }),
    redirect: "manual",
  });
  const cookies = answer.headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
  return cookies.join("; ");
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
