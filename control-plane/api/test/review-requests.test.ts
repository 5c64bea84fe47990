import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { encodeReviewRequest } from "@relaykey/core/review-request";
import { holders } from "@relaykey/db/schema/holders";
import { consumeNotices } from "../../service/notices/consume.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

/** A person in an organization of their own, by address. @returns the locator. */
async function person(email: string): Promise<string> {
  const { client } = await world.organization();
  const made = await client("POST", "/holders", { name: "ann", kind: "person", email });
  const { id } = made.body["holder"] as { id: string };
  const [row] = await world.db.select().from(holders).where(eq(holders.id, id));
  return row?.locator ?? "";
}

/** Asks, as the confirm Worker does. @returns the locators whose holders are to be mailed. */
async function ask(email: string, from: { network?: string; at?: number } = {}): Promise<string[]> {
  const before = world.keyControl.reviewed.length;
  const body = encodeReviewRequest({
    v: 1,
    kind: "review_request",
    email,
    network: from.network ?? `203.0.113.${String(Math.floor(Math.random() * 256))}`,
    at: from.at ?? world.deps.now(),
  });
  const message = { id: newId(), body, attempts: 1, ack: () => undefined, retry: () => undefined };
  expect(await consumeNotices(world.deps, [message])).toMatchObject({ passedOn: 1, rejected: 0, retried: 0 });
  return world.keyControl.reviewed.slice(before);
}

test("each holder with the address is mailed, in whatever organization, however it was written there", async () => {
  const locators = [await person("Ann@Example.com"), await person("ann@example.com")];
  await person("bob@example.com");
  expect((await ask("ann@example.com")).sort()).toEqual(locators.sort());
});

test("nobody is mailed at an address that nobody has, or that refuses mail, or for what was asked long ago", async () => {
  expect(await ask("nobody@example.com")).toEqual([]);
  await person("gone@example.com");
  await world.db.update(holders).set({ mailState: "bounced" }).where(eq(holders.email, "gone@example.com"));
  expect(await ask("gone@example.com")).toEqual([]);
  const locator = await person("late@example.com");
  expect(await ask("late@example.com", { at: world.deps.now() - 16 * 60_000 })).toEqual([]);
  expect(await ask("late@example.com")).toEqual([locator]);
});

test("an address is asked for a few times in a quarter of an hour, a network asks a few times", async () => {
  const locator = await person("often@example.com");
  const mailed: string[][] = [];
  for (let count = 0; count < 7; count += 1) {
    mailed.push(await ask("often@example.com", { network: `198.51.100.${String(count)}` }));
  }
  expect(mailed.flat()).toEqual(Array.from({ length: 5 }, () => locator));

  for (let count = 0; count < 10; count += 1) {
    await ask(`guess-${String(count)}@example.com`, { network: "192.0.2.1" });
  }
  const known = await person("known@example.com");
  expect(await ask("known@example.com", { network: "192.0.2.1" })).toEqual([]);
  expect(await ask("known@example.com", { network: "192.0.2.2" })).toEqual([known]);
});

test("a data plane that is away is asked again", async () => {
  await person("away@example.com");
  const body = encodeReviewRequest({
    v: 1,
    kind: "review_request",
    email: "away@example.com",
    network: null,
    at: world.deps.now(),
  });
  const message = { id: newId(), body, attempts: 1, ack: () => undefined, retry: () => undefined };
  const keyControl = new Proxy(world.keyControl, {
    get: () => () => Promise.reject(new Error("away")),
  });
  const away = { ...world.deps, keyControl };
  expect(await consumeNotices(away, [message])).toMatchObject({ passedOn: 0, retried: 1 });
});

test("an address in another form than the one that is stored is no request", () => {
  for (const email of ["Ann@example.com", " ann@example.com", "ann", ""]) {
    expect(() =>
      encodeReviewRequest({ v: 1, kind: "review_request", email, network: null, at: 0 }),
    ).toThrow();
  }
});
