import * as queries from "@relaykey/db/queries/sessions";
import type { ListedSession } from "@relaykey/db/queries/sessions";
import { listMembershipsOf } from "@relaykey/db/queries/people";
import type { OwnMembership } from "@relaykey/db/queries/people";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { personEvents } from "./person.ts";
import type { Origin, Person } from "./person.ts";
import { hashOf } from "./secrets.ts";

/** Seen anew at most this often: looking at pages must not write rows. */
const SEEN_EVERY_MS = 5 * 60_000;

/** Who a browser is signed in as; null when its session is unknown, revoked or expired. */
export async function findPerson(
  deps: ServiceDependencies,
  sessionToken: string,
  origin: Origin,
): Promise<Person | null> {
  const now = deps.now();
  const session = await queries.findSession(deps.db, await hashOf(sessionToken), new Date(now));
  if (session === null) return null;
  const { id, lastSeenAt, strongUntil, hasPasskey } = session;
  if (lastSeenAt === null || now - lastSeenAt.getTime() >= SEEN_EVERY_MS) {
    await queries.touchSession(deps.db, id, { ...origin, lastSeenAt: new Date(now) });
  }
  return {
    ...origin,
    userId: session.userId,
    email: session.email,
    sessionId: id,
    organizationId: session.organizationId,
    role: session.role,
    hasPasskey,
    isStrong: !hasPasskey || (strongUntil !== null && strongUntil.getTime() > now),
  };
}

/** Browsers that are signed in as the person, the latest first. */
export async function listOwnSessions(
  deps: ServiceDependencies,
  person: Person,
): Promise<(ListedSession & { readonly isCurrent: boolean })[]> {
  const rows = await queries.listSessions(deps.db, person.userId, new Date(deps.now()));
  return rows.map((row) => ({ ...row, isCurrent: row.id === person.sessionId }));
}

/** Signs one of the person's browsers out. */
export async function endSession(
  deps: ServiceDependencies,
  person: Person,
  sessionId: string,
): Promise<Outcome<null>> {
  const events = await personEvents(deps, person, "session.revoked", { session: sessionId });
  const ended = await queries.deleteSessionsOf(deps.db, person.userId, { only: sessionId }, events);
  return ended === 0 ? fail("not_found") : ok(null);
}

/**
 * Signs the person out everywhere, on command lines too, or in all other browsers.
 *
 * @returns how many browsers that were.
 */
export async function endSessions(
  deps: ServiceDependencies,
  person: Person,
  which: "all" | "others",
): Promise<number> {
  const events = await personEvents(deps, person, "session.revoked", { which });
  return queries.deleteSessionsOf(
    deps.db,
    person.userId,
    which === "all" ? { everythingAt: new Date(deps.now()) } : { except: person.sessionId },
    events,
  );
}

/** Ends the session of a browser that leaves. */
export async function signOut(
  deps: ServiceDependencies,
  sessionToken: string,
  origin: Origin,
): Promise<void> {
  const person = await findPerson(deps, sessionToken, origin);
  if (person === null) return;
  const { userId, sessionId } = person;
  const events = await personEvents(deps, person, "user.signed_out", { session: sessionId });
  await queries.deleteSessionsOf(deps.db, userId, { only: sessionId }, events);
}

/** Organizations that the person can look at. */
export async function listOwnOrganizations(
  deps: ServiceDependencies,
  person: Person,
): Promise<OwnMembership[]> {
  return listMembershipsOf(deps.db, person.userId);
}

/** Looks at another organization, in this browser. */
export async function switchOrganization(
  deps: ServiceDependencies,
  person: Person,
  organizationId: string,
): Promise<Outcome<null>> {
  const switched = await queries.setSessionOrganization(deps.db, person.sessionId, organizationId);
  return switched ? ok(null) : fail("not_found");
}
