import { newId } from "@relaykey/core/ids";
import { isUniqueViolation } from "@relaykey/db/queries/conflicts";
import * as queries from "@relaykey/db/queries/domains";
import type { DomainClaim } from "@relaykey/db/queries/domains";
import { domainStanding } from "./account/sign-up.ts";
import type { Person } from "./account/person.ts";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** Mail domains that the organization holds: new people with an address there need its invitation. */
export async function listDomains(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<readonly DomainClaim[]>> {
  const allowed = authorize(caller, "domain.read");
  if (!allowed.ok) return allowed;
  return ok(await queries.listDomains(deps.db, caller.organizationId));
}

/** Claims the domain of the person's own address, which they have proven to read mail at. */
export async function claimOwnDomain(
  deps: ServiceDependencies,
  caller: Caller,
  person: Person,
): Promise<Outcome<{ readonly domain: string }>> {
  const allowed = authorize(caller, "domain.change");
  if (!allowed.ok) return allowed;
  const { state, domain } = await domainStanding(deps, person);
  if (state === "public") {
    return fail("domain_public", {
      detail: `Anybody can have an address at ${domain}: it cannot be claimed.`,
    });
  }
  if (state !== "claimable") return heldAlready(domain);
  const id = newId();
  const event = adminEvent(caller, "domain.claimed", { kind: "domain_claim", id }, { after: { domain } });
  try {
    await queries.claimDomain(deps.db, { id, organizationId: caller.organizationId, domain }, event);
  } catch (error) {
    if (!isUniqueViolation(error, queries.DOMAIN_HELD_INDEX)) throw error;
    return heldAlready(domain);
  }
  return ok({ domain });
}

/** Lets a domain go: whoever signs up next with an address there may claim it. */
export async function releaseDomain(
  deps: ServiceDependencies,
  caller: Caller,
  domain: string,
): Promise<Outcome<DomainClaim>> {
  const allowed = authorize(caller, "domain.change");
  if (!allowed.ok) return allowed;
  const claims = await queries.listDomains(deps.db, caller.organizationId);
  const claim = claims.find((candidate) => candidate.domain === domain);
  if (claim === undefined) return fail("not_found");
  const event = adminEvent(
    caller,
    "domain.released",
    { kind: "domain_claim", id: claim.id },
    { before: { domain } },
  );
  const release = { id: claim.id, now: new Date(deps.now()), event };
  const released = await queries.releaseDomain(deps.db, caller.organizationId, release);
  return released ? ok(claim) : fail("not_found");
}

function heldAlready(domain: string) {
  return fail("domain_held", { detail: `${domain} is held by an organization already.` });
}
