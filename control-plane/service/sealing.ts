import { sealSecret } from "@relaykey/core/envelope";
import type { Destination } from "@relaykey/core/destination";
import { newId } from "@relaykey/core/ids";
import { checkUpstream } from "@relaykey/core/integration";
import type { Secret } from "@relaykey/core/secret";
import type { Integration, NewSealedSecret } from "@relaykey/db/queries/integrations";
import { sealingTarget } from "./custody.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** The members of an integration that its vendor key is sealed for. They change with a new vendor key only. */
export type DestinationMembers = Pick<
  Integration,
  "upstreamOrigin" | "upstreamBasePath" | "credential" | "scrubResponses"
>;

/** An integration's destination, of its stored members or of those that are about to be. */
export function destinationOfMembers(members: DestinationMembers): Destination {
  const { upstreamOrigin: origin, upstreamBasePath: basePath, credential, scrubResponses } = members;
  return { origin, basePath, credential, scrubResponses };
}

/** Checks an address that vendor keys may be sent to. */
export function readUpstream(
  deps: ServiceDependencies,
  upstream: string,
): Outcome<Pick<DestinationMembers, "upstreamOrigin" | "upstreamBasePath">> {
  const proxyHost = /^https?:\/\/([^/:]+)/.exec(deps.proxyUrl)?.[1];
  const checked = checkUpstream(upstream, {
    development: deps.development,
    ownZones: proxyHost === undefined || proxyHost === "localhost" ? [] : [proxyHost],
  });
  if (!checked.ok) return invalid("upstream", checked.error);
  return ok({ upstreamOrigin: checked.origin, upstreamBasePath: checked.basePath });
}

/** Seals a vendor key for its one destination: this plane can do that, and can neither undo it nor name another one later. */
export async function seal(
  deps: ServiceDependencies,
  organizationId: string,
  integration: DestinationMembers & { readonly id: string },
  version: number,
  secret: Secret,
): Promise<NewSealedSecret & { version: number }> {
  const { id: recordId } = integration;
  const destination = destinationOfMembers(integration);
  const context = { organizationId, recordId, field: "vendor_key", version, destination } as const;
  const envelope = await sealSecret(await sealingTarget(deps, organizationId), context, secret);
  return { id: newId(), organizationId, integrationId: recordId, version, envelope };
}
