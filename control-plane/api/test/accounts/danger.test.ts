import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { Secret } from "@relaykey/core/secret";
import { beginEnrollment, removePasskey } from "../../../service/account/passkeys.ts";
import { ACTIONS, authorize } from "../../../service/authorization.ts";
import type { Action } from "../../../service/authorization.ts";
import type { Caller } from "../../../service/caller.ts";
import { startCheckout } from "../../../service/billing/checkout.ts";
import { decideDeviceLogin } from "../../../service/device-logins.ts";
import { cancelDeletion, requestDeletion } from "../../../service/deletion.ts";
import { changeIntegration } from "../../../service/integrations.ts";
import { inviteMember } from "../../../service/invitations.ts";
import type { Outcome } from "../../../service/outcome.ts";
import { ROUTES } from "../../routes/index.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { founder, refusal, unique } from "./people.ts";

/** What asks somebody who has enrolled a passkey to show it, and what a thief of their session could do otherwise. */
const DANGEROUS: Readonly<Record<string, string>> = {
  "organization.delete": "end everything",
  "member.change": "make an accomplice an admin, or lock the others out",
  "integration.rotate": "put a vendor key in force that is the thief's own",
  "custody.change":
    "put the vendor keys under a key that stops them all, or take them from under the owner's",
  "token.change": "make a token that outlives the session",
  "plan.change": "spend money",
};

let world: World;
let caller: Caller;

beforeAll(async () => {
  world = await createWorld();
  ({ caller } = await founder(world));
}, 120_000);

afterAll(() => world.close());

/** An admin with a passkey that they have not shown. */
function weak(): Caller {
  return { ...caller, isStrong: false };
}

test("the table of actions says which are dangerous", () => {
  const marked = Object.entries(ACTIONS).filter(([, row]) => "dangerous" in row);
  expect(marked.map(([action]) => action).toSorted()).toEqual(Object.keys(DANGEROUS).toSorted());
});

test.each(Object.keys(DANGEROUS) as Action[])("%s takes the passkey, where one is enrolled", (action) => {
  expect(refusal(authorize(weak(), action))).toBe("passkey_needed");
  expect(authorize(caller, action)).toMatchObject({ ok: true });
});

describe("each operation of the API that is dangerous", () => {
  const routes = ROUTES.filter(
    ({ action, method }) => action !== null && action in DANGEROUS && method !== "GET",
  );

  test("is one of those that were looked at", () => {
    expect(routes.map(({ id }) => id).toSorted()).toEqual([
      "changeCustody",
      "changeMember",
      "createToken",
      "removeMember",
      "revokeToken",
      "rollBackIntegration",
      "rotateIntegration",
    ]);
  });

  test.each(routes.map((route) => [route.id, route] as const))("%s", async (_, route) => {
    const params = Object.fromEntries(
      [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [name, newId()]),
    );
    const run = route.accept({ params, query: {}, body: route.body === null ? null : route.example });
    const outcome = await run({ deps: world.deps, caller: weak(), ip: null, expected: null });
    expect(refusal(outcome)).toBe("passkey_needed");
  });
});

test("to give a vendor key for another upstream takes the passkey, as replacing it does", async () => {
  const elsewhere = { upstream: "https://evil.example", secret: new Secret("sk-thief") };
  expect(refusal(await changeIntegration(world.deps, weak(), "openai", elsewhere))).toBe("passkey_needed");
});

describe("what only people do", () => {
  test.each<readonly [string, () => Promise<Outcome<unknown>>]>([
    ["deleting the organization", () => requestDeletion(world.deps, weak(), "x")],
    ["calling the deletion off", () => cancelDeletion(world.deps, weak())],
    [
      "letting a command line in",
      () => decideDeviceLogin(world.deps, weak(), "BBBB-BBBB", { approve: false }),
    ],
    ["inviting an admin", () => inviteMember(world.deps, weak(), { email: unique(), role: "admin" })],
    ["paying for another plan", () => startCheckout(world.deps, weak(), "team")],
  ])("%s takes the passkey", async (_, act) => {
    expect(refusal(await act())).toBe("passkey_needed");
  });

  test("so do passkeys themselves", async () => {
    const { person } = await founder(world);
    const stolen = { ...person, hasPasskey: true, isStrong: false };
    expect(refusal(await beginEnrollment(world.deps, stolen))).toBe("passkey_needed");
    expect(refusal(await removePasskey(world.deps, stolen, newId()))).toBe("passkey_needed");
  });
});
