import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { continueEnforcement } from "../../service/organizations.ts";
import { revokeShown, showRun, showSelection } from "../../service/revocation-run.ts";
import type { RevocationRun } from "../../service/revocation-run.ts";
import type { Caller } from "../../service/caller.ts";
import { refusal, value } from "./accounts/people.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let client: Client;
let caller: Caller;
const PAGE = { limit: 50, cursor: null };

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  const organization = await world.organization();
  client = organization.client;
  caller = await world.person(organization.id, "admin");
  world.keyControl.failing = null;
  await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  for (const name of ["ci", "other"]) await client("POST", "/holders", { name, kind: "service" });
});

async function issue(count: number, holder = "ci"): Promise<string[]> {
  const made = await Promise.all(
    Array.from({ length: count }, () =>
      client("POST", "/keys", { holder, integration: "openai", allow: ["GET /v1/models"] }),
    ),
  );
  return made.map(({ body }) => (body["key"] as { id: string }).id);
}

/** Many more keys like one that is there, as far as revoking goes. The API would take half a minute for them. */
async function copies(keyId: string, count: number): Promise<void> {
  await world.db.execute(sql`
    INSERT INTO relay_keys (id, organization_id, holder_id, integration_id, name, token_hash, display, state,
      policy_version, enforced_version, ip_mode, ip_cidrs, limits, bindings, enforcement)
    SELECT gen_random_uuid(), organization_id, holder_id, integration_id, name, md5(random()::text || copy), display,
      state, policy_version, enforced_version, ip_mode, ip_cidrs, limits, bindings, enforcement
    FROM relay_keys, generate_series(1, ${count}) AS copy WHERE id = ${keyId}`);
}

async function active(): Promise<number> {
  const { total } = value(await showSelection(world.deps, caller, { state: "active" }));
  return total;
}

describe("revoking all that a filter means", () => {
  test("several hundred keys end at once; what the proxy has not confirmed goes on, and the run tells how far it is", async () => {
    const [original = ""] = await issue(1);
    await copies(original, 319);
    const spared = await issue(2, "other");
    const shown = value(await showSelection(world.deps, caller, { holder: "ci" }));
    expect(shown.total).toBe(320);
    // The lowest id: the first in each run.
    world.keyControl.failing = (keyId) => keyId === original;
    const run = value(await revokeShown(world.deps, caller, { holder: "ci" }, shown.fingerprint));
    expect(await active()).toBe(spared.length);
    // One request reaches 200 keys.
    expect(value(await showRun(world.deps, caller, run, PAGE))).toMatchObject({ total: 320, pending: 121 });
    value(await continueEnforcement(world.deps, caller));
    expect(value(await showRun(world.deps, caller, run, PAGE))).toMatchObject({ pending: 1 });
    world.keyControl.failing = null;
    value(await continueEnforcement(world.deps, caller));
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const done: RevocationRun = value(await showRun(world.deps, caller, run, { ...PAGE, cursor }));
      expect(done.pending).toBe(0);
      expect(done.firstAt).not.toBeNull();
      for (const { key, receipt } of done.keys.entries) {
        expect([key.state, receipt?.version]).toEqual(["revoked", key.policyVersion]);
        seen.add(key.id);
      }
      cursor = done.keys.nextCursor;
    } while (cursor !== null);
    expect(seen.size).toBe(320);
  }, 180_000);

  test("hits what was shown and nothing else: a key that came, or went, meanwhile stops it", async () => {
    const [first = ""] = await issue(3);
    const shown = value(await showSelection(world.deps, caller, {}));
    await issue(1);
    expect(refusal(await revokeShown(world.deps, caller, {}, shown.fingerprint))).toBe("changed_meanwhile");
    expect(await active()).toBe(4);
    const again = value(await showSelection(world.deps, caller, {}));
    await client("POST", `/keys/${first}/revoke`);
    expect(refusal(await revokeShown(world.deps, caller, {}, again.fingerprint))).toBe("changed_meanwhile");
    expect(await active()).toBe(3);
    expect(refusal(await revokeShown(world.deps, caller, {}, ""))).toBe("changed_meanwhile");
    const last = value(await showSelection(world.deps, caller, {}));
    value(await revokeShown(world.deps, caller, {}, last.fingerprint));
    expect(await active()).toBe(0);
    // The form sent again finds nothing left to revoke.
    expect(refusal(await revokeShown(world.deps, caller, {}, last.fingerprint))).toBe("changed_meanwhile");
  });

  test("with the proxy away every key is pending, and nothing says that it is done", async () => {
    await issue(3);
    const { fingerprint } = value(await showSelection(world.deps, caller, {}));
    world.keyControl.failing = () => true;
    const run = value(await revokeShown(world.deps, caller, {}, fingerprint));
    expect(value(await showRun(world.deps, caller, run, PAGE))).toMatchObject({
      total: 3,
      pending: 3,
      firstAt: null,
      lastAt: null,
    });
  });

  test("is for admins; a run is nobody else's, and nothing is no run", async () => {
    await issue(1);
    const viewer = await world.person(caller.organizationId, "viewer");
    expect(refusal(await showSelection(world.deps, viewer, {}))).toBe("role_insufficient");
    expect(refusal(await revokeShown(world.deps, viewer, {}, ""))).toBe("role_insufficient");
    const { fingerprint } = value(await showSelection(world.deps, caller, {}));
    const run = value(await revokeShown(world.deps, caller, {}, fingerprint));
    expect(value(await showRun(world.deps, viewer, run, PAGE)).total).toBe(1);
    const stranger = await world.person((await world.organization()).id, "admin");
    expect(refusal(await showRun(world.deps, stranger, run, PAGE))).toBe("not_found");
    expect(refusal(await showRun(world.deps, caller, newId(), PAGE))).toBe("not_found");
  });
});
