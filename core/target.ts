/** What a request is aimed at, as it was judged and as it is sent. */
export interface Target {
  /** The exact bytes to forward. */
  readonly path: string;
  /** Raw, without "?". */
  readonly query: string;
  /** The path's segments, percent-decoded once. A trailing slash shows as a last empty segment. */
  readonly segments: readonly string[];
}

export type TargetResult =
  { readonly ok: true; readonly target: Target } | { readonly ok: false; readonly detail: string };

const MAX_LENGTH = 16_384;
/** A path of RFC 3986 §3.3, without ";" (parameters, which parsers strip differently). */
const PATH = /^\/(?:[A-Za-z0-9._~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*$/;
/** Printable ASCII that `fetch` hands on unchanged (WHATWG URL special-query set), escapes well-formed. */
const QUERY = /^(?:[!$&()*+,./0-9:;=?@A-Z[\]^_`a-z{|}~-]|%[0-9A-Fa-f]{2})*$/;

/**
 * Reads a path and query that must mean one thing to every parser between here and the vendor's handler. What two
 * parsers could read differently is refused, never repaired: dot segments in any encoding, encoded or raw backslashes,
 * encoded slashes (unless the integration admits them), empty segments, controls, invalid or overlong UTF-8, double
 * encoding, path parameters, characters that a parser would rewrite, and their compatibility forms (Unicode NFKC).
 */
export function parseTarget(
  rawPath: string,
  rawQuery: string,
  options: { readonly allowEncodedSlash: boolean },
): TargetResult {
  if (rawPath.length + rawQuery.length > MAX_LENGTH)
    return fail("The path and query are longer than 16384 characters.");
  if (!rawPath.startsWith("/")) return fail("The path must begin with a slash.");
  if (rawPath.includes(";")) return fail("The path holds a parameter (;), which servers strip differently.");
  if (rawPath.includes("\\")) return fail("The path holds a backslash.");
  if (!PATH.test(rawPath)) {
    return fail(
      "The path holds a character or escape that is not allowed in a path. Percent-encode it once (RFC 3986 §2.1).",
    );
  }
  if (!QUERY.test(rawQuery)) {
    return fail(
      "The query holds a character or escape that is not allowed in a query. Percent-encode it once (RFC 3986 §2.1).",
    );
  }
  if (/%00/.test(rawQuery)) return fail("The query holds an encoded NUL.");

  const raw = rawPath.slice(1).split("/");
  const segments: string[] = [];
  for (const [index, segment] of raw.entries()) {
    if (segment === "" && index < raw.length - 1) return fail("The path holds an empty segment (//).");
    const decoded = decodeSegment(segment);
    if (decoded === null) return fail("The path holds invalid UTF-8.");
    const problem = judgeSegment(decoded, options.allowEncodedSlash);
    if (problem !== null) return fail(problem);
    segments.push(decoded);
  }
  return { ok: true, target: { path: rawPath, query: rawQuery, segments } };
}

function judgeSegment(decoded: string, allowEncodedSlash: boolean): string | null {
  // eslint-disable-next-line no-control-regex -- controls are exactly what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(decoded)) return "The path holds an encoded control character.";
  if (/%[0-9A-Fa-f]{2}/.test(decoded)) return "The path is percent-encoded twice.";
  if (decoded.includes(";")) return "The path holds an encoded parameter (%3B).";
  // What a normalising file system or framework could turn it into is judged too.
  for (const form of new Set([decoded, decoded.normalize("NFKC")])) {
    if (form.includes("\\")) return "The path holds an encoded backslash.";
    const parts = form.split("/");
    if (parts.length > 1 && !(allowEncodedSlash && form === decoded))
      return "The path holds an encoded slash.";
    if (parts.length > 1 && parts.includes("")) return "The path holds an encoded empty segment.";
    if (parts.some((part) => /^\s*\.{1,2}\s*$/.test(part))) return "The path holds a dot segment.";
  }
  return null;
}

function decodeSegment(segment: string): string | null {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function fail(detail: string): TargetResult {
  return { ok: false, detail };
}
