import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { NO_LIMITS } from "@relaykey/core/limits";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { createHolder, listHolders } from "../../service/holders.ts";
import { makeOnce } from "../../service/once.ts";
import type { Caller } from "../../service/caller.ts";
import { refusal, value } from "./accounts/people.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

const postgres = await startPostgres();
const DAY_MS = 86_400_000;
let world: World;
let caller: Caller;

beforeAll(async () => {
  // PGlite does one thing at a time: only a real server shows what happens when a form is sent twice at once.
  world = await (postgres === null
    ? createWorld()
    : createWorld(() => Promise.resolve(openPostgres(postgres.url))));
}, 120_000);

afterAll(async () => {
  await world.close();
  postgres?.stop();
});

beforeEach(async () => {
  const { id } = await world.organization();
  caller = await world.person(id, "admin");
});

/** Sends the form of a holder; each name is free, so that only the nonce can hold a second one back. */
function send(nonce: string, who: Caller = caller, kind: "service" | "person" = "service") {
  return makeOnce(
    world.deps,
    who,
    { action: "holder.change", nonce },
    () => createHolder(world.deps, who, { name: crypto.randomUUID(), kind, email: null, limits: NO_LIMITS }),
    ({ id }) => id,
  );
}

async function holders(): Promise<number> {
  return value(await listHolders(world.deps, caller, { limit: 100, cursor: null })).entries.length;
}

describe("a form that makes something", () => {
  test("makes it once, however often it is sent, and tells later senders what it made", async () => {
    const nonce = newId();
    const first = value(await send(nonce));
    expect(first.isFirst).toBe(true);
    const madeId = first.isFirst ? first.value.id : "";
    expect(value(await send(nonce))).toEqual({ isFirst: false, madeId });
    expect(value(await send(nonce))).toEqual({ isFirst: false, madeId });
    expect(await holders()).toBe(1);
  });

  test("makes it once when it is sent many times at once", async () => {
    const nonce = newId();
    const answers = (await Promise.all(Array.from({ length: 12 }, () => send(nonce)))).map(value);
    const [first, ...more] = answers.filter(({ isFirst }) => isFirst);
    expect(more).toEqual([]);
    const madeId = first?.isFirst === true ? first.value.id : "";
    expect(new Set(answers.filter((answer) => !answer.isFirst).map((answer) => answer.madeId))).toEqual(
      new Set([madeId]),
    );
    expect(await holders()).toBe(1);
  });

  test("can be corrected after it was refused", async () => {
    const nonce = newId();
    // A person needs an address.
    expect(refusal(await send(nonce, caller, "person"))).toBe("invalid_request");
    expect(value(await send(nonce)).isFirst).toBe(true);
  });

  test("is done by a second form, by another person, and again after a day", async () => {
    const nonce = newId();
    const colleague = await world.person(caller.organizationId, "admin");
    const stranger = await world.person((await world.organization()).id, "admin");
    expect(value(await send(nonce)).isFirst).toBe(true);
    expect(value(await send(newId())).isFirst).toBe(true);
    expect(value(await send(nonce, colleague)).isFirst).toBe(true);
    expect(value(await send(nonce, stranger)).isFirst).toBe(true);
    expect(value(await send(nonce, { ...caller, organizationId: stranger.organizationId })).isFirst).toBe(
      true,
    );
    world.advance(DAY_MS + 1);
    expect(value(await send(nonce)).isFirst).toBe(true);
    expect(await holders()).toBe(4);
  });

  test("is refused without a nonce, and to who may not", async () => {
    for (const nonce of ["", "x", "'; drop table relay_keys"]) {
      expect(refusal(await send(nonce))).toBe("invalid_request");
    }
    const viewer = await world.person(caller.organizationId, "viewer");
    expect(refusal(await send(newId(), viewer))).toBe("role_insufficient");
    expect(await holders()).toBe(0);
  });

  test("that died halfway is not done again, and nobody is told that it was done", async () => {
    const nonce = newId();
    const form = { action: "holder.change", nonce } as const;
    const died = makeOnce(
      world.deps,
      caller,
      form,
      () => Promise.reject(new Error("the database went away")),
      () => "",
    );
    await expect(died).rejects.toThrow();
    world.advance(121_000);
    expect(value(await send(nonce))).toEqual({ isFirst: false, madeId: null });
    expect(await holders()).toBe(0);
  });
});
