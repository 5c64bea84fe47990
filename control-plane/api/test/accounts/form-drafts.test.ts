import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { deleteExpired } from "@relaykey/db/queries/housekeeping";
import { formDrafts } from "@relaykey/db/schema/access";
import {
  DRAFT_MINUTES,
  dropDraft,
  findDraft,
  keepDraft,
  ownerMark,
  readOwnerMark,
} from "../../../service/account/form-drafts.ts";
import type { FormOwner } from "../../../service/account/form-drafts.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { founder } from "./people.ts";

let world: World;
let ada: FormOwner;
let bob: FormOwner;

const PATH = "/keys/new?integration=openai";
const VALUES = { name: "nightly import", "ip.cidrs": "203.0.113.7\n10.0.0.0/8" };

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  ada = await owner();
  bob = await owner();
});

async function owner(): Promise<FormOwner> {
  const { person, caller } = await founder(world);
  return { userId: person.userId, organizationId: caller.organizationId };
}

async function keep(of = ada, values: Readonly<Record<string, string>> = VALUES): Promise<string> {
  const token = await keepDraft(world.deps, of, { path: PATH, values });
  expect(token).not.toBeNull();
  return token ?? "";
}

test("what was typed comes back to who typed it, in the same browser, on the same page, also after a reload", async () => {
  const token = await keep();
  expect(await findDraft(world.deps, ada, token, PATH)).toEqual(VALUES);
  expect(await findDraft(world.deps, ada, token, PATH)).toEqual(VALUES);
});

test("and to nobody and nothing else", async () => {
  const token = await keep();
  const other = { ...ada, organizationId: bob.organizationId };
  expect(await findDraft(world.deps, bob, token, PATH)).toBeNull();
  expect(await findDraft(world.deps, other, token, PATH)).toBeNull();
  expect(await findDraft(world.deps, ada, "x".repeat(43), PATH)).toBeNull();
  expect(await findDraft(world.deps, ada, token, "/keys/new?integration=stripe")).toBeNull();
  // Whoever can write into the database cannot give it to another person either.
  await world.db.update(formDrafts).set({ organizationId: other.organizationId });
  expect(await findDraft(world.deps, other, token, PATH)).toBeNull();
});

test("the database has neither what was typed nor what opens it", async () => {
  const token = await keep();
  const stored = JSON.stringify(await world.db.select().from(formDrafts));
  expect(stored).not.toContain(token);
  expect(stored).not.toContain("nightly import");
});

test("is gone when it is dropped, when the next one is kept, and after an hour", async () => {
  const [dropped, kept] = [await keep(ada), await keep(bob)];
  await dropDraft(world.deps, dropped);
  expect(await findDraft(world.deps, ada, dropped, PATH)).toBeNull();
  expect(await findDraft(world.deps, bob, kept, PATH)).toEqual(VALUES);
  const next = await keep(bob, { name: "another" });
  expect(await findDraft(world.deps, bob, kept, PATH)).toBeNull();
  expect(await findDraft(world.deps, bob, next, PATH)).toEqual({ name: "another" });
  world.advance(DRAFT_MINUTES * 60_000);
  expect(await findDraft(world.deps, bob, next, PATH)).toBeNull();
  await deleteExpired(world.db, new Date(world.deps.now() + 1));
  expect(await world.db.select().from(formDrafts)).toEqual([]);
});

test("what is too long is not kept", async () => {
  const values = { allow: "x".repeat(16_384) };
  expect(await keepDraft(world.deps, ada, { path: PATH, values })).toBeNull();
});

test("nobody can mark a form as another person's", async () => {
  const mark = await ownerMark(world.deps, ada);
  expect(await readOwnerMark(world.deps, mark)).toEqual(ada);
  const [userId = "", organizationId = "", signature = ""] = mark.split(".");
  for (const forged of [
    "",
    "..",
    [bob.userId, organizationId, signature].join("."),
    [userId, bob.organizationId, signature].join("."),
    [userId, organizationId, ""].join("."),
    [userId, organizationId, `${signature.slice(0, -2)}AA`].join("."),
  ]) {
    expect(await readOwnerMark(world.deps, forged), forged).toBeNull();
  }
});
