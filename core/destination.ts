import * as z from "zod/mini";
import { credentialSchema } from "./credential.ts";
import type { CredentialPlacement } from "./credential.ts";
import { upstreamAddressSchema } from "./integration.ts";
import type { IntegrationSnapshot } from "./integration.ts";

/**
 * What a vendor key is given for: where it is sent, in which place of a request, and whether answers are searched for it. All
 * of it is bound into the envelope, because whoever could change any of it could read the key: at another host, at another
 * tenant's path of the same host, in a parameter that the vendor stores or repeats, or in an answer that repeats the key.
 */
export interface Destination {
  /** "https://api.openai.com" */
  readonly origin: string;
  /** "" or "/x/y": the key is sent to no path outside it. */
  readonly basePath: string;
  readonly credential: CredentialPlacement;
  readonly scrubResponses: boolean;
}

export const destinationSchema = z.strictObject({
  ...upstreamAddressSchema,
  credential: credentialSchema,
  scrubResponses: z.boolean(),
});

/** The destination that a policy snapshot names. */
export function destinationOf({
  upstream: { origin, basePath },
  credential,
  scrubResponses,
}: Pick<IntegrationSnapshot, "upstream" | "credential" | "scrubResponses">): Destination {
  return { origin, basePath, credential, scrubResponses };
}

/** One text per destination, whatever the order of its members. */
export function destinationText({ origin, basePath, credential, scrubResponses }: Destination): string {
  return JSON.stringify([origin, basePath, ...placementParts(credential), scrubResponses]);
}

function placementParts(credential: CredentialPlacement): readonly string[] {
  switch (credential.kind) {
    case "bearer":
      return [credential.kind];
    case "basic":
      return [credential.kind, credential.username, credential.password];
    case "header":
      return [credential.kind, credential.name, credential.template];
    case "query":
      return [credential.kind, credential.name];
  }
}
