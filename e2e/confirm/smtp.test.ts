import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import startMailServers from "../../workers/confirm/test/mail-servers.mjs";
import { PagesStack } from "./pages-stack.ts";

const CONFIG = fileURLToPath(new URL("../../workers/confirm/wrangler.toml", import.meta.url));

interface Servers {
  readonly authority: string;
  readonly ports: Readonly<Record<"tls", number>>;
  readonly board: string;
}

interface Taken {
  readonly server: string;
  readonly secure: boolean;
  readonly user: string | null;
  readonly to: readonly string[];
}

let servers: Servers;
let stopServers: () => Promise<void>;
let stack: PagesStack;
let folder = "";

beforeAll(async () => {
  let provided = "";
  stopServers = await startMailServers({
    provide: (_name: string, value: string) => {
      provided = value;
    },
  });
  servers = JSON.parse(provided) as Servers;
  folder = mkdtempSync(join(tmpdir(), "relaykey-confirm-"));
  const config = join(folder, "wrangler.toml");
  // As it is, but for patience: its eight attempts take half an hour.
  const patient = readFileSync(CONFIG, "utf8");
  writeFileSync(config, patient.replace("max_retries = 8\n", "max_retries = 0\n"));
  stack = await PagesStack.start({
    config,
    vars: { RELAYKEY_MAIL_TRANSPORT: "smtp" },
    secrets: { SMTP_URL: `smtps://relay%40key:p%3Ass%20w%C3%B6rd@localhost:${String(servers.ports.tls)}` },
    outbound: { kind: "network", allow: ["local"], trust: [servers.authority] },
  });
});

afterAll(async () => {
  await stack.stop();
  await stopServers();
  rmSync(folder, { recursive: true, force: true });
});

async function takenBy(to: string): Promise<Taken[]> {
  const taken = (await (await fetch(servers.board)).json()) as Taken[];
  return taken.filter((one) => one.to.includes(to));
}

function alert(to: string): object {
  const words = { organization: "Acme", title: "A key was frozen", text: [], action: null };
  return { v: 1, kind: "alert", id: crypto.randomUUID(), to, ...words };
}

test("on raw workerd, mail goes by SMTP over TLS to a server whose certificate is vouched for", async () => {
  const to = "tls@example.org";
  await stack.enqueue(alert(to));
  await expect
    .poll(() => takenBy(to), { timeout: 20_000 })
    .toMatchObject([{ server: "tls", secure: true, user: "relay@key" }]);
});

test("what cannot be sent for as long as the queue tries is told once, about holders, and not sent again", async () => {
  await stack.enqueue(alert("busy@admins.example"));
  await stack.enqueueConfirmation("busy@holders.example");
  await expect
    .poll(() => stack.mailFailures(), { timeout: 40_000 })
    .toMatchObject([
      {
        type: "holder.mail_failed",
        holderId: "0195d8f0-0000-7000-8000-000000000002",
        data: { reason: "undelivered", address: "busy@holders.example" },
      },
    ]);
  for (const to of ["busy@admins.example", "busy@holders.example"]) expect(await takenBy(to)).toEqual([]);
});
