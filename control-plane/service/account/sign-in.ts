import { mailboxOf, parseEmail } from "@relaykey/core/email";
import { newId } from "@relaykey/core/ids";
import { findUser, listMembershipsOf } from "@relaykey/db/queries/people";
import { createSession } from "@relaykey/db/queries/sessions";
import {
  findSignInLink,
  insertSignInAttempt,
  useSignInCode,
  useSignInLink,
} from "@relaykey/db/queries/sign-in";
import type { Throttle } from "@relaykey/db/queries/throttles";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, invalid, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { networkOf, takeAll } from "../throttle.ts";
import type { Origin } from "./person.ts";
import { codeHashOf, hashOf, newCode, newToken } from "./secrets.ts";

const ATTEMPT_MS = 15 * 60_000;
const SESSION_MS = 30 * 86_400_000;
const MAX_CODE_TRIES = 5;
const MAX_USER_AGENT = 256;

/** How long a browser that was signed in stays so. */
export const SESSION_SECONDS = SESSION_MS / 1_000;
/** How long a link and its code work. */
export const ATTEMPT_MINUTES = ATTEMPT_MS / 60_000;

const QUARTER = 15 * 60;
/** All mail that people ask for, together: what a mail provider bears with. */
const EVERYBODY = { bucket: "sign-in:all", limit: 600, seconds: QUARTER };

function perNetwork(what: string, limit: number, ip: string | null): Throttle {
  return { bucket: `${what}:network:${networkOf(ip)}`, limit, seconds: QUARTER };
}

/** A mailbox gets this many at most, whoever asks. The bucket does not spell the address out. */
async function perAddress(email: string): Promise<Throttle> {
  return { bucket: `sign-in:address:${await hashOf(mailboxOf(email))}`, limit: 5, seconds: QUARTER };
}

/**
 * Mails a link and a code to an address. Whether anybody has an account there is not even looked up, here or anywhere
 * before the mail was used: the answer and the work are the same for every address. An address that gets too much mail is
 * treated the same way, and only spared the mail.
 *
 * @param browserToken the secret in the asking browser's cookie: the link works there only.
 */
export async function askToSignIn(
  deps: ServiceDependencies,
  origin: Origin,
  input: { readonly email: string; readonly browserToken: string },
): Promise<Outcome<{ readonly email: string }>> {
  const parsed = parseEmail(input.email);
  if (parsed === null) return invalid("email", "Give an e-mail address such as ada@example.com.");
  const now = deps.now();
  const wait = await takeAll(deps, [perNetwork("sign-in", 20, origin.ip), EVERYBODY]);
  if (wait > 0) return tooMany(wait);
  const isSpared = (await takeAll(deps, [await perAddress(parsed.address)])) > 0;

  const linkToken = newToken();
  const code = newCode();
  const browserHash = await hashOf(input.browserToken);
  const expiresAt = now + ATTEMPT_MS;
  const id = newId();
  const userAgent = origin.userAgent?.slice(0, MAX_USER_AGENT) ?? null;
  await insertSignInAttempt(deps.db, {
    id,
    email: parsed.address,
    linkHash: await hashOf(linkToken),
    codeHash: await codeHashOf(deps.controlKey, browserHash, code),
    browserHash,
    ip: origin.ip,
    userAgent,
    expiresAt: new Date(expiresAt),
  });
  if (!isSpared) {
    await deps.sendMail({
      v: 1,
      kind: "sign_in",
      id,
      to: parsed.address,
      link: `${deps.controlUrl}/sign-in/link?token=${linkToken}`,
      code,
      ip: origin.ip,
      userAgent,
      expiresAt,
    });
  }
  return ok({ email: parsed.address });
}

/** What a link can do in the browser that opened it. */
export type LinkState = "ready" | "other_browser" | "dead";

/** Looks at a link; changes nothing, however often and by whom it is opened. */
export async function lookAtLink(
  deps: ServiceDependencies,
  linkToken: string,
  browserToken: string | null,
): Promise<LinkState> {
  const found = await findSignInLink(deps.db, await hashOf(linkToken), new Date(deps.now()));
  if (found === null) return "dead";
  if (found.browserHash === null) return "ready";
  const browserHash = browserToken === null ? null : await hashOf(browserToken);
  return found.browserHash === browserHash ? "ready" : "other_browser";
}

/** A browser that has just been signed in. */
export interface SignedIn {
  /** Goes into its cookie, and nowhere else. */
  readonly sessionToken: string;
}

/** What a browser brings along to be signed in with. */
export interface Browser extends Origin {
  readonly browserToken: string | null;
  /** Of the session that it has so far. */
  readonly formerToken: string | null;
}

/** Uses a link up, in the browser that asked for it. */
export async function signInByLink(
  deps: ServiceDependencies,
  browser: Browser,
  linkToken: string,
): Promise<Outcome<SignedIn>> {
  const at = new Date(deps.now());
  const wait = await takeAll(deps, [perNetwork("sign-in-use", 120, browser.ip)]);
  if (wait > 0) return tooMany(wait);
  const browserHash = browser.browserToken === null ? null : await hashOf(browser.browserToken);
  const email = await useSignInLink(deps.db, await hashOf(linkToken), browserHash, at);
  return email === null ? fail("sign_in_failed") : ok(await openSession(deps, browser, email));
}

/** Uses a typed code up, in the browser that asked for it. */
export async function signInByCode(
  deps: ServiceDependencies,
  browser: Browser,
  code: string,
): Promise<Outcome<SignedIn>> {
  const at = new Date(deps.now());
  const wait = await takeAll(deps, [perNetwork("sign-in-use", 120, browser.ip)]);
  if (wait > 0) return tooMany(wait);
  if (browser.browserToken === null) return fail("sign_in_failed");
  const browserHash = await hashOf(browser.browserToken);
  const codeHash = await codeHashOf(deps.controlKey, browserHash, code);
  const email = await useSignInCode(deps.db, { browserHash, codeHash, maxTries: MAX_CODE_TRIES }, at);
  return email === null ? fail("sign_in_failed") : ok(await openSession(deps, browser, email));
}

/** The address has been proven: from here on it may be looked up. */
async function openSession(deps: ServiceDependencies, browser: Browser, email: string): Promise<SignedIn> {
  const now = deps.now();
  const user = await findUser(deps.db, email);
  const memberships = user === null ? [] : await listMembershipsOf(deps.db, user.id);
  const userId = user?.id ?? newId();
  const id = newId();
  const sessionToken = newToken();
  await createSession(
    deps.db,
    {
      id,
      userId,
      organizationId: memberships[0]?.organizationId ?? null,
      tokenHash: await hashOf(sessionToken),
      ip: browser.ip,
      userAgent: browser.userAgent?.slice(0, MAX_USER_AGENT) ?? null,
      lastSeenAt: new Date(now),
      expiresAt: new Date(now + SESSION_MS),
    },
    {
      email,
      formerTokenHash: browser.formerToken === null ? null : await hashOf(browser.formerToken),
      events: memberships.map(({ organizationId }) => ({
        organizationId,
        actor: { kind: "user", id: userId },
        via: "dashboard",
        ip: browser.ip,
        action: "user.signed_in",
        subjectKind: "user",
        subjectId: userId,
        metadata: { session: id },
      })),
      now: new Date(now),
    },
  );
  return { sessionToken };
}

function tooMany(waitSeconds: number) {
  const minutes = Math.ceil(waitSeconds / 60);
  return fail("too_many_tries", {
    detail: `Try again in ${minutes === 1 ? "a minute" : `${String(minutes)} minutes`}.`,
  });
}
