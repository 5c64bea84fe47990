import { afterAll, beforeAll, expect, test } from "vitest";
import { loadPublicMailDomains } from "./mail-domains.ts";
import { queryRows } from "./sql/backend.ts";
import type { SqlBackend } from "./sql/backend.ts";
import { migrateBackend } from "./sql/migrate-backend.ts";
import { openPglite } from "./sql/pglite.ts";

let backend: SqlBackend;

beforeAll(async () => {
  backend = await openPglite("memory://");
  await migrateBackend(backend);
});

afterAll(() => backend.close());

async function kindOf(domain: string): Promise<string | null | undefined> {
  const rows = await queryRows(backend, "SELECT kind FROM public_mail_domains WHERE domain = $1", [domain]);
  return rows[0]?.[0];
}

async function count(): Promise<number> {
  return Number((await queryRows(backend, "SELECT count(*) FROM public_mail_domains", []))[0]?.[0]);
}

test("free and disposable mail domains are there after loading, and only those", async () => {
  const loaded = await loadPublicMailDomains(backend);
  expect(loaded).toBeGreaterThan(14_000);
  expect(await count()).toBe(loaded);
  expect(await kindOf("gmail.com")).toBe("free");
  expect(await kindOf("proton.me")).toBe("free");
  expect(await kindOf("mailinator.com")).toBe("disposable");
  expect(await kindOf("cloudflare.com")).toBeUndefined();
  expect(await kindOf("example.com")).toBeUndefined();
});

test("loading again changes nothing, and repairs a table that differs", async () => {
  const loaded = await loadPublicMailDomains(backend);
  const version = "SELECT max(xmin::text::bigint) FROM public_mail_domains";
  const before = await queryRows(backend, version, []);
  await loadPublicMailDomains(backend);
  expect(await queryRows(backend, version, [])).toEqual(before);
  await queryRows(backend, "DELETE FROM public_mail_domains WHERE domain = 'gmail.com'", []);
  await queryRows(backend, "INSERT INTO public_mail_domains VALUES ('cloudflare.com', 'free')", []);
  await queryRows(
    backend,
    "UPDATE public_mail_domains SET kind = 'free' WHERE domain = 'mailinator.com'",
    [],
  );
  await loadPublicMailDomains(backend);
  expect(await kindOf("gmail.com")).toBe("free");
  expect(await kindOf("cloudflare.com")).toBeUndefined();
  expect(await kindOf("mailinator.com")).toBe("disposable");
  expect(await count()).toBe(loaded);
});
