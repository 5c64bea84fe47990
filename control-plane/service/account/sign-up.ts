import { parseEmail, withParentDomains } from "@relaykey/core/email";
import { newId } from "@relaykey/core/ids";
import { isUniqueViolation } from "@relaykey/db/queries/conflicts";
import { DOMAIN_HELD_INDEX, findDomainHolder, isPublicMailDomain } from "@relaykey/db/queries/domains";
import { listAdminAddresses, listMembershipsOf } from "@relaykey/db/queries/people";
import { openOrganization } from "@relaykey/db/queries/sign-up";
import { adminEvent } from "../caller.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { firstPlan } from "../plans.ts";
import { takeAll } from "../throttle.ts";
import type { Person } from "./person.ts";

const DAY = 86_400;

/** What a person's address means for an organization that they open. */
export type DomainStanding =
  /** Nobody holds it: the organization will. */
  | { readonly state: "claimable"; readonly domain: string }
  /** Anybody can have an address there: it is nobody's. */
  | { readonly state: "public"; readonly domain: string }
  /** Another organization holds it: its admins invite. */
  | { readonly state: "held"; readonly domain: string }
  /** An organization holds it that the person is an admin of already. */
  | { readonly state: "own"; readonly domain: string };

export async function domainStanding(
  deps: ServiceDependencies,
  person: Pick<Person, "email" | "userId">,
): Promise<DomainStanding> {
  const domain = domainOf(person.email);
  if (await isPublicMailDomain(deps.db, withParentDomains(domain))) return { state: "public", domain };
  const holder = await findDomainHolder(deps.db, domain);
  if (holder === null) return { state: "claimable", domain };
  const own = await listMembershipsOf(deps.db, person.userId);
  const isAdmin = own.some(({ organizationId, role }) => organizationId === holder && role === "admin");
  return { state: isAdmin ? "own" : "held", domain };
}

/**
 * Opens an organization with the person as its first admin. A business domain that nobody holds becomes the organization's;
 * on one that is held, only an admin of its holder opens another organization.
 */
export async function openOwnOrganization(
  deps: ServiceDependencies,
  person: Person,
  input: { readonly name: string },
): Promise<Outcome<{ readonly organizationId: string }>> {
  const standing = await domainStanding(deps, person);
  if (standing.state === "held") return domainHeld(standing.domain);
  const wait = await takeAll(deps, [{ bucket: `sign-up:user:${person.userId}`, limit: 10, seconds: DAY }]);
  if (wait > 0)
    return fail("too_many_tries", { detail: "Ten organizations a day are the most: try again tomorrow." });
  const organizationId = newId();
  const caller = callerOf(person, organizationId);
  const claim = standing.state === "claimable" ? { id: newId(), domain: standing.domain } : null;
  try {
    await openOrganization(deps.db, {
      organization: { id: organizationId, name: input.name, ...firstPlan(deps) },
      admin: { membershipId: newId(), userId: person.userId, sessionId: person.sessionId },
      claim,
      events: [
        adminEvent(
          caller,
          "organization.created",
          { kind: "organization", id: organizationId },
          { after: { name: input.name, plan: firstPlan(deps).plan } },
        ),
        ...(claim === null
          ? []
          : [
              adminEvent(
                caller,
                "domain.claimed",
                { kind: "domain_claim", id: claim.id },
                { after: { domain: claim.domain } },
              ),
            ]),
      ],
    });
  } catch (error) {
    if (!isUniqueViolation(error, DOMAIN_HELD_INDEX)) throw error;
    // A colleague was a moment faster.
    return domainHeld(standing.domain);
  }
  return ok({ organizationId });
}

/**
 * Tells the admins of the organization that holds the person's domain that they want in, once a day. The person learns
 * neither its name nor who they are, nor whether the mail was sent again.
 */
export async function askToJoin(deps: ServiceDependencies, person: Person): Promise<Outcome<null>> {
  const domain = domainOf(person.email);
  const holder = await findDomainHolder(deps.db, domain);
  if (holder === null) return fail("not_found");
  const wait = await takeAll(deps, [
    { bucket: `join:user:${person.userId}`, limit: 1, seconds: DAY },
    { bucket: `join:organization:${holder}`, limit: 20, seconds: DAY },
  ]);
  if (wait > 0) return ok(null);
  for (const to of await listAdminAddresses(deps.db, holder)) {
    await deps.sendMail({
      v: 1,
      kind: "alert",
      id: newId(),
      to,
      organization: domain,
      title: `${person.email} asks to join your organization`,
      text: [
        `Somebody who can read the mail of ${person.email} has signed in to RelayKey and asks to join the organization that holds ${domain}.`,
        "If you know them, invite them. If you do not, do nothing: they see nothing of your organization.",
      ],
      action: { label: "Invite", url: `${deps.controlUrl}/settings/members` },
    });
  }
  return ok(null);
}

function domainOf(email: string): string {
  const parsed = parseEmail(email);
  if (parsed === null) throw new TypeError("A person's address cannot be read.");
  return parsed.domain;
}

function callerOf(person: Person, organizationId: string): Caller {
  return {
    organizationId,
    actor: { kind: "user", id: person.userId },
    via: "dashboard",
    ip: person.ip,
    role: "admin",
    token: null,
    isStrong: person.isStrong,
  };
}

function domainHeld(domain: string) {
  return fail("domain_held", {
    detail: `An organization uses ${domain} already. Ask one of its admins to invite you.`,
  });
}
