import { getTableName, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { insertManagementToken } from "@relaykey/db/queries/tokens";
import { tenantTables } from "@relaykey/db/queries/deletion";
import { newId } from "@relaykey/core/ids";
import { mintToken } from "@relaykey/core/token";
import { cancelDeletion, deleteDueOrganizations, requestDeletion } from "../../../service/deletion.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { again, founder, refusal, value } from "./people.ts";

const WEEK_MS = 7 * 86_400_000;
let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

/** Somebody's organization with a key in force. */
async function withKey() {
  const own = await founder(world);
  const { organizationId } = own.caller;
  const minted = await mintToken("mgmt", null, world.deps.tagKey);
  await insertManagementToken(world.db, {
    id: newId(),
    organizationId,
    name: "test",
    kind: "standard",
    tokenHash: minted.hash,
    display: minted.display,
  });
  const client = world.caller(`Bearer ${minted.token.reveal()}`);
  await client("POST", "/integrations", { slug: "openai", secret: "sk-live-vendor-key-0123456789" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const answer = await client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] });
  expect(answer.status, answer.text).toBe(201);
  const { id } = answer.body["key"] as { id: string };
  return { ...own, organizationId, keyId: id, name: `Organization of ${own.person.email}` };
}

async function rowsOf(organizationId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tenantTables()) {
    const { rows } = await world.db.execute<{ n: string }>(
      sql`SELECT count(*) AS n FROM ${table} WHERE organization_id = ${organizationId}::uuid`,
    );
    counts[getTableName(table)] = Number(rows[0]?.n);
  }
  return counts;
}

test("a marked organization's keys are refused at once, and hold again when it is kept", async () => {
  const { caller, keyId, name } = await withKey();
  expect(refusal(await requestDeletion(world.deps, caller, "another name"))).toBe("invalid_request");
  expect(world.keyControl.latest(keyId)?.state).toBe("active");
  const marked = value(await requestDeletion(world.deps, caller, name));
  expect(marked.enforcement).toMatchObject({ state: "enforced", keys: 1 });
  expect(world.keyControl.latest(keyId)?.state).toBe("frozen");
  expect(world.mails.at(-1)).toMatchObject({ kind: "alert", title: `${name} will be deleted` });
  expect(refusal(await requestDeletion(world.deps, caller, name))).toBe("deletion_pending");
  world.advance(WEEK_MS - 60_000);
  expect(await deleteDueOrganizations(world.deps)).toBe(0);
  value(await cancelDeletion(world.deps, caller));
  expect(world.keyControl.latest(keyId)?.state).toBe("active");
  expect(refusal(await cancelDeletion(world.deps, caller))).toBe("not_found");
  world.advance(WEEK_MS);
  expect(await deleteDueOrganizations(world.deps)).toBe(0);
});

test("only a strong admin deletes; no token may", async () => {
  const { caller, name } = await withKey();
  const cases = [
    [{ ...caller, role: "viewer" as const }, "role_insufficient"],
    [{ ...caller, isStrong: false }, "passkey_needed"],
  ] as const;
  for (const [who, code] of cases) {
    expect(refusal(await requestDeletion(world.deps, who, name))).toBe(code);
    expect(refusal(await cancelDeletion(world.deps, who))).toBe(code);
  }
});

test("after the week it is gone with all it had, its keys revoked first, and nobody else's is touched", async () => {
  const gone = await withKey();
  const other = await withKey();
  const before = await rowsOf(other.organizationId);
  value(await requestDeletion(world.deps, gone.caller, gone.name));
  world.advance(WEEK_MS + 1_000);
  // While the proxy cannot be told, nothing is deleted: a key that nobody can see must not hold.
  world.keyControl.failing = (keyId) => keyId === gone.keyId;
  expect(await deleteDueOrganizations(world.deps)).toBe(0);
  expect((await rowsOf(gone.organizationId))["relay_keys"]).toBe(1);
  expect(refusal(await cancelDeletion(world.deps, gone.caller))).toBe("not_found");
  world.keyControl.failing = null;
  expect(await deleteDueOrganizations(world.deps)).toBe(1);
  expect(world.keyControl.revoked.at(-1)?.ref.keyId).toBe(gone.keyId);
  const left = Object.entries(await rowsOf(gone.organizationId)).filter(([, count]) => count > 0);
  expect(left).toEqual([]);
  expect(await rowsOf(other.organizationId)).toEqual(before);
  expect(await again(world, gone.token).then(({ organizationId }) => organizationId)).toBeNull();
});

test("every table that names an organization is emptied, each before those it points at", async () => {
  const { rows } = await world.db.execute<{ name: string }>(sql`
    SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE a.attname = 'organization_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relnamespace = 'public'::regnamespace`);
  const known = tenantTables().map((table) => getTableName(table));
  expect([...known, "sessions"].sort()).toEqual(rows.map(({ name }) => name).sort());
  expect(known.indexOf("scope_rules")).toBeLessThan(known.indexOf("relay_keys"));
  expect(known.indexOf("relay_keys")).toBeLessThan(known.indexOf("holders"));
});
