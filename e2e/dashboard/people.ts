import { createHash, randomBytes } from "node:crypto";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { inject } from "vitest";
import { newId } from "@relaykey/core/ids";
import { openDatabase } from "@relaykey/db/client";
import { signInAttempts } from "@relaykey/db/schema/access";
import { memberships, users } from "@relaykey/db/schema/people";
import { organizations } from "@relaykey/db/schema/organizations";
import { noteSecret } from "../witness.ts";

const { url, endpoint } = inject("database");
const { controlPlane } = inject("local");

/** The database behind the stack, for what no page and no API can make: a past. */
export const database = openDatabase(url, endpoint);

/** Somebody who is signed in, as the Cookie header of their browser. */
export interface Person {
  readonly userId: string;
  readonly organizationId: string;
  readonly email: string;
  readonly cookie: string;
}

/** A new person in an organization of their own, or in one that is there. */
export async function signedIn(
  role: "admin" | "viewer" = "admin",
  organizationId: string | null = null,
): Promise<Person> {
  const id = newId();
  const email = `person-${id.slice(-12)}@example.com`;
  const organization = organizationId ?? newId();
  if (organizationId === null) {
    await database.insert(organizations).values({ id: organization, name: "Example & Sons" });
  }
  await database.insert(users).values({ id, email });
  await database.insert(memberships).values({ id: newId(), organizationId: organization, userId: id, role });
  return { userId: id, organizationId: organization, email, cookie: await signIn(email) };
}

/** A sign-in link as a mail has it, good for a minute. */
export async function signInLink(email: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  await database.insert(signInAttempts).values({
    id: newId(),
    email,
    linkHash: createHash("sha256").update(token).digest("hex"),
    expiresAt: new Date(Date.now() + 60_000),
  });
  return `${controlPlane}/sign-in/link?token=${token}`;
}

/** Signs somebody in by a mail's link. @returns the Cookie header of their browser. */
export async function signIn(email: string): Promise<string> {
  const token = new URL(await signInLink(email)).searchParams.get("token") ?? "";
  const answer = await fetch(`${controlPlane}/sign-in/link`, {
    method: "POST",
    headers: { Origin: controlPlane, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token }),
    redirect: "manual",
  });
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0] ?? "")
    .find((pair) => pair.startsWith("session="));
  if (cookie === undefined) throw new Error(`The link signed nobody in: ${String(answer.status)}.`);
  noteSecret(cookie.slice("session=".length));
  return cookie;
}

/** A browser of that person. */
export async function browserOf(
  browser: Browser,
  person: Pick<Person, "cookie">,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  const [name = "", value = ""] = person.cookie.split(/=(.*)/s);
  await context.addCookies([{ name, value, url: controlPlane }]);
  return context;
}
