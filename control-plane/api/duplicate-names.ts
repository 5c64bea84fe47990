/**
 * The first member that an object names twice, as a path such as "limits.rate": `JSON.parse` silently takes the last one,
 * and whoever reviewed the request may have read the first.
 *
 * @param text JSON that has been parsed already.
 * @returns null when every name is there once.
 */
export function duplicateName(text: string): string | null {
  // `at` is null where a name comes next.
  const open: { readonly names: Set<string> | null; at: string | number | null }[] = [];
  // Strings, and the characters that open, close and separate; all else is white space or a scalar.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/gs)) {
    const inside = open.at(-1);
    if (token === "{" || token === "[") {
      open.push({ names: token === "{" ? new Set() : null, at: token === "{" ? null : 0 });
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ",") {
      if (inside !== undefined) inside.at = typeof inside.at === "number" ? inside.at + 1 : null;
    } else if (token !== ":" && inside?.names != null && inside.at === null) {
      const name = JSON.parse(token) as string;
      inside.at = name;
      if (inside.names.has(name)) return open.map(({ at }) => String(at)).join(".");
      inside.names.add(name);
    }
  }
  return null;
}
