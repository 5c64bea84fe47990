import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { fromBase64Url, toBase64Url, utf8 } from "@relaykey/core/bytes";
import { newId } from "@relaykey/core/ids";
import { isUniqueViolation } from "@relaykey/db/queries/conflicts";
import * as queries from "@relaykey/db/queries/passkeys";
import type { ChallengePurpose, Passkey } from "@relaykey/db/queries/passkeys";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { personEvents, requireStrong } from "./person.ts";
import type { Person } from "./person.ts";
import { hashOf } from "./secrets.ts";

const CHALLENGE_MS = 5 * 60_000;
const MAX_PASSKEYS = 20;
/** How long dangerous actions need no new prompt. */
export const STRONG_MINUTES = 10;
const STRONG_MS = STRONG_MINUTES * 60_000;
/** base64url, of at most 1023 bytes (WebAuthn §4). */
const CREDENTIAL_ID = /^[\w-]{1,1364}$/;
const CREDENTIAL_ID_UNIQUE = "passkeys_credential_id_unique";

/** Where passkeys are made for and shown (WebAuthn §5.1.2: a domain, never an address). */
export interface RelyingParty {
  readonly id: string;
  readonly origin: string;
}

/**
 * It follows from the configuration, never from a request. A control plane on a loopback address, which WebAuthn does not
 * know, is `localhost`.
 */
export function relyingParty({ controlUrl }: Pick<ServiceDependencies, "controlUrl">): RelyingParty {
  const url = new URL(controlUrl);
  if (url.hostname === "127.0.0.1") url.hostname = "localhost";
  return { id: url.hostname, origin: url.origin };
}

export async function listOwnPasskeys(deps: ServiceDependencies, person: Person): Promise<Passkey[]> {
  return queries.listPasskeys(deps.db, person.userId);
}

/** What the browser makes a passkey from. Somebody who has one shows it first. */
export async function beginEnrollment(
  deps: ServiceDependencies,
  person: Person,
): Promise<Outcome<PublicKeyCredentialCreationOptionsJSON>> {
  const strong = requireStrong(person);
  if (!strong.ok) return strong;
  const own = await queries.listPasskeys(deps.db, person.userId);
  if (own.length >= MAX_PASSKEYS) {
    return fail("passkey_refused", {
      detail: `${String(MAX_PASSKEYS)} passkeys are the most: remove one first.`,
    });
  }
  const options = await generateRegistrationOptions({
    rpName: "RelayKey",
    rpID: relyingParty(deps).id,
    userName: person.email,
    userID: utf8(person.userId),
    attestationType: "none",
    excludeCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
  });
  await keepChallenge(deps, person, "enroll", options.challenge);
  return ok(options);
}

/** Stores the passkey that the browser made. */
export async function finishEnrollment(
  deps: ServiceDependencies,
  person: Person,
  input: { readonly name: string; readonly response: unknown },
): Promise<Outcome<null>> {
  const strong = requireStrong(person);
  if (!strong.ok) return strong;
  const party = relyingParty(deps);
  const verified = await attempt(() =>
    verifyRegistrationResponse({
      // The library checks each member of what the browser sent.
      response: input.response as RegistrationResponseJSON,
      expectedChallenge: (challenge) => spendChallenge(deps, person, "enroll", challenge),
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
    }),
  );
  if (verified?.verified !== true) return fail("passkey_refused");
  const { credential, credentialBackedUp } = verified.registrationInfo;
  const id = newId();
  const name = input.name.trim().slice(0, 100) || "Passkey";
  try {
    await queries.insertPasskey(
      deps.db,
      {
        id,
        userId: person.userId,
        credentialId: credential.id,
        publicKey: toBase64Url(credential.publicKey),
        counter: credential.counter,
        transports: [...(credential.transports ?? [])],
        backedUp: credentialBackedUp,
        name,
      },
      {
        sessionId: person.sessionId,
        strongUntil: new Date(deps.now() + STRONG_MS),
        events: await personEvents(deps, person, "passkey.enrolled", { passkey: id, name }),
      },
    );
  } catch (error) {
    if (!isUniqueViolation(error, CREDENTIAL_ID_UNIQUE)) throw error;
    return fail("passkey_refused", { detail: "This passkey is enrolled already." });
  }
  return ok(null);
}

/** What the browser shows a passkey for. */
export async function beginAssertion(
  deps: ServiceDependencies,
  person: Person,
): Promise<Outcome<PublicKeyCredentialRequestOptionsJSON>> {
  const own = await queries.listPasskeys(deps.db, person.userId);
  if (own.length === 0) return fail("not_found");
  const options = await generateAuthenticationOptions({
    rpID: relyingParty(deps).id,
    allowCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    userVerification: "required",
  });
  await keepChallenge(deps, person, "assert", options.challenge);
  return ok(options);
}

/** Lets the session do dangerous things for ten minutes. */
export async function finishAssertion(
  deps: ServiceDependencies,
  person: Person,
  response: unknown,
): Promise<Outcome<null>> {
  const credentialId = idOf(response);
  const passkey =
    credentialId === null ? null : await queries.findPasskey(deps.db, person.userId, credentialId);
  const publicKey = passkey === null ? null : fromBase64Url(passkey.publicKey);
  if (passkey === null || publicKey === null) return fail("passkey_refused");
  const party = relyingParty(deps);
  const verified = await attempt(() =>
    verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: (challenge) => spendChallenge(deps, person, "assert", challenge),
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      credential: { id: passkey.credentialId, publicKey, counter: passkey.counter },
      requireUserVerification: true,
    }),
  );
  if (verified?.verified !== true) return fail("passkey_refused");
  const now = deps.now();
  const accepted = await queries.acceptAssertion(deps.db, {
    passkeyId: passkey.id,
    counter: verified.authenticationInfo.newCounter,
    sessionId: person.sessionId,
    strongUntil: new Date(now + STRONG_MS),
    now: new Date(now),
  });
  return accepted ? ok(null) : fail("passkey_refused");
}

export async function renamePasskey(
  deps: ServiceDependencies,
  person: Person,
  change: { readonly id: string; readonly name: string },
): Promise<Outcome<null>> {
  const name = change.name.trim().slice(0, 100);
  if (name === "")
    return fail("invalid_request", { errors: [{ field: "name", message: "Give it a name." }] });
  const events = await personEvents(deps, person, "passkey.renamed", { passkey: change.id, name });
  const renamed = await queries.renamePasskey(deps.db, person.userId, { id: change.id, name, events });
  return renamed ? ok(null) : fail("not_found");
}

/** Takes a passkey away. Without this check a stolen session would be as good as one with the passkey. */
export async function removePasskey(
  deps: ServiceDependencies,
  person: Person,
  id: string,
): Promise<Outcome<null>> {
  const strong = requireStrong(person);
  if (!strong.ok) return strong;
  const events = await personEvents(deps, person, "passkey.removed", { passkey: id });
  const removed = await queries.deletePasskey(deps.db, person.userId, id, events);
  return removed ? ok(null) : fail("not_found");
}

async function keepChallenge(
  deps: ServiceDependencies,
  person: Person,
  purpose: ChallengePurpose,
  challenge: string,
): Promise<void> {
  await queries.insertChallenge(deps.db, {
    id: newId(),
    userId: person.userId,
    purpose,
    challenge: await challengeHash(person, challenge),
    expiresAt: new Date(deps.now() + CHALLENGE_MS),
  });
}

async function spendChallenge(
  deps: ServiceDependencies,
  person: Person,
  purpose: ChallengePurpose,
  challenge: string,
): Promise<boolean> {
  return queries.useChallenge(deps.db, {
    userId: person.userId,
    purpose,
    challengeHash: await challengeHash(person, challenge),
    now: new Date(deps.now()),
  });
}

/** A challenge counts in the session that it was made for. */
function challengeHash(person: Person, challenge: string): Promise<string> {
  return hashOf(`${person.sessionId}\0${challenge}`);
}

/** What the library makes of hostile input is an exception; here it is a refusal. */
async function attempt<T>(verify: () => Promise<T>): Promise<T | null> {
  try {
    return await verify();
  } catch {
    return null;
  }
}

function idOf(response: unknown): string | null {
  const isNamed = typeof response === "object" && response !== null && "id" in response;
  return isNamed && typeof response.id === "string" && CREDENTIAL_ID.test(response.id) ? response.id : null;
}
