import { placeCredential, secretTexts } from "@relaykey/core/credential";
import { vendorKeyContext } from "@relaykey/core/envelope";
import type { Secret } from "@relaykey/core/secret";
import { SecretMatcher } from "@relaykey/core/scrub/matcher";
import type { EnvelopeOpener } from "../custody/opener.ts";
import type { KnownKey } from "../directory.ts";
import { continueTrace, upstreamRequestHeaders } from "../headers.ts";
import type { Keep } from "../lease-book.ts";
import { passed, refused } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { upstreamBase } from "../upstream-base.ts";
import type { Intake } from "./intake.ts";

/** A request as it goes to the vendor, real credential included. Lives for one request and is never logged. */
export interface UpstreamCall {
  readonly url: string;
  readonly headers: Headers;
  /** Names of the caller's header fields that stayed behind. */
  readonly dropped: string[];
  /** Finds the vendor key in what the upstream answers; null where the integration does not want that. */
  readonly matcher: SecretMatcher | null;
  /** It may be sent until this moment (isolate clock): a customer's key said yes to no more. */
  readonly until: number;
}

/**
 * Step 5. Opens the sealed vendor key and builds the upstream request around it. The data key is kept unwrapped, as a
 * non-extractable CryptoKey; the vendor key is decrypted here, per request, and dropped.
 */
export async function inject(
  request: Request,
  intake: Intake,
  known: KnownKey,
  config: {
    readonly opener: EnvelopeOpener;
    readonly development: boolean;
    readonly ownZones: readonly string[];
  },
  keep: Keep,
): Promise<Outcome<UpstreamCall>> {
  const { integration } = known.snapshot;
  if (!intake.target.ok) return refused("path_ambiguous", { detail: intake.target.detail });
  const { target } = intake.target;
  const base = upstreamBase(integration, config);
  if (base === null) return refused("upstream_not_allowed");

  const opened = await openVendorKey(known, config.opener, keep);
  if (!opened.ok) return opened;
  const { secret, until } = opened.value;

  const { headers, dropped } = upstreamRequestHeaders(request.headers, integration.requestHeaders);
  continueTrace(request.headers, headers, intake.requestId);
  const placed = placeCredential(integration.credential, secret);
  if (placed.header !== undefined) headers.set(placed.header[0], placed.header[1]);
  const query = [target.query, ...(placed.query === undefined ? [] : [placed.query.join("=")])]
    .filter((part) => part !== "")
    .join("&");
  if (intake.isWebSocket) {
    headers.set("upgrade", "websocket");
    if (intake.subprotocols.length > 0) headers.set("sec-websocket-protocol", intake.subprotocols.join(", "));
  }

  const url = `${base}${target.path}${query === "" ? "" : `?${query}`}`;
  // What was judged is what is sent: if fetch's URL parser would change a byte, nothing is sent.
  if (new URL(url).href !== url) return refused("path_ambiguous", { detail: REWRITTEN });
  return passed({ url, headers, dropped, matcher: matcherFor(known, secret), until });
}

/**
 * How long a compiled matcher is used. It holds the vendor key in clear; compiling it for each request would cost more
 * than all the rest of one, so a key that is in use keeps its matcher for this long, and one that is not keeps none.
 */
const MATCHER_MS = 10_000;

function matcherFor(known: KnownKey, secret: Secret): SecretMatcher | null {
  const { integration } = known.snapshot;
  if (!integration.scrubResponses) return null;
  const now = Date.now();
  if (known.matcher === undefined || now >= known.matcher.until) {
    const matcher = new SecretMatcher(secretTexts(integration.credential, secret));
    known.matcher = { matcher, until: now + MATCHER_MS };
  }
  return known.matcher.matcher;
}

const REWRITTEN =
  "The path or query holds characters that would be rewritten on the way. Percent-encode them (RFC 3986 §2.1).";

/**
 * Opens the vendor key that a key stands for, or says why it cannot be opened now. It opens only for the destination that it
 * was sealed for: a snapshot that names another host, path or place, or no search of answers, opens nothing.
 */
export async function openVendorKey(
  known: KnownKey,
  opener: EnvelopeOpener,
  keep: Keep,
): ReturnType<EnvelopeOpener["open"]> {
  const { organizationId, integration } = known.snapshot;
  const context = vendorKeyContext(organizationId, integration);
  const opened = await opener.open(integration.secret.envelope, context, keep);
  // It holds the vendor key in clear, which is nobody's to have any more.
  if (!opened.ok) delete known.matcher;
  return opened;
}
