import { and, eq } from "drizzle-orm";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { passkeys } from "@relaykey/db/schema/access";
import {
  beginAssertion,
  beginEnrollment,
  finishAssertion,
  finishEnrollment,
  listOwnPasskeys,
  removePasskey,
  renamePasskey,
} from "../../../service/account/passkeys.ts";
import type { Person } from "../../../service/account/person.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { Authenticator } from "./authenticator.ts";
import type { Lies } from "./authenticator.ts";
import { again, founder, refusal, signIn, unique, value } from "./people.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

interface Browser {
  person: Person;
  readonly token: string;
}

/** Somebody in a browser, who has enrolled nothing. */
async function somebody(email = unique()): Promise<Browser> {
  return signIn(world, email);
}

function device(): Authenticator {
  return new Authenticator(world.deps.controlUrl);
}

async function enroll(browser: Browser, authenticator = device(), lies: Lies = {}) {
  const options = value(await beginEnrollment(world.deps, browser.person));
  const response = authenticator.enroll(options, lies);
  const outcome = await finishEnrollment(world.deps, browser.person, { name: "Key", response });
  browser.person = await again(world, browser.token);
  return { authenticator, outcome, response };
}

async function enrolled(email = unique()): Promise<Browser & { readonly authenticator: Authenticator }> {
  const browser = await somebody(email);
  const { authenticator, outcome } = await enroll(browser);
  value(outcome);
  return { ...browser, authenticator };
}

/** The same person in another browser, where nothing was shown yet. */
async function elsewhere({ person }: Browser): Promise<Browser> {
  const browser = await somebody(person.email);
  expect(browser.person).toMatchObject({ userId: person.userId, hasPasskey: true, isStrong: false });
  return browser;
}

async function show(browser: Browser, authenticator: Authenticator, lies: Lies = {}) {
  const options = value(await beginAssertion(world.deps, browser.person));
  return finishAssertion(world.deps, browser.person, authenticator.show(options, lies));
}

async function isStrong(browser: Browser): Promise<boolean> {
  return (await again(world, browser.token)).isStrong;
}

describe("enrolling", () => {
  test("makes this session strong for ten minutes, and no other one", async () => {
    const browser = await somebody();
    const other = await somebody(browser.person.email);
    value((await enroll(browser)).outcome);
    expect(browser.person).toMatchObject({ hasPasskey: true, isStrong: true });
    expect(await isStrong(other)).toBe(false);
    world.advance(10 * 60_000 + 1_000);
    expect(await isStrong(browser)).toBe(false);
  });

  test.each([
    ["another origin", { origin: "https://relaykey.example.evil.example" }],
    ["the origin over http", { origin: "http://relaykey.example" }],
    ["another port", { origin: "https://relaykey.example:8443" }],
    ["a subdomain", { origin: "https://a.relaykey.example" }],
    ["another relying party", { rpId: "evil.example" }],
    ["a parent domain as relying party", { rpId: "example" }],
    ["nobody verified", { userVerified: false }],
    ["nobody present", { userPresent: false }],
    ["a made-up challenge", { challenge: randomBytes(32).toString("base64url") }],
    ["an assertion", { type: "webauthn.get" }],
  ] as const)("with %s is refused", async (_, lies) => {
    const browser = await somebody();
    expect(refusal((await enroll(browser, device(), lies)).outcome)).toBe("passkey_refused");
    expect(await listOwnPasskeys(world.deps, browser.person)).toEqual([]);
  });

  test("twice with one challenge is refused, also with another passkey", async () => {
    const browser = await somebody();
    const options = value(await beginEnrollment(world.deps, browser.person));
    const finish = (authenticator: Authenticator) =>
      finishEnrollment(world.deps, browser.person, { name: "", response: authenticator.enroll(options) });
    value(await finish(device()));
    browser.person = await again(world, browser.token);
    expect(refusal(await finish(device()))).toBe("passkey_refused");
    expect(await listOwnPasskeys(world.deps, browser.person)).toMatchObject([{ name: "Passkey" }]);
  });

  test("many times at once with one challenge enrolls one", async () => {
    const browser = await somebody();
    const options = value(await beginEnrollment(world.deps, browser.person));
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () =>
        finishEnrollment(world.deps, browser.person, { name: "Key", response: device().enroll(options) }),
      ),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await listOwnPasskeys(world.deps, browser.person)).toHaveLength(1);
  });

  test("after five minutes is too late", async () => {
    const browser = await somebody();
    const options = value(await beginEnrollment(world.deps, browser.person));
    world.advance(5 * 60_000);
    const response = device().enroll(options);
    expect(refusal(await finishEnrollment(world.deps, browser.person, { name: "", response }))).toBe(
      "passkey_refused",
    );
  });

  test("with the challenge of another session, another person or a passkey that is shown is refused", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    value(await show(other, own.authenticator));
    other.person = await again(world, other.token);
    const stranger = await somebody();
    const challenges = [
      value(await beginEnrollment(world.deps, other.person)).challenge,
      value(await beginEnrollment(world.deps, stranger.person)).challenge,
      value(await beginAssertion(world.deps, own.person)).challenge,
    ];
    for (const challenge of challenges) {
      expect(refusal((await enroll(own, device(), { challenge })).outcome)).toBe("passkey_refused");
    }
    expect(await listOwnPasskeys(world.deps, own.person)).toHaveLength(1);
  });

  test("the passkey of somebody else, or a known one, is refused", async () => {
    const own = await enrolled();
    const stranger = await somebody();
    expect((await enroll(stranger, own.authenticator)).outcome).toMatchObject({
      failure: { code: "passkey_refused", detail: "This passkey is enrolled already." },
    });
    expect(stranger.person).toMatchObject({ hasPasskey: false });
    expect(refusal((await enroll(own, own.authenticator)).outcome)).toBe("passkey_refused");
  });

  test("a further one takes the first: a stolen session adds none", async () => {
    const own = await enrolled();
    const stolen = await elsewhere(own);
    expect(refusal(await beginEnrollment(world.deps, stolen.person))).toBe("passkey_needed");
    // Nor with options that were made before the passkey was asked for.
    const options = value(await beginEnrollment(world.deps, own.person));
    const input = { name: "", response: device().enroll(options) };
    expect(refusal(await finishEnrollment(world.deps, stolen.person, input))).toBe("passkey_needed");
    value((await enroll(own)).outcome);
    expect(await listOwnPasskeys(world.deps, own.person)).toHaveLength(2);
  });

  test("goes up to twenty", async () => {
    const own = await enrolled();
    for (let count = 1; count < 20; count += 1) value((await enroll(own)).outcome);
    expect(refusal(await beginEnrollment(world.deps, own.person))).toBe("passkey_refused");
  });
});

describe("showing one", () => {
  test("makes the session strong for ten minutes, and counts on", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    value(await show(other, own.authenticator));
    expect(await isStrong(other)).toBe(true);
    const [row] = await listOwnPasskeys(world.deps, own.person);
    expect(row).toMatchObject({ counter: own.authenticator.counter });
    expect(row?.lastUsedAt).not.toBeNull();
    world.advance(10 * 60_000 + 1_000);
    expect(await isStrong(other)).toBe(false);
  });

  test.each([
    ["another origin", { origin: "https://evil.example" }],
    ["the origin over http", { origin: "http://relaykey.example" }],
    ["a subdomain", { origin: "https://a.relaykey.example" }],
    ["another relying party", { rpId: "evil.example" }],
    ["nobody verified", { userVerified: false }],
    ["nobody present", { userPresent: false }],
    ["a made-up challenge", { challenge: randomBytes(32).toString("base64url") }],
    ["an enrollment", { type: "webauthn.create" }],
    ["a signature of something else", { signature: randomBytes(70) }],
  ] as const)("with %s is refused", async (_, lies) => {
    const own = await enrolled();
    const other = await elsewhere(own);
    expect(refusal(await show(other, own.authenticator, lies))).toBe("passkey_refused");
    expect(await isStrong(other)).toBe(false);
  });

  test("the same answer twice, or many times at once, counts once", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    const response = own.authenticator.show(value(await beginAssertion(world.deps, other.person)));
    const at = () => finishAssertion(world.deps, other.person, response);
    const outcomes = await Promise.all([at(), at(), at(), at(), at(), at()]);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(refusal(await at())).toBe("passkey_refused");
  });

  test("a passkey whose counter does not go on is a copy, and is refused", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    value(await show(own, own.authenticator, { counter: 7 }));
    for (const counter of [7, 6, 1, 0]) {
      expect(refusal(await show(other, own.authenticator, { counter })), String(counter)).toBe(
        "passkey_refused",
      );
    }
    expect(await isStrong(other)).toBe(false);
    expect(await listOwnPasskeys(world.deps, own.person)).toMatchObject([{ counter: 7 }]);
    value(await show(other, own.authenticator, { counter: 8 }));
  });

  test("a copy and the original at the same moment: one of them is refused", async () => {
    const own = await enrolled();
    const [one, two] = [await elsewhere(own), await elsewhere(own)];
    const outcomes = await Promise.all(
      [one, two].map((browser) => show(browser, own.authenticator, { counter: 3 })),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("a passkey that does not count, as synced ones do not, is shown again and again", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    value(await show(other, own.authenticator, { counter: 0 }));
    value(await show(other, own.authenticator, { counter: 0 }));
  });

  test("after five minutes is too late", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    const options = value(await beginAssertion(world.deps, other.person));
    world.advance(5 * 60_000);
    const response = own.authenticator.show(options);
    expect(refusal(await finishAssertion(world.deps, other.person, response))).toBe("passkey_refused");
  });

  test("for the challenge of another session or of an enrollment is refused", async () => {
    const own = await enrolled();
    const other = await elsewhere(own);
    const challenges = [
      value(await beginAssertion(world.deps, own.person)).challenge,
      value(await beginEnrollment(world.deps, own.person)).challenge,
    ];
    for (const challenge of challenges) {
      expect(refusal(await show(other, own.authenticator, { challenge }))).toBe("passkey_refused");
    }
    expect(await isStrong(other)).toBe(false);
  });

  test("somebody else's is refused, whoever's name it bears", async () => {
    const [own, stranger] = [await enrolled(), await enrolled()];
    const other = await elsewhere(own);
    expect(refusal(await show(other, stranger.authenticator))).toBe("passkey_refused");
    const options = value(await beginAssertion(world.deps, other.person));
    const id = own.authenticator.id.toString("base64url");
    const disguised = { ...stranger.authenticator.show(options), id, rawId: id };
    expect(refusal(await finishAssertion(world.deps, other.person, disguised))).toBe("passkey_refused");
    expect(await isStrong(other)).toBe(false);
  });

  test("where none is enrolled there is nothing to show", async () => {
    const browser = await somebody();
    expect(refusal(await beginAssertion(world.deps, browser.person))).toBe("not_found");
    const stranger = await enrolled();
    const options = value(await beginAssertion(world.deps, stranger.person));
    const response = stranger.authenticator.show(options);
    expect(refusal(await finishAssertion(world.deps, browser.person, response))).toBe("passkey_refused");
  });

  test.each([
    ["nothing", null],
    ["a text", "text"],
    ["a list", []],
    ["no members", {}],
    ["a number as id", { id: 7 }],
    ["NUL in the id", { id: "a\u0000b" }],
    ["a long id", { id: "x".repeat(100_000) }],
    ["an id alone", { id: "known" }],
    ["no response", { id: "known", rawId: "known", type: "public-key" }],
    ["null as response", { id: "known", rawId: "known", type: "public-key", response: null }],
    [
      "empty members",
      {
        ...{ id: "known", rawId: "known", type: "public-key" },
        response: { clientDataJSON: "bm8", authenticatorData: "", signature: "", attestationObject: "" },
      },
    ],
  ])("%s is refused without an accident", async (_, shape) => {
    const own = await enrolled();
    const known = own.authenticator.id.toString("base64url");
    const response: unknown = JSON.parse(JSON.stringify(shape).replaceAll('"known"', JSON.stringify(known)));
    expect(refusal(await finishAssertion(world.deps, own.person, response))).toBe("passkey_refused");
    const input = { name: "", response };
    expect(refusal(await finishEnrollment(world.deps, own.person, input))).toBe("passkey_refused");
  });
});

describe("removing", () => {
  test("takes the passkey: a stolen session removes none, also not the last", async () => {
    const own = await enrolled();
    const stolen = await elsewhere(own);
    const [passkey] = await listOwnPasskeys(world.deps, own.person);
    const id = passkey?.id ?? "";
    expect(refusal(await removePasskey(world.deps, stolen.person, id))).toBe("passkey_needed");
    value(await removePasskey(world.deps, own.person, id));
    expect(await again(world, stolen.token)).toMatchObject({ hasPasskey: false, isStrong: true });
    expect(refusal(await beginAssertion(world.deps, own.person))).toBe("not_found");
  });

  test("one that was removed cannot be shown with a challenge from before", async () => {
    const own = await enrolled();
    value((await enroll(own)).outcome);
    const other = await elsewhere(own);
    const options = value(await beginAssertion(world.deps, other.person));
    const removed = (await listOwnPasskeys(world.deps, own.person)).find(
      ({ credentialId }) => credentialId === own.authenticator.id.toString("base64url"),
    );
    value(await removePasskey(world.deps, own.person, removed?.id ?? ""));
    const response = own.authenticator.show(options);
    expect(refusal(await finishAssertion(world.deps, other.person, response))).toBe("passkey_refused");
  });

  test("somebody else's is not there, under any name, and leaves no event", async () => {
    const { person, caller, token } = await founder(world);
    const own = { person, token };
    value((await enroll(own)).outcome);
    const victim = await enrolled();
    const [passkey] = await listOwnPasskeys(world.deps, victim.person);
    const id = passkey?.id ?? "";
    expect(refusal(await removePasskey(world.deps, own.person, id))).toBe("not_found");
    expect(refusal(await renamePasskey(world.deps, own.person, { id, name: "Mine" }))).toBe("not_found");
    expect(await world.db.select().from(passkeys).where(eq(passkeys.id, id))).toMatchObject([
      { name: "Key" },
    ]);
    expect(await eventsOf(caller.organizationId, "passkey.removed")).toEqual([]);
  });

  test("what was enrolled and removed is in the log of each organization of the person", async () => {
    const { person, caller, token } = await founder(world);
    const own = { person, token };
    value((await enroll(own)).outcome);
    const [passkey] = await listOwnPasskeys(world.deps, own.person);
    value(await removePasskey(world.deps, own.person, passkey?.id ?? ""));
    for (const action of ["passkey.enrolled", "passkey.removed"]) {
      expect(await eventsOf(caller.organizationId, action)).toMatchObject([
        { actorId: person.userId, subjectId: person.userId, via: "dashboard" },
      ]);
    }
  });
});

function eventsOf(organizationId: string, action: string) {
  return world.db
    .select()
    .from(adminAuditEvents)
    .where(and(eq(adminAuditEvents.organizationId, organizationId), eq(adminAuditEvents.action, action)));
}
