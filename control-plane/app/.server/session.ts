import { createCookie, redirect } from "@remix-run/cloudflare";
import type { AppLoadContext } from "@remix-run/cloudflare";
import { clientIp } from "@relaykey/core/client-ip";
import { DRAFT_MINUTES } from "../../service/account/form-drafts.ts";
import type { Origin, Person } from "../../service/account/person.ts";
import { findPerson } from "../../service/account/sessions.ts";
import { ATTEMPT_MINUTES, SESSION_SECONDS } from "../../service/account/sign-in.ts";
import type { Browser, SignedIn } from "../../service/account/sign-in.ts";
import { newToken } from "../../service/account/secrets.ts";
import type { Caller } from "../../service/caller.ts";
import { returnPathOf, safePath } from "./return-path.ts";

type Deps = AppLoadContext["deps"];

/** Where a request comes from. */
export function originOf(request: Request, deps: Deps): Origin {
  return {
    ip: clientIp(request, deps.clientIps)?.address ?? null,
    userAgent: request.headers.get("user-agent"),
  };
}

/** Who is signed in in this browser; null when nobody is. */
export async function readPerson(request: Request, deps: Deps): Promise<Person | null> {
  const token = await readSessionToken(request, deps);
  return token === null ? null : findPerson(deps, token, originOf(request, deps));
}

/** Who is signed in, whatever organization they look at, if any. @throws a redirect to the sign-in page. */
export async function requirePerson(request: Request, deps: Deps): Promise<Person> {
  const person = await readPerson(request, deps);
  if (person !== null) return person;
  // Remix takes a thrown Response for the answer.
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader redirects
  throw redirect(`/sign-in${returnPathOf(request)}`);
}

/** Somebody who is signed in, within the organization they look at. */
export interface SignedInMember {
  readonly caller: Caller;
  readonly email: string;
}

/**
 * The person a browser is signed in as, within the organization they look at.
 *
 * @throws a redirect: to the sign-in page, or to where an organization is chosen.
 */
export async function requireMember(request: Request, deps: Deps): Promise<SignedInMember> {
  const person = await requirePerson(request, deps);
  const caller = callerOf(person);
  if (caller !== null) return { caller, email: person.email };
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- as above
  throw redirect("/organizations");
}

/** null when the person looks at no organization, or is no member of it any more. */
export function callerOf(person: Person): Caller | null {
  const { organizationId, role } = person;
  if (organizationId === null || role === null) return null;
  return {
    organizationId,
    actor: { kind: "user", id: person.userId },
    via: "dashboard",
    ip: person.ip,
    role,
    token: null,
    isStrong: person.isStrong,
  };
}

/** The secret in the session's cookie. */
export async function readSessionToken(request: Request, deps: Deps): Promise<string | null> {
  const value: unknown = await sessionCookie(deps).parse(request.headers.get("cookie"));
  return typeof value === "string" && value !== "" ? value : null;
}

/** The Set-Cookie value that signs a browser in; null signs it out. */
export async function setSessionToken(deps: Deps, token: string | null): Promise<string> {
  return sessionCookie(deps).serialize(token ?? "", { maxAge: token === null ? 0 : SESSION_SECONDS });
}

/** What a browser that signs in brings along. */
export async function browserOf(request: Request, deps: Deps): Promise<Browser> {
  return {
    ...originOf(request, deps),
    browserToken: (await readTry(request, deps))?.token ?? null,
    formerToken: await readSessionToken(request, deps),
  };
}

/** Gives the browser its session and goes on to where the person wanted to be. */
export async function enterWith(
  request: Request,
  deps: Deps,
  { sessionToken }: SignedIn,
): Promise<ReturnType<typeof redirect>> {
  const headers = new Headers();
  headers.append("Set-Cookie", await setSessionToken(deps, sessionToken));
  headers.append("Set-Cookie", await setTry(deps, null));
  return redirect((await readTry(request, deps))?.returnTo ?? "/", { headers });
}

/** What a browser keeps while it waits for its mail. */
export interface SignInTry {
  /** Proves that it is the browser that asked. */
  readonly token: string;
  readonly email: string;
  /** Where the person wanted to go. */
  readonly returnTo: string;
}

export async function readTry(request: Request, deps: Deps): Promise<SignInTry | null> {
  const value: unknown = await tryCookie(deps).parse(request.headers.get("cookie"));
  if (typeof value !== "object" || value === null) return null;
  const { token, email, returnTo } = value as Partial<Record<keyof SignInTry, unknown>>;
  if (typeof token !== "string" || token.length !== newToken().length || typeof email !== "string")
    return null;
  return { token, email, returnTo: safePath(typeof returnTo === "string" ? returnTo : "") };
}

/** The Set-Cookie value that keeps a try; null forgets it. */
export async function setTry(deps: Deps, kept: SignInTry | null): Promise<string> {
  return tryCookie(deps).serialize(kept ?? "", { maxAge: kept === null ? 0 : ATTEMPT_MINUTES * 60 });
}

/** The secret that opens what this browser's form held when its sender had to sign in first. */
export async function readDraftToken(request: Request, deps: Deps): Promise<string | null> {
  const value: unknown = await hostCookie(deps, "draft").parse(request.headers.get("cookie"));
  return typeof value === "string" && value !== "" ? value : null;
}

/** The Set-Cookie value that keeps it; null forgets it. */
export async function setDraftToken(deps: Deps, token: string | null): Promise<string> {
  return hostCookie(deps, "draft").serialize(token ?? "", {
    maxAge: token === null ? 0 : DRAFT_MINUTES * 60,
  });
}

function sessionCookie(deps: Deps) {
  return hostCookie(deps, "session");
}

function tryCookie(deps: Deps) {
  return hostCookie(deps, "sign-in");
}

/** `__Host-` binds the cookie to this host and to https; over plain http browsers would drop it. */
function hostCookie(deps: Deps, name: string) {
  const secure = !deps.insecureCookies;
  return createCookie(secure ? `__Host-${name}` : name, {
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secure,
  });
}
