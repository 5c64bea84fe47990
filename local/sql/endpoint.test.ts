import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { newId } from "@relaykey/core/ids";
import { organizations } from "@relaykey/db/schema/organizations";
import { memberships } from "@relaykey/db/schema/people";
import { relayKeys } from "@relaykey/db/schema/keys";
import { startSqlEndpoint } from "./endpoint.ts";
import type { SqlEndpoint } from "./endpoint.ts";
import type { SqlBackend } from "./backend.ts";
import { migrateBackend } from "./migrate-backend.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";
import { startPostgres } from "./test-postgres.ts";

const PASSWORD = "p@ss/word";

const postgres = await startPostgres();
if (postgres === null)
  console.warn("PostgreSQL's server is not installed here: its half of this test did not run.");

const BACKENDS: [string, () => Promise<SqlBackend>][] = [["PGlite", () => openPglite("memory://")]];
if (postgres !== null) BACKENDS.push(["PostgreSQL", () => Promise.resolve(openPostgres(postgres.url))]);

afterAll(() => postgres?.stop());

describe.each(BACKENDS)("the driver through the endpoint, on %s", (_, open) => {
  let backend: SqlBackend;
  let endpoint: SqlEndpoint;
  let db: Database;

  beforeAll(async () => {
    backend = await open();
    await migrateBackend(backend);
    endpoint = await startSqlEndpoint({ backend, password: PASSWORD });
    db = openDatabase(`postgres://relaykey:${encodeURIComponent(PASSWORD)}@localhost/relaykey`, endpoint.url);
  }, 60_000);

  afterAll(async () => {
    await endpoint.close();
    await backend.close();
  });

  test("migrating again changes nothing", async () => {
    expect(await migrateBackend(backend)).toEqual([]);
  });

  test("values come back as they went in", async () => {
    const id = newId();
    const at = new Date("2026-02-03T04:05:06.789Z");
    await db
      .insert(organizations)
      .values({ id, name: `Zoë "O'Hara" \\ 漢字`, auditRetentionDays: 90, createdAt: at });
    const [row] = await db.select().from(organizations).where(eq(organizations.id, id));
    const stored = { id, name: `Zoë "O'Hara" \\ 漢字`, auditRetentionDays: 90, frozen: false, createdAt: at };
    expect(row).toMatchObject({ ...stored, confirmation: DEFAULT_CONFIRMATION, deleteAfter: null });
    const raw = await db.execute(
      sql`SELECT 1::bigint AS n, ARRAY['a,b','c"d'] AS list, NULL AS nothing, true AS yes`,
    );
    expect(raw.rows).toEqual([{ n: "1", list: ["a,b", `c"d`], nothing: null, yes: true }]);
  });

  test("a batch is one transaction: it rolls back whole", async () => {
    const id = newId();
    const organization = { id, name: "half" };
    const bad = { id: newId(), organizationId: id, userId: newId(), role: "admin" as const };
    await expect(
      db.batch([db.insert(organizations).values(organization), db.insert(memberships).values(bad)]),
    ).rejects.toThrow();
    expect(await db.select().from(organizations).where(eq(organizations.id, id))).toEqual([]);
  });

  test("an error carries PostgreSQL's code", async () => {
    const row = { id: newId(), name: "once" };
    await db.insert(organizations).values(row);
    await expect(db.insert(organizations).values(row)).rejects.toMatchObject({ cause: { code: "23505" } });
  });

  test("an update says how many rows it changed", async () => {
    const result = await db.update(relayKeys).set({ name: "x" }).where(eq(relayKeys.id, newId()));
    expect(result.rowCount).toBe(0);
  });

  test("a wrong password is refused", async () => {
    const stranger = openDatabase("postgres://relaykey:wrong@localhost/relaykey", endpoint.url);
    await expect(stranger.select().from(organizations)).rejects.toMatchObject({
      cause: { message: expect.stringContaining("password") as string },
    });
  });
});
