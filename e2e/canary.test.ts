import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, inject, test } from "vitest";
import { Admin } from "./harness.ts";
import { noteSecret, notedSecrets } from "./witness.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const admin = new Admin(inject("local"));
const state = inject("state");

/** Files that hold secrets because that is what they are for; only their owner can read them. */
const KEPT = new Set(["secrets.json", "local.json"]);

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** How a secret may have been written: as text in two encodings, in base64 at each alignment, in hexadecimal. */
function spellings(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const aligned = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const texts = [
    secret,
    ...aligned,
    ...aligned.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [...new Set(texts)].map((text) => Buffer.from(text)).concat(Buffer.from(secret, "utf16le"));
}

function finds(files: readonly string[], secrets: readonly string[], base: string): string[] {
  const needles = secrets.flatMap((secret) => spellings(secret).map((bytes) => ({ secret, bytes })));
  const found: string[] = [];
  for (const file of files) {
    const content = readFileSync(file);
    for (const { secret, bytes } of needles) {
      if (content.includes(bytes)) found.push(`${relative(base, file)}: …${secret.slice(-4)}`);
    }
  }
  return found;
}

/** Secrets of the installation and of the tests that ran before. Some are the same for all: those say nothing. */
function secrets(): string[] {
  const own = JSON.parse(readFileSync(join(state, "secrets.json"), "utf8")) as Record<string, string>;
  const { managementToken } = admin.local;
  return [...new Set([...Object.values(own), managementToken, admin.demo.key, ...notedSecrets()])].filter(
    (secret) => secret.length >= 16,
  );
}

beforeAll(async () => {
  // At least one of each kind of use, whichever tests ran before.
  const secret = `canary-${crypto.randomUUID()}`;
  const slug = `canary-${crypto.randomUUID().slice(0, 8)}`;
  await admin.call("POST", "/integrations", {
    slug,
    upstream: `${admin.local.upstream}/echo`,
    credential: { kind: "query", name: "key" },
    secret,
    log_query: true,
  });
  const key = await admin.createKey(slug, ["GET /**"]);
  for (const path of ["/x?a=1", `/x?key=${key.token}`, `/${key.token}`, "/../x", "/status/500"]) {
    const response = await fetch(`${admin.local.proxy}/${slug}${path}`, {
      headers: { Authorization: `Bearer ${key.token}`, "User-Agent": `agent ${key.token}` },
    });
    const text = await response.text();
    expect(text).not.toContain(secret);
    expect(text).not.toContain(key.token);
  }
  await admin.events(key, 5);
  await admin.revoke(key);
});

test("G4: no secret of any test stands in what the system wrote: logs, KV, objects, queues, Postgres", () => {
  const files = filesOf(state).filter((file) => !KEPT.has(relative(state, file)));
  expect(files.some((file) => file.includes("pgdata"))).toBe(true);
  expect(files.some((file) => file.includes("objects"))).toBe(true);
  expect(files.some((file) => file.endsWith("workerd.log"))).toBe(true);
  const sought = secrets();
  expect(sought.length).toBeGreaterThan(6);
  expect(finds(files, sought, state)).toEqual([]);
});

test("G4: none stands in the pages, the bundles or their source maps", async () => {
  const sought = secrets();
  // The search before kept this process busy for longer than a server keeps a connection: it is to notice which are closed.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const pages = await Promise.all(
    [
      `${admin.local.controlPlane}/sign-in/link`,
      `${admin.local.controlPlane}/docs/block-reasons`,
      admin.local.outbox,
    ].map(async (url) => (await fetch(url)).text()),
  );
  for (const page of pages) {
    for (const secret of sought) expect(page.includes(secret)).toBe(false);
  }
  const built = [join(ROOT, "dist"), join(ROOT, "control-plane", "build")].flatMap(filesOf);
  expect(built.some((file) => file.endsWith(".map"))).toBe(true);
  expect(finds(built, sought, ROOT)).toEqual([]);
});

test("the sweep sees: a secret that was written down is found, in every spelling", () => {
  const secret = `planted-${crypto.randomUUID()}`;
  noteSecret(secret);
  expect(finds([inject("witness")], [secret], state)).toHaveLength(1);
  expect(spellings(secret).every((bytes) => bytes.length >= 16)).toBe(true);
  expect(statSync(inject("witness")).mode & 0o777).toBe(0o600);
});
