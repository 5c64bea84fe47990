/** Any origin does: a path is one that stays on it. */
const HERE = "https://relaykey.invalid";
/** Pages that somebody who has just signed in does not want to see again. */
const NOWHERE = /^\/(?:sign-in|sign-out)(?:\/|\?|$)/;

/** A path of ours to go on to, read from what anybody may have written; "/" for everything else. */
export function safePath(text: string): string {
  // Browsers take a backslash for a slash and drop control characters: "/\\evil.example" would leave.
  if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text) || text.length > 512) return "/";
  if (!URL.canParse(text, HERE)) return "/";
  const url = new URL(text, HERE);
  const path = `${url.pathname}${url.search}`;
  return url.origin !== HERE || path.startsWith("//") || NOWHERE.test(path) ? "/" : path;
}

/**
 * The query that brings a person back to the page they asked for, or whose form they sent: forms are sent to their own page.
 * Empty where there is nothing to come back to.
 */
export function returnPathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  const path = safePath(`${pathname}${search}`);
  return path === "/" ? "" : `?return_to=${encodeURIComponent(path)}`;
}
