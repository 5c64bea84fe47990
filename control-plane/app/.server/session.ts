import { createCookie, redirect } from "@remix-run/cloudflare";
import type { AppLoadContext } from "@remix-run/cloudflare";
import { toBase64Url, toHex, utf8 } from "@relaykey/core/bytes";
import { clientIp } from "@relaykey/core/client-ip";
import { newId } from "@relaykey/core/ids";
import { findRole, findUser, listMembershipsOf } from "@relaykey/db/queries/people";
import {
  createSession,
  deleteSession,
  findSession,
  useSignInLink as consumeLink,
} from "@relaykey/db/queries/sessions";
import type { Caller } from "../../service/caller.ts";

type Deps = AppLoadContext["deps"];

const SESSION_SECONDS = 30 * 86_400;
const TOKEN_BYTES = 32;

/**
 * Uses a one-time link up and signs the browser in. Both tokens are stored as SHA-256 only.
 *
 * @returns the Set-Cookie value, or null when the link is unknown, used or expired.
 */
export async function signIn(deps: Deps, linkToken: string): Promise<string | null> {
  const now = deps.now();
  const link = await consumeLink(deps.db, await hash(linkToken), null, new Date(now));
  const user = link === null ? null : await findUser(deps.db, link.email);
  if (user === null) return null;
  const [first] = await listMembershipsOf(deps.db, user.id);
  const token = toBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
  await createSession(deps.db, {
    id: newId(),
    userId: user.id,
    organizationId: first?.organizationId ?? null,
    tokenHash: await hash(token),
    expiresAt: new Date(now + SESSION_SECONDS * 1_000),
  });
  return sessionCookie(deps).serialize(token, { maxAge: SESSION_SECONDS });
}

/** The person a browser is signed in as, within the organization they look at. @throws a redirect to the sign-in page. */
export async function requireCaller(request: Request, deps: Deps): Promise<Caller> {
  const token = await readToken(request, deps);
  const session = token === null ? null : await findSession(deps.db, await hash(token), new Date(deps.now()));
  const organizationId = session?.organizationId ?? null;
  const role =
    session === null || organizationId === null
      ? null
      : await findRole(deps.db, organizationId, session.userId);
  if (session === null || organizationId === null || role === null) {
    // Remix takes a thrown Response for the answer.
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader redirects
    throw redirect("/sign-in");
  }
  return {
    organizationId,
    actor: { kind: "user", id: session.userId },
    via: "dashboard",
    ip: clientIp(request, deps.edition)?.address ?? null,
    role,
    token: null,
    isStrong: true,
  };
}

/** Ends the session. @returns the Set-Cookie value that removes the cookie. */
export async function signOut(request: Request, deps: Deps): Promise<string> {
  const token = await readToken(request, deps);
  if (token !== null) await deleteSession(deps.db, await hash(token));
  return sessionCookie(deps).serialize("", { maxAge: 0 });
}

async function readToken(request: Request, deps: Deps): Promise<string | null> {
  const value: unknown = await sessionCookie(deps).parse(request.headers.get("cookie"));
  return typeof value === "string" && value !== "" ? value : null;
}

/** `__Host-` binds the cookie to this host and to https; over plain http browsers would drop it. */
function sessionCookie(deps: Deps) {
  const secure = !deps.insecureCookies;
  return createCookie(secure ? "__Host-session" : "session", {
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secure,
  });
}

async function hash(token: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(token))));
}
