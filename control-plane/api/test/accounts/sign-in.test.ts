import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessions, signInAttempts } from "@relaykey/db/schema/access";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { users } from "@relaykey/db/schema/people";
import { deleteExpired } from "@relaykey/db/queries/housekeeping";
import { takeFrom } from "@relaykey/db/queries/throttles";
import { newId } from "@relaykey/core/ids";
import { hashOf, newCode, newToken, normalizeCode } from "../../../service/account/secrets.ts";
import { endSession, endSessions, findPerson, listOwnSessions } from "../../../service/account/sessions.ts";
import { askToSignIn, lookAtLink, signInByCode, signInByLink } from "../../../service/account/sign-in.ts";
import type { ServiceDependencies } from "../../../service/dependencies.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { again, founder, refusal, signIn, signInMails, somewhere, tokenOf, unique, value } from "./people.ts";

/** A quarter of an hour, and the sixtieth of it that a throttle may be late. */
const FREE_AGAIN_MS = 15 * 60_000 + 16_000;

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

async function asked(email = unique()) {
  const origin = somewhere();
  const browserToken = newToken();
  value(await askToSignIn(world.deps, origin, { email, browserToken }));
  const mail = signInMails(world, email).at(-1);
  if (mail === undefined) throw new Error("No mail was sent.");
  return { email, origin, browserToken, mail, browser: { ...origin, browserToken, formerToken: null } };
}

describe("the link", () => {
  test("signs in once, in the browser that asked, and makes the person known", async () => {
    const { email, mail, browser } = await asked();
    expect(await world.db.select().from(users).where(eq(users.email, email))).toEqual([]);
    const { sessionToken } = value(await signInByLink(world.deps, browser, tokenOf(mail)));
    expect(await again(world, sessionToken)).toMatchObject({ email, organizationId: null, role: null });
    expect(refusal(await signInByLink(world.deps, browser, tokenOf(mail)))).toBe("sign_in_failed");
  });

  test("is not used up by looking at it, however often", async () => {
    const { mail, browser, browserToken } = await asked();
    for (let look = 0; look < 5; look += 1) {
      expect(await lookAtLink(world.deps, tokenOf(mail), null)).toBe("other_browser");
      expect(await lookAtLink(world.deps, tokenOf(mail), browserToken)).toBe("ready");
    }
    value(await signInByLink(world.deps, browser, tokenOf(mail)));
    expect(await lookAtLink(world.deps, tokenOf(mail), browserToken)).toBe("dead");
  });

  test("does nothing in another browser, and stays good for the one that asked", async () => {
    const { mail, browser } = await asked();
    for (const browserToken of [null, newToken()]) {
      const elsewhere = { ...somewhere(), browserToken, formerToken: null };
      expect(refusal(await signInByLink(world.deps, elsewhere, tokenOf(mail)))).toBe("sign_in_failed");
    }
    value(await signInByLink(world.deps, browser, tokenOf(mail)));
  });

  test("works for 15 minutes", async () => {
    const { mail, browser, browserToken } = await asked();
    world.advance(15 * 60_000);
    expect(await lookAtLink(world.deps, tokenOf(mail), browserToken)).toBe("dead");
    expect(refusal(await signInByLink(world.deps, browser, tokenOf(mail)))).toBe("sign_in_failed");
  });

  test("of an operator works in any browser, once", async () => {
    const token = newToken();
    await world.db.insert(signInAttempts).values({
      id: newId(),
      email: unique(),
      linkHash: await hashOf(token),
      expiresAt: new Date(world.deps.now() + 60_000),
    });
    expect(await lookAtLink(world.deps, token, null)).toBe("ready");
    const browser = { ...somewhere(), browserToken: null, formerToken: null };
    value(await signInByLink(world.deps, browser, token));
    expect(refusal(await signInByLink(world.deps, browser, token))).toBe("sign_in_failed");
  });

  test("opened many times at once signs in once", async () => {
    const { mail, browser } = await asked();
    const tries = await Promise.all(
      Array.from({ length: 10 }, () => signInByLink(world.deps, browser, tokenOf(mail))),
    );
    expect(tries.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("and its code are dead once the person is signed in, also those of other browsers", async () => {
    const email = unique();
    const stranger = await asked(email);
    const own = await asked(email);
    value(await signInByLink(world.deps, own.browser, tokenOf(own.mail)));
    expect(refusal(await signInByLink(world.deps, stranger.browser, tokenOf(stranger.mail)))).toBe(
      "sign_in_failed",
    );
    expect(refusal(await signInByCode(world.deps, stranger.browser, stranger.mail.code))).toBe(
      "sign_in_failed",
    );
  });
});

describe("the code", () => {
  test("signs in once where it was asked for, however it is typed", async () => {
    const { mail, browser } = await asked();
    const typed = ` ${mail.code.toLowerCase().replace("-", " ")} `;
    value(await signInByCode(world.deps, browser, typed));
    expect(refusal(await signInByCode(world.deps, browser, mail.code))).toBe("sign_in_failed");
    expect(refusal(await signInByLink(world.deps, browser, tokenOf(mail)))).toBe("sign_in_failed");
  });

  test("does nothing in another browser", async () => {
    const { mail } = await asked();
    for (const browserToken of [null, newToken()]) {
      const elsewhere = { ...somewhere(), browserToken, formerToken: null };
      expect(refusal(await signInByCode(world.deps, elsewhere, mail.code))).toBe("sign_in_failed");
    }
  });

  test("is dead after five wrong ones; the link is not", async () => {
    const { mail, browser } = await asked();
    for (let wrong = 0; wrong < 5; wrong += 1) {
      expect(refusal(await signInByCode(world.deps, browser, newCode()))).toBe("sign_in_failed");
    }
    expect(refusal(await signInByCode(world.deps, browser, mail.code))).toBe("sign_in_failed");
    value(await signInByLink(world.deps, browser, tokenOf(mail)));
  });

  test("cannot be found by trying many at once", async () => {
    const { mail, browser } = await asked();
    await Promise.all(Array.from({ length: 20 }, () => signInByCode(world.deps, browser, newCode())));
    const [row] = await world.db.select().from(signInAttempts).where(eq(signInAttempts.email, mail.to));
    expect(row?.codeTries).toBe(5);
    expect(refusal(await signInByCode(world.deps, browser, mail.code))).toBe("sign_in_failed");
  });

  test("has one form whatever is typed for the letters that look like digits", () => {
    expect(normalizeCode(" o1l-iab c ")).toBe("0111ABC");
    for (let made = 0; made < 200; made += 1) {
      expect(newCode()).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    }
  });
});

test("neither link nor code nor cookie is stored as it is", async () => {
  const { email, mail, browser, browserToken } = await asked();
  const [row] = await world.db.select().from(signInAttempts).where(eq(signInAttempts.email, email));
  const stored = JSON.stringify(row);
  for (const secret of [tokenOf(mail), mail.code, normalizeCode(mail.code), browserToken]) {
    expect(stored).not.toContain(secret);
    expect(world.logged.join("\n")).not.toContain(secret);
  }
  // A plain hash of forty bits would be no secret.
  expect(row?.codeHash).not.toBe(await hashOf(normalizeCode(mail.code)));
  const { sessionToken } = value(await signInByLink(world.deps, browser, tokenOf(mail)));
  expect(JSON.stringify(await world.db.select().from(sessions))).not.toContain(sessionToken);
});

describe("asking", () => {
  const STATEMENTS = new Set(["insert", "update", "select", "delete", "execute", "batch"]);

  /** Counts the statements that reach the database. */
  function counting(): { deps: ServiceDependencies; texts: string[] } {
    const texts: string[] = [];
    const db = new Proxy(world.db, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (STATEMENTS.has(String(name))) texts.push(String(name));
        return (member as () => unknown).bind(target);
      },
    });
    return { deps: { ...world.deps, db }, texts };
  }

  test("tells nothing of who has an account: the answer and the work are the same", async () => {
    const { person } = await founder(world);
    const work: string[][] = [];
    const answers: unknown[] = [];
    for (const email of [person.email, unique()]) {
      const { deps, texts } = counting();
      const before = world.mails.length;
      const answer = await askToSignIn(deps, somewhere(), { email, browserToken: newToken() });
      answers.push({ ...answer, value: null });
      work.push([...texts, `mails ${String(world.mails.length - before)}`]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(work[0]).toEqual(work[1]);
    expect(work[0]?.length).toBeGreaterThan(3);
    expect(work[0]).not.toContain("select");
  });

  test("tells nothing by its time either", async () => {
    const { person } = await founder(world);
    const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
    for (let round = 0; round < 30; round += 1) {
      for (const who of ["known", "unknown"] as const) {
        const began = performance.now();
        await askToSignIn(world.deps, somewhere(), {
          email: who === "known" ? person.email : unique(),
          browserToken: newToken(),
        });
        times[who].push(performance.now() - began);
      }
    }
    const median = (list: number[]): number => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
    const ratio = median(times.known) / median(times.unknown);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  test("a mailbox gets five mails in a quarter of an hour, and asking answers as before", async () => {
    const email = unique();
    for (let count = 0; count < 8; count += 1) {
      value(await askToSignIn(world.deps, somewhere(), { email, browserToken: newToken() }));
    }
    expect(signInMails(world, email)).toHaveLength(5);
    world.advance(FREE_AGAIN_MS);
    value(await askToSignIn(world.deps, somewhere(), { email, browserToken: newToken() }));
    expect(signInMails(world, email)).toHaveLength(6);
  });

  test("a mailbox gets five mails, whatever tags its address is written with", async () => {
    const email = unique();
    const tagged = (count: number) => email.replace("@", `+${String(count)}@`);
    for (let count = 0; count < 8; count += 1) {
      value(await askToSignIn(world.deps, somewhere(), { email: tagged(count), browserToken: newToken() }));
    }
    const sent = Array.from({ length: 8 }, (_, count) => signInMails(world, tagged(count)).length);
    expect(sent).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
  });

  test("a mailbox gets five mails also when asked for at once, from many networks", async () => {
    const email = unique();
    await Promise.all(
      Array.from({ length: 30 }, () =>
        askToSignIn(world.deps, somewhere(), { email, browserToken: newToken() }),
      ),
    );
    expect(signInMails(world, email)).toHaveLength(5);
  });

  test("a network is heard twenty times in a quarter of an hour; IPv6 counts by /64", async () => {
    for (const ipOf of [() => "192.0.2.1", (n: number) => `2001:db8::${String(n + 1)}`]) {
      const before = world.mails.length;
      const codes: (string | null)[] = [];
      for (let count = 0; count < 22; count += 1) {
        const origin = { ip: ipOf(count), userAgent: null };
        const answer = await askToSignIn(world.deps, origin, { email: unique(), browserToken: newToken() });
        codes.push(answer.ok ? null : answer.failure.code);
      }
      expect(codes.filter((code) => code === null)).toHaveLength(20);
      expect(codes.slice(20)).toEqual(["too_many_tries", "too_many_tries"]);
      expect(world.mails.length - before).toBe(20);
    }
    world.advance(FREE_AGAIN_MS);
    value(
      await askToSignIn(
        world.deps,
        { ip: "192.0.2.1", userAgent: null },
        { email: unique(), browserToken: newToken() },
      ),
    );
  });

  test("all together are heard so often as a mail provider bears", async () => {
    const everybody = [{ bucket: "sign-in:all", limit: 600, seconds: 900 }];
    const taken = takeFrom(everybody, new Date(world.deps.now()));
    await world.db.execute(sql`SELECT ${taken} FROM generate_series(1, 600)`);
    const ask = () => askToSignIn(world.deps, somewhere(), { email: unique(), browserToken: newToken() });
    expect(refusal(await ask())).toBe("too_many_tries");
    world.advance(FREE_AGAIN_MS);
    value(await ask());
  });

  test.each([
    "",
    "ada",
    "ada@example.com\r\nBcc: eve@example.com",
    `${"a".repeat(300)}@example.com`,
    // A Cyrillic letter, and the Kelvin sign, which folds to a k.
    "ada@\u0430pple.example",
    "\u212Aate@example.com",
  ])("%j is no address", async (email) => {
    const before = world.mails.length;
    const answer = await askToSignIn(world.deps, somewhere(), { email, browserToken: newToken() });
    expect(answer).toMatchObject({ failure: { errors: [{ field: "email" }] } });
    expect(world.mails).toHaveLength(before);
  });

  test("links lead to the configured address, whatever the request said", async () => {
    const { mail } = await asked();
    expect(mail.link).toMatch(/^https:\/\/relaykey\.example\/sign-in\/link\?token=[\w-]{43}$/);
  });
});

describe("sessions", () => {
  test("are rotated at sign-in: the one before ends", async () => {
    const { token, person } = await signIn(world, unique());
    const next = await asked(person.email);
    const { sessionToken } = value(
      await signInByLink(world.deps, { ...next.browser, formerToken: token }, tokenOf(next.mail)),
    );
    expect(sessionToken).not.toBe(token);
    expect(await findPerson(world.deps, token, somewhere())).toBeNull();
    expect((await again(world, sessionToken)).userId).toBe(person.userId);
  });

  test("are listed with where and when, and end one by one or all at once", async () => {
    const email = unique();
    const first = await signIn(world, email);
    const second = await signIn(world, email);
    const third = await signIn(world, email);
    const stranger = await signIn(world, unique());
    const list = await listOwnSessions(world.deps, third.person);
    expect(list.map(({ id, isCurrent }) => [id, isCurrent])).toEqual([
      [third.person.sessionId, true],
      [second.person.sessionId, false],
      [first.person.sessionId, false],
    ]);
    expect(list[0]).toMatchObject({ userAgent: "Test/1.0" });
    expect(refusal(await endSession(world.deps, third.person, stranger.person.sessionId))).toBe("not_found");
    value(await endSession(world.deps, third.person, first.person.sessionId));
    expect(await findPerson(world.deps, first.token, somewhere())).toBeNull();
    expect(await endSessions(world.deps, third.person, "others")).toBe(1);
    expect(await findPerson(world.deps, second.token, somewhere())).toBeNull();
    await again(world, third.token);
    expect(await endSessions(world.deps, third.person, "all")).toBe(1);
    expect(await findPerson(world.deps, third.token, somewhere())).toBeNull();
    await again(world, stranger.token);
  });

  test("that end are in the log of the person's organization; what ended nothing is not", async () => {
    const { person, caller } = await founder(world);
    const stranger = await signIn(world, unique());
    const events = () =>
      world.db
        .select()
        .from(adminAuditEvents)
        .where(
          and(
            eq(adminAuditEvents.organizationId, caller.organizationId),
            eq(adminAuditEvents.action, "session.revoked"),
          ),
        );
    expect(refusal(await endSession(world.deps, person, stranger.person.sessionId))).toBe("not_found");
    expect(await endSessions(world.deps, person, "others")).toBe(0);
    expect(await events()).toEqual([]);
    value(await endSession(world.deps, person, person.sessionId));
    expect(await events()).toMatchObject([{ actorId: person.userId, subjectId: person.userId }]);
  });

  test("are noted as seen, not at each request", async () => {
    const { token, person } = await signIn(world, unique());
    const seen = async () =>
      (
        await world.db.select().from(sessions).where(eq(sessions.id, person.sessionId))
      )[0]?.lastSeenAt?.getTime();
    const before = await seen();
    world.advance(60_000);
    await again(world, token);
    expect(await seen()).toBe(before);
    world.advance(5 * 60_000);
    await again(world, token);
    expect(await seen()).toBeGreaterThan(before ?? 0);
  });

  test("last thirty days, and are then cleared away", async () => {
    const { token, person } = await signIn(world, unique());
    world.advance(30 * 86_400_000 - 60_000);
    await again(world, token);
    world.advance(120_000);
    expect(await findPerson(world.deps, token, somewhere())).toBeNull();
    await deleteExpired(world.db, new Date(world.deps.now()));
    expect(await world.db.select().from(sessions).where(eq(sessions.id, person.sessionId))).toEqual([]);
    const [left] = (await world.db.execute(sql`SELECT count(*) AS n FROM throttles`)).rows;
    expect(left).toEqual({ n: "0" });
  });

  test("a made-up cookie is nobody", async () => {
    for (const token of ["", newToken(), "\u0000", "x".repeat(5_000)]) {
      expect(await findPerson(world.deps, token, somewhere())).toBeNull();
    }
  });
});
