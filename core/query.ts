/** One parameter of a query string: decoded name and value, and the bytes it came from. */
export interface QueryParameter {
  readonly name: string;
  readonly value: string;
  readonly raw: string;
}

/**
 * Reads a raw query (no "?") as application/x-www-form-urlencoded (WHATWG URL §5.1), order kept. Where parsers differ
 * it does not guess: a malformed escape, invalid UTF-8, NUL, or ";" (a separator to some) gives null.
 */
export function parseQuery(raw: string): QueryParameter[] | null {
  const parameters: QueryParameter[] = [];
  for (const part of raw.split("&")) {
    if (part === "") continue;
    if (part.includes(";")) return null;
    const separator = part.indexOf("=");
    const name = decode(separator < 0 ? part : part.slice(0, separator));
    const value = decode(separator < 0 ? "" : part.slice(separator + 1));
    if (name === null || value === null) return null;
    parameters.push({ name, value, raw: part });
  }
  return parameters;
}

/**
 * A name as the most forgiving server reads it: case (ASP.NET), white space in front, and "." and " " for "_" (PHP) make
 * no difference. Two names that fold to one may be one parameter to the vendor.
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase().replace(/[ .]/g, "_");
}

function decode(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    return decoded.includes("\0") ? null : decoded;
  } catch {
    return null;
  }
}
