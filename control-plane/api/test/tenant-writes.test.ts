import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import type { AdminEvent } from "@relaykey/db/queries/admin-events";
import { deleteHolder, changeHolder } from "@relaykey/db/queries/holders";
import { changeIntegration, deleteIntegration } from "@relaykey/db/queries/integrations";
import { renewInvitation, revokeInvitation } from "@relaykey/db/queries/invitations";
import { changeRole, removeMember } from "@relaykey/db/queries/members";
import { changeEndpoint, deleteEndpoint } from "@relaykey/db/queries/webhooks";
import { systemCaller, adminEvent } from "../../service/caller.ts";
import { stateOfOrganization } from "./state.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
let victim: string;
let stranger: string;
let ids: Readonly<Record<"holder" | "integration" | "invitation" | "member" | "webhook", string>>;

beforeAll(async () => {
  world = await createWorld();
  const { id, client } = await world.organization();
  victim = id;
  stranger = (await world.organization()).id;
  const made = async (path: string, body: object, name: string): Promise<string> => {
    const answer = await client("POST", path, body);
    expect(answer.status, answer.text).toBe(201);
    return (answer.body[name] as { id: string }).id;
  };
  await world.person(id, "viewer");
  const { data } = (await client("GET", "/members")).body as { data: { id: string }[] };
  ids = {
    holder: await made("/holders", { name: "ci", kind: "service" }, "holder"),
    integration: await made("/integrations", { slug: "openai", secret: "sk-1" }, "integration"),
    invitation: await made("/invitations", { email: `${newId()}@example.com`, role: "viewer" }, "invitation"),
    member: data[0]?.id ?? "",
    webhook: await made("/webhooks", { url: "https://hooks.example.com/a" }, "webhook"),
  };
}, 120_000);

afterAll(() => world.close());

const expected = null;

/** The second line: the service has looked within the organization before, so no caller reaches these with a foreign id. */
const WRITES: Readonly<Record<string, (organizationId: string, event: AdminEvent) => Promise<unknown>>> = {
  removeMember: (of, event) => removeMember(world.db, of, { id: ids.member, expected, event }),
  changeRole: (of, event) => changeRole(world.db, of, { id: ids.member, role: "admin", expected, event }),
  renewInvitation: (of, event) =>
    renewInvitation(world.db, of, {
      ...{ id: ids.invitation, tokenHash: newId(), expiresAt: new Date(), expected },
      event,
    }),
  revokeInvitation: (of, event) =>
    revokeInvitation(world.db, of, { id: ids.invitation, now: new Date(), expected, event }),
  changeHolder: (of, event) => changeHolder(world.db, of, ids.holder, { name: "stolen" }, event, expected),
  deleteHolder: (of, event) => deleteHolder(world.db, of, ids.holder, event, expected),
  changeIntegration: (of, event) =>
    changeIntegration(world.db, of, ids.integration, { name: "stolen" }, { event, expected, secret: null }),
  deleteIntegration: (of, event) => deleteIntegration(world.db, of, ids.integration, event, expected),
  changeEndpoint: (of, event) =>
    changeEndpoint(world.db, of, ids.webhook, 1, { description: "stolen" }, event),
  deleteEndpoint: (of, event) => deleteEndpoint(world.db, of, ids.webhook, event, expected),
};

test.each(Object.entries(WRITES))("G8: %s changes nothing of another organization", async (_, write) => {
  const event = adminEvent(systemCaller(stranger), "holder.changed", { kind: "holder", id: newId() });
  const before = await stateOfOrganization(world, victim);
  expect(await write(stranger, event)).toSatisfy((answer) => answer === null || answer === false);
  expect(await stateOfOrganization(world, victim)).toBe(before);
});

test("within the organization they change what is there", async () => {
  for (const name of [
    "changeRole",
    "renewInvitation",
    "changeHolder",
    "changeIntegration",
    "changeEndpoint",
  ]) {
    const event = adminEvent(systemCaller(victim), "holder.changed", { kind: "holder", id: newId() });
    const before = await stateOfOrganization(world, victim);
    expect(await WRITES[name]?.(victim, event), name).toBeTruthy();
    expect(await stateOfOrganization(world, victim), name).not.toBe(before);
  }
});
