import { toBase64Url, utf8 } from "@relaykey/core/bytes";
import { ok } from "../service/outcome.ts";
import type { Outcome } from "../service/outcome.ts";
import { ApiError } from "./errors.ts";
import type { Asked, RawCall, Reply, Route } from "./route.ts";

const ETAG_BYTES = 16;

/** A strong validator (RFC 9110 §8.8.3): the same for the same state, another for any other. */
export async function etagOf({ json, validated = json }: Reply<unknown>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(validated)));
  return `"${toBase64Url(new Uint8Array(digest).subarray(0, ETAG_BYTES))}"`;
}

/**
 * What shows the thing that an operation changes: GET on its path, or, for an act on a thing such as
 * `/invitations/{invitation}/resend`, on the path of the thing.
 */
export function readingOf({ path }: Route, routes: readonly Route[]): Route | undefined {
  const ofThing = path.replace(/(\/\{\w+\})\/[a-z-]+$/, "$1");
  return [path, ofThing]
    .map((each) => routes.find((route) => route.method === "GET" && route.path === each))
    .find((route) => route !== undefined);
}

/**
 * Judges If-Match (RFC 9110 §13.1.1) against what GET shows of the thing.
 *
 * @returns the revision that the change has to find: between this look and the write nobody else may have changed it.
 * @throws ApiError when the field is malformed, or names no state that the thing is in.
 */
export async function checkIfMatch(
  reading: Route,
  field: string,
  raw: Pick<RawCall, "params">,
  asked: Asked,
): Promise<Outcome<number>> {
  const wanted = field === "*" ? null : parseEtags(field);
  const shown = await reading.accept({ params: raw.params, query: {}, body: null })(asked);
  if (!shown.ok) return shown;
  const reply = shown.value;
  if (!("json" in reply) || reply.revision === undefined)
    throw new TypeError(`${reading.id} shows no revision.`);
  if (wanted !== null && !wanted.includes(await etagOf(reply))) throw new ApiError("precondition_failed");
  return ok(reply.revision);
}

/** Weak ones are kept as they are written: they never match. */
function parseEtags(field: string): string[] {
  const etags = field.split(",").map((text) => text.trim());
  if (etags.every((etag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(etag))) return etags;
  throw new ApiError("invalid_request", [
    { field: "If-Match", message: 'Give the ETag of the answer that you read, such as "iOb5…", or *.' },
  ]);
}
