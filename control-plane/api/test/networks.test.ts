import { desc, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { systemCaller } from "../../service/caller.ts";
import { approveNetwork, dismissPending, removeNetwork, showNetworks } from "../../service/networks.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
let organizationId: string;
const asked: string[] = [];

beforeAll(async () => {
  world = await createWorld();
  const made = await world.organization();
  organizationId = made.id;
  await made.client("POST", "/holders", { name: "jo", kind: "person", email: "jo@example.com" });
  world.keyControl.approveNetwork = (locator, network) => {
    asked.push(`${locator.length.toString()} ${network}`);
    return Promise.resolve(network);
  };
}, 120_000);

afterAll(() => world.close());

async function actions(): Promise<string[]> {
  const rows = await world.db
    .select({ action: adminAuditEvents.action })
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.organizationId, organizationId))
    .orderBy(desc(adminAuditEvents.id))
    .limit(2);
  return rows.map(({ action }) => action);
}

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["203.0.113.0/24", "203.0.113.0/24"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:DB8:1::/48", "2001:db8:1::/48"],
])("%s is approved as %s, and that is in the admin log", async (text, network) => {
  const caller = systemCaller(organizationId);
  expect(await approveNetwork(world.deps, caller, "jo", text)).toEqual({ ok: true, value: network });
  expect(asked.at(-1)).toBe(`16 ${network}`);
  expect((await actions())[0]).toBe("network.approved");
});

test.each(["0.0.0.0/0", "::/0", "10.0.0.0/7", "203.0.113.7/24", "everywhere", ""])(
  "%j is no network",
  async (text) => {
    const before = asked.length;
    const refused = await approveNetwork(world.deps, systemCaller(organizationId), "jo", text);
    expect(refused).toMatchObject({ ok: false, failure: { code: "invalid_request" } });
    expect(asked).toHaveLength(before);
  },
);

test("what the object refuses, or cannot be told, is said and logged", async () => {
  const caller = systemCaller(organizationId);
  expect(await removeNetwork(world.deps, caller, "jo", "203.0.113.9")).toMatchObject({
    ok: false,
    failure: { code: "not_found" },
  });
  expect(await actions()).toEqual(["network.removal_failed", "network.removed"]);
  world.keyControl.dismissPending = () => Promise.reject(new Error("away"));
  expect(await dismissPending(world.deps, caller, "jo", "some")).toMatchObject({
    ok: false,
    failure: { code: "data_plane_away" },
  });
  world.keyControl.approveNetwork = () => Promise.reject(new RangeError("shared by strangers"));
  expect(await approveNetwork(world.deps, caller, "jo", "203.0.113.9")).toMatchObject({
    ok: false,
    failure: { code: "invalid_request", errors: [{ field: "network" }] },
  });
});

test("a viewer sees and changes nothing; another organization has no such holder", async () => {
  const viewer = { ...systemCaller(organizationId), role: "viewer" as const };
  expect(await showNetworks(world.deps, viewer, "jo")).toMatchObject({ ok: true });
  expect(await removeNetwork(world.deps, viewer, "jo", "203.0.113.9")).toMatchObject({
    ok: false,
    failure: { code: "role_insufficient" },
  });
  const other = await world.organization();
  expect(await showNetworks(world.deps, systemCaller(other.id), "jo")).toMatchObject({
    ok: false,
    failure: { code: "not_found" },
  });
});
