import { foldName } from "./query.ts";

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
/**
 * Query names by which some servers let a request be another method than the one on its request line: Rack and
 * Symfony (`_method`), WordPress (the same, also on GET), Salesforce (`_HttpMethod`), Google (`$httpMethod`), and header
 * names that frameworks look up among the parameters too.
 */
const METHOD_OVERRIDES: ReadonlySet<string> = new Set([
  "_method",
  "_httpmethod",
  "$httpmethod",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);
/** Printable ASCII that `fetch` hands on unchanged (WHATWG URL special-query set), escapes well-formed. */
const QUERY = /^(?:[!$&()*+,./0-9:;=?@A-Z[\]^_`a-z{|}~-]|%[0-9A-Fa-f]{2})*$/;

/**
 * Reads a path and query that must mean one thing to every parser between here and the vendor's handler. What two
 * parsers could read differently is refused, never repaired: dot segments in any encoding, encoded or raw backslashes,
 * encoded slashes (unless the integration admits them), empty segments, controls, invalid or overlong UTF-8, double
 * encoding, path parameters, characters that a parser would rewrite, their compatibility forms (Unicode NFKC), and
 * query parameters that override the method.
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
  const override = methodOverride(rawQuery);
  if (override !== null)
    return fail(`The query holds ${override}, by which some servers change the method of a request.`);

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
  // Not of NFKC, but taken for slashes by Windows' best-fit conversion (code page 1252).
  if (/[\u2044\u2215\u2216]/.test(decoded)) return "The path holds a character that can become a slash.";
  // What a normalising file system or framework could turn it into is judged too.
  for (const form of new Set([decoded, decoded.normalize("NFKC")])) {
    // The second form is IIS's own (%u002e).
    if (/%(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})/.test(form)) return "The path is percent-encoded twice.";
    if (form.includes(";")) return "The path holds an encoded parameter (%3B).";
    if (form.includes("\\")) return "The path holds an encoded backslash.";
    const parts = form.split("/");
    if (parts.length > 1 && !(allowEncodedSlash && form === decoded))
      return "The path holds an encoded slash.";
    if (parts.length > 1 && parts.includes("")) return "The path holds an encoded empty segment.";
    if (parts.some(isDotSegment)) return "The path holds a dot segment or a blank one.";
  }
  return null;
}

/**
 * Whether a segment is "." or "..", or nothing but dots once white space and characters without a shape of their own
 * are taken out, as file systems do: ". .", a zero-width space between two dots, white space alone. An encoded "?" or "#"
 * ends it, as it does for servers that parse the decoded path again.
 */
function isDotSegment(segment: string): boolean {
  const [head = ""] = segment.split(/[?#]/, 1);
  const bare = head.replace(/[\s\p{Default_Ignorable_Code_Point}]/gu, "");
  if (bare === "." || bare === "..") return true;
  return bare !== head && /^\.*$/.test(bare);
}

/** The parameter that asks for another method, by any separator and spelling that a server may know; null if none does. */
function methodOverride(rawQuery: string): string | null {
  if (!rawQuery.includes("%") && !/method/i.test(rawQuery)) return null;
  for (const part of rawQuery.split(/[&;]/)) {
    const name = part.split("=", 1)[0] ?? "";
    const folded = foldName(decodeSegment(name.replaceAll("+", " ")) ?? name);
    if (
      METHOD_OVERRIDES.has(folded.split("[", 1)[0] ?? "") ||
      METHOD_OVERRIDES.has(folded.replaceAll("[", "_"))
    )
      return `the parameter "${name}"`;
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
