import { expect } from "vitest";
import type { MailMessage } from "@relaykey/core/mail";
import { newToken } from "../../../service/account/secrets.ts";
import type { Origin, Person } from "../../../service/account/person.ts";
import { findPerson } from "../../../service/account/sessions.ts";
import { askToSignIn, signInByLink } from "../../../service/account/sign-in.ts";
import { openOwnOrganization } from "../../../service/account/sign-up.ts";
import type { Caller } from "../../../service/caller.ts";
import type { Outcome } from "../../../service/outcome.ts";
import type { World } from "../world.ts";

let hosts = 0;

/** A browser somewhere: each has an address of its own, so that throttles do not mix tests. */
export function somewhere(): Origin {
  hosts += 1;
  return { ip: `198.51.${String(hosts >> 8)}.${String(hosts & 255)}`, userAgent: "Test/1.0" };
}

export type SignInMail = Extract<MailMessage, { kind: "sign_in" }>;

export function signInMails(world: World, email: string): SignInMail[] {
  return world.mails.filter((mail): mail is SignInMail => mail.kind === "sign_in" && mail.to === email);
}

export function tokenOf(mail: { readonly link: string }): string {
  return new URL(mail.link).searchParams.get("token") ?? "";
}

export function value<T>(outcome: Outcome<T>): T {
  expect(outcome).toMatchObject({ ok: true });
  if (!outcome.ok) throw new Error(outcome.failure.code);
  return outcome.value;
}

export function refusal<T>(outcome: Outcome<T>): string {
  expect(outcome.ok).toBe(false);
  return outcome.ok ? "" : outcome.failure.code;
}

export function unique(domain = `d${crypto.randomUUID().slice(0, 8)}.example`): string {
  return `p${crypto.randomUUID().slice(0, 8)}@${domain}`;
}

/** Signs somebody in by the mail they get. */
export async function signIn(world: World, email: string): Promise<{ person: Person; token: string }> {
  const origin = somewhere();
  const browserToken = newToken();
  value(await askToSignIn(world.deps, origin, { email, browserToken }));
  const mail = signInMails(world, email).at(-1);
  expect(mail).toBeDefined();
  const browser = { ...origin, browserToken, formerToken: null };
  const { sessionToken } = value(await signInByLink(world.deps, browser, tokenOf(mail ?? { link: "" })));
  return { person: await again(world, sessionToken), token: sessionToken };
}

/** The person as the next request sees them. */
export async function again(world: World, sessionToken: string): Promise<Person> {
  const person = await findPerson(world.deps, sessionToken, somewhere());
  if (person === null) throw new Error("The session is over.");
  return person;
}

export function callerOf(person: Person): Caller {
  const { organizationId, role } = person;
  if (organizationId === null || role === null) throw new Error("The person looks at no organization.");
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

/** Somebody with an organization of their own. */
export async function founder(
  world: World,
  email = unique(),
): Promise<{ person: Person; caller: Caller; token: string }> {
  const { person, token } = await signIn(world, email);
  value(await openOwnOrganization(world.deps, person, { name: `Organization of ${email}` }));
  const seen = await again(world, token);
  return { person: seen, caller: callerOf(seen), token };
}
