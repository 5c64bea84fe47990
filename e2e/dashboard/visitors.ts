import { createHash, randomBytes } from "node:crypto";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { inject } from "vitest";
import { newId } from "@relaykey/core/ids";
import { passkeys, signInAttempts } from "@relaykey/db/schema/access";
import { invitations, users } from "@relaykey/db/schema/people";
import { browserOf, database, signIn, signedIn } from "./people.ts";

const { controlPlane } = inject("local");

/** Somebody who stands at one of the pages around the sign-in. */
export type Visitor =
  | "nobody"
  /** Has asked for a mail, and not opened it. */
  | "asking"
  /** Has opened the link of a mail. */
  | "linked"
  /** Is signed in, and in no organization. */
  | "newcomer"
  /** Has opened an invitation, and is not signed in. */
  | "invited"
  /** Has a passkey, and has not shown it of late. */
  | "weak";

/** A browser of such a visitor, and where they are led from a path. */
export async function arrive(
  browser: Browser,
  visitor: Visitor,
  path: string,
  options: BrowserContextOptions,
): Promise<{ readonly context: BrowserContext; readonly url: string }> {
  const url = `${controlPlane}${path}`;
  switch (visitor) {
    case "nobody":
      return { context: await browser.newContext(options), url };
    case "asking": {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(`${controlPlane}/sign-in`);
      await page.fill("#email", `asking-${newId().slice(-12)}@example.com`);
      await page.click("text=Send the mail");
      await page.waitForURL(url);
      await page.close();
      return { context, url };
    }
    case "linked": {
      const [token, linkHash] = newToken();
      await database.insert(signInAttempts).values({
        id: newId(),
        email: `linked-${newId().slice(-12)}@example.com`,
        linkHash,
        expiresAt: inAnHour(),
      });
      return { context: await browser.newContext(options), url: `${url}?token=${token}` };
    }
    case "newcomer": {
      const email = `newcomer-${newId().slice(-12)}@example.com`;
      await database.insert(users).values({ id: newId(), email });
      return { context: await browserOf(browser, { cookie: await signIn(email) }, options), url };
    }
    case "invited": {
      const { organizationId } = await signedIn();
      const [token, tokenHash] = newToken();
      await database.insert(invitations).values({
        id: newId(),
        organizationId,
        email: `invited-${newId().slice(-12)}@example.com`,
        role: "viewer",
        tokenHash,
        expiresAt: inAnHour(),
      });
      return { context: await browser.newContext(options), url: `${url}${token}` };
    }
    case "weak": {
      const person = await signedIn();
      await database.insert(passkeys).values({
        id: newId(),
        userId: person.userId,
        credentialId: randomBytes(16).toString("base64url"),
        publicKey: "",
        counter: 0,
        transports: ["internal"],
        name: "A laptop",
      });
      return { context: await browserOf(browser, person, options), url };
    }
  }
}

function newToken(): readonly [token: string, hash: string] {
  const token = randomBytes(32).toString("base64url");
  return [token, createHash("sha256").update(token).digest("hex")];
}

function inAnHour(): Date {
  return new Date(Date.now() + 3_600_000);
}
