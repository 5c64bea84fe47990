import ipaddr from "ipaddr.js";
import * as z from "zod/mini";
import { credentialSchema } from "./credential.ts";
import type { CredentialPlacement } from "./credential.ts";

/** How refusals are dressed so that a vendor's SDK shows them and does not retry them. */
export type Dialect = "plain" | "slack" | "aws" | "octokit";

/** What the proxy needs to know of an integration. */
export interface IntegrationSnapshot {
  readonly id: string;
  readonly slug: string;
  readonly enabled: boolean;
  readonly upstream: {
    /** "https://api.openai.com" */
    readonly origin: string;
    /** "" or "/x/y", no trailing slash. */
    readonly basePath: string;
    /** Until the response headers are there, in ms. */
    readonly timeoutMs: number;
  };
  readonly credential: CredentialPlacement;
  readonly secret: { readonly version: number; readonly envelope: string };
  /** Request header fields admitted beyond the safe list: "name" or "prefix-*", lower case. */
  readonly requestHeaders: readonly string[];
  readonly dialect: Dialect;
  readonly allowEncodedSlash: boolean;
  readonly logQuery: boolean;
  /** `Set-Cookie` of the upstream reaches callers. They are never sent back through the proxy. */
  readonly responseCookies: boolean;
  /** Whether the vendor key is looked for, and blotted out, in what the upstream answers. */
  readonly scrubResponses: boolean;
}

export const DIALECTS = ["plain", "slack", "aws", "octokit"] as const satisfies readonly Dialect[];

/** One label of a host name too, because an integration can be addressed as `{slug}.PROXY`. */
export const slugSchema = z.string().check(z.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/));

/** "name" or "prefix-*"; a bare "*" would admit everything. */
export const headerPatternSchema = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,62}(?:[a-z0-9]|-\*)$/));

export const upstreamAddressSchema = {
  origin: z.string().check(z.regex(/^https?:\/\/[^/?#@\s]+$/)),
  basePath: z.string().check(z.regex(/^(?:\/[^/?#\s]+)*$/)),
};

export const integrationSchema = z.strictObject({
  id: z.string().check(z.minLength(1)),
  slug: slugSchema,
  enabled: z.boolean(),
  upstream: z.strictObject({
    ...upstreamAddressSchema,
    timeoutMs: z.int().check(z.minimum(1), z.maximum(3_600_000)),
  }),
  credential: credentialSchema,
  secret: z.strictObject({
    version: z.int().check(z.minimum(1)),
    envelope: z.string().check(z.minLength(1)),
  }),
  requestHeaders: z.array(headerPatternSchema).check(z.maxLength(64)),
  dialect: z.enum(DIALECTS),
  allowEncodedSlash: z.boolean(),
  logQuery: z.boolean(),
  responseCookies: z._default(z.boolean(), false),
  scrubResponses: z._default(z.boolean(), true),
});

export type UpstreamCheck =
  | { readonly ok: true; readonly origin: string; readonly basePath: string }
  | { readonly ok: false; readonly error: string };

/** Names that resolve inside a network or to this platform itself. */
const REFUSED_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "lan",
  "corp",
  "svc",
  "home.arpa",
  "in-addr.arpa",
  "ip6.arpa",
  "onion",
  "workers.dev",
] as const;

const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Checks an address that vendor keys may be sent to. Exact spelling is required: what a URL parser would rewrite is
 * refused, so what an admin reads is what is called.
 *
 * @param options.development admits `http://127.0.0.1:PORT` and `http://localhost:PORT`, for the local edition only.
 * @param options.ownZones host names of this installation: the proxy must not call itself.
 */
export function checkUpstream(
  url: string,
  options: { readonly development: boolean; readonly ownZones?: readonly string[] },
): UpstreamCheck {
  const match = /^(https?):\/\/([^/?#@\\\s]+)((?:\/[A-Za-z0-9._~!$&'()*+,=:@-]+)*)\/?$/.exec(url);
  if (match === null || url.includes("@")) {
    return fail(
      "Write the upstream as https://host/optional/path: no user info, query, fragment or escapes.",
    );
  }
  const [, scheme = "", authority = "", basePath = ""] = match;
  if (basePath.split("/").some((segment) => segment === "." || segment === "..")) {
    return fail("The upstream's path must not hold dot segments.");
  }
  const canonical = { ok: true, origin: `${scheme}://${authority}`, basePath } as const;
  if (isLoopback(authority)) {
    if (options.development) return canonical;
    return fail("Loopback addresses are for the local edition only: name a public host.");
  }
  if (scheme !== "https") return fail("The upstream must use https.");
  const host = authority.endsWith(":443") ? authority.slice(0, -4) : authority;
  if (host.includes(":")) return fail("The upstream must be on port 443, and must not be an IP address.");
  if (ipaddr.isValid(host) || /^[0-9.]+$|^0x/i.test(host)) {
    return fail("An IP address cannot be an upstream: name the host, so that its certificate is checked.");
  }
  if (!HOST_NAME.test(host)) {
    return fail(
      "The upstream must be a full host name in lower case (IDNs in their xn-- form), no trailing dot.",
    );
  }
  const refusedSuffix = [...REFUSED_SUFFIXES, ...(options.ownZones ?? [])].find(
    (suffix) => host === suffix || host.endsWith(`.${suffix}`),
  );
  if (refusedSuffix !== undefined) return fail(`Hosts under ${refusedSuffix} cannot be an upstream.`);
  return { ok: true, origin: `https://${host}`, basePath };
}

function isLoopback(authority: string): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/.test(authority);
}

function fail(error: string): UpstreamCheck {
  return { ok: false, error };
}
