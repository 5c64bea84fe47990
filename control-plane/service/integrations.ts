import type { CredentialPlacement } from "@relaykey/core/credential";
import { sealSecret } from "@relaykey/core/envelope";
import { isId, newId } from "@relaykey/core/ids";
import { checkUpstream } from "@relaykey/core/integration";
import type { Dialect } from "@relaykey/core/integration";
import type { Secret } from "@relaykey/core/secret";
import { isForeignKeyViolation, isUniqueViolation } from "@relaykey/db/queries/conflicts";
import * as queries from "@relaykey/db/queries/integrations";
import type { Integration, IntegrationChange, NewSealedSecret } from "@relaykey/db/queries/integrations";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import { sealingTarget } from "./custody.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { toPage } from "./page.ts";
import { withinPlan } from "./plan-limit.ts";
import type { Page, PageRequest } from "./page.ts";
import { unlessStale } from "./stale.ts";

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

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

/** Absent = as it is. A slug stays: it is part of the address that callers use. A vendor key is rotated (vendor-keys). */
export type IntegrationUpdate = Partial<
  Omit<IntegrationInput, "slug" | "secret"> & { readonly enabled: boolean }
>;

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
  const sealed = await seal(deps, organizationId, id, 1, secret);
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
 * Changes an integration, but for the host that its vendor key is sent to, and brings the change to all of its keys. Keys that could not be reached are counted as pending.
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
  const allowed = authorize(caller, "integration.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const { upstream, requestHeaders, ...settings } = update;
  const checked = upstream === undefined ? ok({}) : readUpstream(deps, upstream);
  if (!checked.ok) return checked;
  const change: IntegrationChange = {
    ...settings,
    ...checked.value,
    ...(requestHeaders === undefined ? {} : { requestHeaders: [...requestHeaders] }),
  };
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const { id, upstreamOrigin } = found.value;
  // Who could send a stored vendor key elsewhere could read it there.
  if (change.upstreamOrigin !== undefined && !isSameHost(deps, upstreamOrigin, change.upstreamOrigin)) {
    return invalid(
      "upstream",
      `The vendor key was given for ${upstreamOrigin} and goes nowhere else: create another integration for another host, with its vendor key.`,
    );
  }
  const event = adminEvent(
    caller,
    "integration.changed",
    { kind: "integration", id },
    changedFacts(found.value, change),
  );
  return unlessStale(async () => {
    const changed = await queries.changeIntegration(deps.db, organizationId, id, change, event, expected);
    if (changed === null) return fail("not_found");
    const enforcement = await enforceKeys(deps, organizationId, changed.keyIds);
    return ok({ integration: changed.integration, enforcement });
  });
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

/** A port of this machine is as good as another: the demo's vendor has the one that was free. */
function isSameHost({ development }: ServiceDependencies, from: string, to: string): boolean {
  return from === to || (development && [from, to].every((origin) => LOOPBACK.test(origin)));
}

/** Checks an address that vendor keys may be sent to. */
export function readUpstream(
  deps: ServiceDependencies,
  upstream: string,
): Outcome<{ readonly upstreamOrigin: string; readonly upstreamBasePath: string }> {
  const proxyHost = /^https?:\/\/([^/:]+)/.exec(deps.proxyUrl)?.[1];
  const checked = checkUpstream(upstream, {
    development: deps.development,
    ownZones: proxyHost === undefined || proxyHost === "localhost" ? [] : [proxyHost],
  });
  if (!checked.ok) return invalid("upstream", checked.error);
  return ok({ upstreamOrigin: checked.origin, upstreamBasePath: checked.basePath });
}

/** Seals a vendor key: this plane can do that, and cannot undo it. */
export async function seal(
  deps: ServiceDependencies,
  organizationId: string,
  integrationId: string,
  version: number,
  secret: Secret,
): Promise<NewSealedSecret & { version: number }> {
  const context = { organizationId, recordId: integrationId, field: "vendor_key", version } as const;
  const envelope = await sealSecret(await sealingTarget(deps, organizationId), context, secret);
  return { id: newId(), organizationId, integrationId, version, envelope };
}
