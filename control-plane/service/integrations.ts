import type { CredentialPlacement } from "@relaykey/core/credential";
import { destinationText } from "@relaykey/core/destination";
import { isId, newId } from "@relaykey/core/ids";
import type { Dialect } from "@relaykey/core/integration";
import type { Secret } from "@relaykey/core/secret";
import { isForeignKeyViolation, isUniqueViolation } from "@relaykey/db/queries/conflicts";
import * as queries from "@relaykey/db/queries/integrations";
import type { Integration, IntegrationChange } from "@relaykey/db/queries/integrations";
import { SECRET_VERSION_INDEX, listSecretVersions } from "@relaykey/db/queries/vendor-keys";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import { withinPlan } from "./plan-limit.ts";
import type { Page, PageRequest } from "./page.ts";
import { destinationOfMembers, readUpstream, seal } from "./sealing.ts";
import type { DestinationMembers } from "./sealing.ts";
import { unlessStale } from "./stale.ts";

export interface IntegrationInput {
  readonly slug: string;
  readonly name: string;
  /** The catalogue entry it is made from; null: none. */
  readonly catalogue: string | null;
  /** `https://host/optional/path` */
  readonly upstream: string;
  readonly credential: CredentialPlacement;
  /** The vendor key. It is sealed here and cannot be read back by this plane. */
  readonly secret: Secret;
  readonly requestHeaders: readonly string[];
  readonly dialect: Dialect;
  readonly allowEncodedSlash: boolean;
  readonly logQuery: boolean;
  readonly responseCookies: boolean;
  readonly scrubResponses: boolean;
  readonly timeoutMs: number;
}

/**
 * Absent = as it is. A slug stays: it is part of the address that callers use. The vendor key is needed where something changes
 * that it is sealed for; to replace it alone, it is rotated (vendor-keys).
 */
export type IntegrationUpdate = Partial<Omit<IntegrationInput, "slug"> & { readonly enabled: boolean }>;

/** An integration after a change, and how far its keys are. */
export interface IntegrationAnswer {
  readonly integration: Integration;
  readonly enforcement: FanOut;
}

/** Creates an integration and seals its vendor key as version 1. */
export async function createIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  input: IntegrationInput,
): Promise<Outcome<Integration>> {
  const allowed = authorize(caller, "integration.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const { slug, secret, upstream, requestHeaders, ...settings } = input;
  const checked = readUpstream(deps, upstream);
  if (!checked.ok) return checked;
  const id = newId();
  const sealed = await seal(deps, organizationId, { id, ...settings, ...checked.value }, 1, secret);
  try {
    const row = {
      id,
      organizationId,
      slug,
      ...settings,
      ...checked.value,
      requestHeaders: [...requestHeaders],
      secretVersion: 1,
    };
    const event = await creationEvent(
      caller,
      "integration.created",
      { kind: "integration", id },
      { after: { slug, ...settings, upstream, requestHeaders } },
    );
    return await withinPlan(deps, caller, "integrations", () =>
      queries.createIntegration(deps.db, row, sealed, event),
    );
  } catch (error) {
    if (!isUniqueViolation(error, queries.INTEGRATION_SLUG_INDEX)) throw error;
    return fail("name_taken", {
      detail: `An integration "${slug}" exists already: change it, or choose another slug.`,
    });
  }
}

export async function listIntegrations(
  deps: ServiceDependencies,
  caller: Caller,
  page: PageRequest,
): Promise<Outcome<Page<Integration>>> {
  const allowed = authorize(caller, "integration.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listIntegrations(deps.db, caller.organizationId, {
    limit: page.limit + 1,
    after: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

/** @param reference an id or a slug. */
export async function showIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<Integration>> {
  const allowed = authorize(caller, "integration.read");
  if (!allowed.ok) return allowed;
  return findIntegration(deps, caller, reference);
}

/** For services that have authorized an action of their own. */
export async function findIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<Integration>> {
  const which = isId(reference) ? { id: reference } : { slug: reference };
  const integration = await queries.findIntegration(deps.db, caller.organizationId, which);
  return integration === null ? fail("not_found") : ok(integration);
}

/**
 * Changes an integration, and brings the change to all of its keys. Keys that could not be reached are counted as pending.
 * What its vendor key is sealed for (upstream, place, search of answers) changes only together with the vendor key, which
 * replaces all former ones.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function changeIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  update: IntegrationUpdate,
  expected: number | null = null,
): Promise<Outcome<IntegrationAnswer>> {
  const { upstream, requestHeaders, secret, credential, scrubResponses, ...settings } = update;
  const allowed = authorize(caller, secret === undefined ? "integration.change" : "integration.rotate");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const checked = upstream === undefined ? ok({}) : readUpstream(deps, upstream);
  if (!checked.ok) return checked;
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const { id, upstreamOrigin, upstreamBasePath } = found.value;
  const members = {
    upstreamOrigin,
    upstreamBasePath,
    credential: credential ?? found.value.credential,
    scrubResponses: scrubResponses ?? found.value.scrubResponses,
    ...checked.value,
  };
  // The proxy would not open the key for another destination. Refused here, so that nobody has to find out there.
  if (secret === undefined && !isSameDestination(members, found.value)) {
    return invalid("secret", sealedFor(`${upstreamOrigin}${upstreamBasePath}`));
  }
  const versions = await listSecretVersions(deps.db, organizationId, id);
  const version = (versions.at(-1)?.version ?? 0) + 1;
  const sealed =
    secret === undefined ? null : await seal(deps, organizationId, { id, ...members }, version, secret);
  const change: IntegrationChange = {
    ...settings,
    // Whole: what is stored is what the key was sealed for, whoever else changes a part of it meanwhile.
    ...(sealed === null ? {} : members),
    ...(requestHeaders === undefined ? {} : { requestHeaders: [...requestHeaders] }),
  };
  const event = adminEvent(
    caller,
    "integration.changed",
    { kind: "integration", id },
    changedFacts(found.value, { ...change, ...(sealed === null ? {} : { secretVersion: version }) }),
  );
  const options = { event, expected, secret: sealed };
  try {
    return await unlessStale(async () => {
      const changed = await queries.changeIntegration(deps.db, organizationId, id, change, options);
      if (changed === null) return fail("not_found");
      const enforcement = await enforceKeys(deps, organizationId, changed.keyIds);
      return ok({ integration: changed.integration, enforcement });
    });
  } catch (error) {
    if (isUniqueViolation(error, SECRET_VERSION_INDEX)) return fail("changed_meanwhile");
    throw error;
  }
}

function isSameDestination(one: DestinationMembers, other: DestinationMembers): boolean {
  const [text, otherText] = [one, other].map((members) => destinationText(destinationOfMembers(members)));
  return text === otherText;
}

function sealedFor(upstream: string): string {
  return `The vendor key was given for ${upstream}, in its place, and goes nowhere else. Give the vendor key again with a change of the upstream, of where the key goes in a request, or of whether it is blotted out of answers.`;
}

/**
 * Deletes an integration, and its sealed vendor key, for which no RelayKey was ever issued.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function deleteIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  expected: number | null = null,
): Promise<Outcome<null>> {
  const allowed = authorize(caller, "integration.change");
  if (!allowed.ok) return allowed;
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const { id, slug, name } = found.value;
  const event = adminEvent(
    caller,
    "integration.deleted",
    { kind: "integration", id },
    { before: { slug, name } },
  );
  try {
    return await unlessStale(async () => {
      const deleted = await queries.deleteIntegration(deps.db, caller.organizationId, id, event, expected);
      return deleted ? ok(null) : fail("not_found");
    });
  } catch (error) {
    if (!isForeignKeyViolation(error, queries.KEY_INTEGRATION)) throw error;
    return fail("in_use", {
      detail: "Keys were issued for it, and the audit log names it: disable it instead.",
    });
  }
}
